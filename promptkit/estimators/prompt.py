"""Zero-shot and few-shot prompting as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

from numpy.typing import NDArray

from promptkit.errors import DataError, SpecError
from promptkit.estimators.classifier import TextClassifier, check_lengths
from promptkit.estimators.labels import (
    check_classes,
    classes_of,
    golds_of,
    labels_in_template,
    plain_label,
)
from promptkit.estimators.refused import refusing
from promptkit.estimators.tables import Table
from promptkit.prompts import Template, find_template
from promptkit.prompts.yamlfile import YamlFile, validate
from promptkit.runs.calibration import calibration_for
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.models import backend_for_spec, load_backend
from promptkit.runs.parts import parts_for
from promptkit.runs.spec import EvalSpec
from promptkit.strategies.in_context import InContext
from promptkit.types import Example, Scalar, label_key


class PromptClassifier(TextClassifier):
    """Asks a pre-trained model about each row, with demonstrations from the training rows.

    Args:
        template: An in-box name, the path of a YAML file, or a `Template`.
        model: ``minilm``, a folder, or a hub id.
        backend: ``auto``, ``hf``, ``embedding``, ``fake``.
        shots: Demonstrations of a prompt, taken from the rows given to `fit`.
        selector: Who chooses them; class-balanced by default.
        selector_options: Further options of the selector.
        order: How they are arranged: ``as_selected``, ``nearest_last``, ``nearest_first``,
            ``random`` or ``interleaved``.
        verbalizer: What makes evidence about labels out of evidence about their words.
        verbalizer_options: Its options: ``{"pool_by": "max"}`` takes a label's best word,
            ``{"normalize": "tokens"}`` divides by the length of each.
        calibration: What mends probabilities, see `promptkit.calibration`; ``none`` leaves them.
            It learns from the rows given to `fit`; ``batch`` and others that read no labels learn
            from the rows that are predicted together where those are too few.
        calibration_options: Its options.
        labels: The labels in use; by default those of ``y``, or the template's without ``y``.
        label_names: What numbers in ``y`` stand for: label 0 for the first of a list, or a mapping.
            `VotingClassifier`, `StackingClassifier` and `cross_val_predict` number the sorted
            labels before they fit, and a model can only be asked about names. Labels that come by
            name are left as they are.
        seed: Seed of every random choice.
        batch_size: ``auto`` or sequences of a batch.
        device: Where the model runs.
        dtype: Number format of the model.
        chat_template_kwargs: Arguments of the model's chat template, such as ``enable_thinking``.

    Attributes:
        classes_: (k,) labels, sorted, in the order of the columns of `predict_proba`.
        n_features_in_: Number of the template's fields.
        feature_names_in_: Their names; there where X had names for its columns in `fit`.
        strategy_: What asks the model.

    Rows may be a list or array of texts, a Series, a data frame (of pandas, polars, pyarrow or
    datasets) or a list of mappings that hold the template's fields, or an (n, m) array with the
    fields as columns.

    Example:
        >>> model = PromptClassifier("sentiment_zero_shot", shots=8, selector="nearest")
        >>> model.fit(texts, labels).predict_proba(["Never again."])  # doctest: +SKIP
    """

    def __init__(
        self,
        template: str | Template = "sentiment_zero_shot",
        model: str = "minilm",
        backend: str = "auto",
        shots: int = 0,
        selector: str | None = None,
        selector_options: Mapping[str, Any] | None = None,
        labels: Sequence[Scalar] | None = None,
        calibration: str = "none",
        calibration_options: Mapping[str, Any] | None = None,
        seed: int = 0,
        batch_size: int | str = "auto",
        device: str = "auto",
        dtype: str = "auto",
        chat_template_kwargs: Mapping[str, Any] | None = None,
        verbalizer: str = "words",
        verbalizer_options: Mapping[str, Any] | None = None,
        order: str = "as_selected",
        label_names: Sequence[Scalar] | Mapping[Scalar, Scalar] | None = None,
    ) -> None:
        self.template = template
        self.model = model
        self.backend = backend
        self.shots = shots
        self.selector = selector
        self.selector_options = selector_options
        self.calibration = calibration
        self.calibration_options = calibration_options
        self.labels = labels
        self.seed = seed
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.chat_template_kwargs = chat_template_kwargs
        self.verbalizer = verbalizer
        self.verbalizer_options = verbalizer_options
        self.order = order
        self.label_names = label_names

    @refusing
    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Take the label set, and the pool of demonstrations; nothing is trained.

        Args:
            X: (n,) rows, or None for zero-shot prompting. Without labels they are only calibrated
                on.
            y: (n,) labels, or None for zero-shot prompting with the template's own labels.

        Raises:
            SpecError: A label that the template does not have.
            DataError: Rows that cannot be used, or demonstrations asked for and none given.
        """
        table = None if X is None else self._table(X)
        template = self._read_template(table)
        need_single_labels(template, "PromptClassifier")
        golds = None if y is None else golds_of(y, warn=True)
        if golds is not None:
            check_lengths(0 if table is None else table.n, len(golds))
        if self.shots and (table is None or golds is None):
            raise DataError(f"shots={self.shots} needs labelled rows to choose from: fit(X, y)")
        classes = self._classes(template, golds)
        labels = [plain_label(label) for label in classes]
        own = labels_in_template(labels, template, self._names())
        self._note_fields(table, template.task.fields)
        settled = template if template.choosing else template.with_labels(own)
        pool = self._pool(table, golds, dict(zip(labels, own, strict=True)))
        if self.shots and not pool:
            raise DataError(f"shots={self.shots}: no row of y has one of the labels {labels}")
        strategy = self._strategy(settled, bool(pool)).fit(pool)
        self._hold(strategy, settled, bool(pool))
        self.classes_ = classes
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False  # zero-shot prompting takes the template's labels
        return tags

    def _strategy(self, settled: Template, has_pool: bool) -> InContext:
        """What asks the model, without demonstrations yet."""
        asked = self._asked()
        name, options, selector, order, verbalizer = parts_for(asked, settled, self.shots, has_pool)
        backend = load_backend(name, options)
        calibration = calibration_for(asked)
        return InContext(settled, backend, selector, verbalizer, self.shots, calibration, order)

    def _weights_told(self, settled: Template, has_pool: bool) -> Callable[[], str | None]:
        return partial(self._weights, settled)

    def _weights(self, settled: Template) -> str | None:
        """The hash of the model's weights; None for a backend that has none here."""
        located = backend_for_spec(self._asked(), settled)[2]
        return None if located is None else located.hash()

    def _pool(
        self, table: Table | None, golds: NDArray[Any] | None, own: Mapping[Scalar, Scalar]
    ) -> list[Example]:
        """The rows that are shown or learned from, with the template's labels.

        All rows are looked at, also where none is needed: a bad one is told in `fit` already.
        """
        rows = () if table is None else self._examples(table)
        if golds is None:
            return list(rows) if self.calibration != "none" else []
        return [
            replace(row, label=own[plain_label(gold)])
            for row, gold in zip(rows, golds, strict=True)
            if plain_label(gold) in own
        ]

    def _names(self) -> Mapping[Scalar, Scalar]:
        """What numbers of y stand for."""
        names = self.label_names
        if names is None:
            return {}
        if self.labels is not None:
            raise SpecError("give labels= or label_names=, not both: names are the labels in use")
        found: dict[Scalar, Scalar] = dict(
            names.items() if isinstance(names, Mapping) else enumerate(names)
        )
        if len({label_key(name) for name in found.values()}) < len(found):
            raise SpecError(f"label_names={names!r} gives one name to two labels")
        return found

    def _classes(self, template: Template, golds: NDArray[Any] | None) -> NDArray[Any]:
        if template.choosing:
            raise SpecError(
                f"template {template.name!r}: rows with their own choices have no classes; "
                "use 'promptkit eval'"
            )
        if self.labels is not None:
            where, found = "labels=", golds_of(list(self.labels), where="labels=")
        elif golds is not None:
            where, found = "y", golds
        elif template.open:
            raise SpecError(f"template {template.name!r} leaves its labels open: give labels= or y")
        else:
            where, found = "the template", golds_of(list(template.task.labels))
        classes = classes_of(found, where)
        if where == "y":
            check_classes(found, classes)
        if len(classes) < 2:
            raise DataError(
                f"{where} has 1 class, {plain_label(classes[0])!r}, and a prompt asks which of at "
                "least two it is; give labels=, or rows of another label"
            )
        return classes

    def _read_template(self, table: Table | None) -> Template:
        return (
            self.template if isinstance(self.template, Template) else find_template(self.template)
        )

    def _asked(self) -> EvalSpec:
        name = self.template.name if isinstance(self.template, Template) else self.template
        options = {
            "template": name,
            "model": self.model,
            "backend": self.backend,
            "shots": self.shots,
            "selector": self.selector,
            "selector_options": dict(self.selector_options or {}),
            "verbalizer": self.verbalizer,
            "verbalizer_options": dict(self.verbalizer_options or {}),
            "order": self.order,
            "calibration": self.calibration,
            "calibration_options": dict(self.calibration_options or {}),
            "seed": self.seed,
            "batch_size": self.batch_size,
            "device": self.device,
            "dtype": self.dtype,
            "chat_template_kwargs": dict(self.chat_template_kwargs or {}),
        }
        return validate(EvalSpec, YamlFile("PromptClassifier", options))
