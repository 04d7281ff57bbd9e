"""Zero-shot and few-shot prompting as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from promptkit.errors import DataError, SpecError
from promptkit.estimators.labels import classes_of, golds_of, labels_in_template, plain_label
from promptkit.estimators.rows import examples_of_records, records_of
from promptkit.prompts import Template, find_template
from promptkit.prompts.yamlfile import YamlFile, validate
from promptkit.runs.calibration import calibration_for
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.models import load_backend
from promptkit.runs.parts import parts_for
from promptkit.runs.spec import EvalSpec
from promptkit.strategies.in_context import InContext
from promptkit.types import Example, Scalar


class PromptClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
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
        seed: Seed of every random choice.
        batch_size: ``auto`` or sequences of a batch.
        device: Where the model runs.
        dtype: Number format of the model.
        chat_template_kwargs: Arguments of the model's chat template, such as ``enable_thinking``.

    Attributes:
        classes_: (k,) labels, sorted, in the order of the columns of `predict_proba`.
        n_features_in_: Number of the template's fields.

    Rows may be a list or array of texts, a Series, a data frame or a list of mappings that hold
    the template's fields, or an (n, m) array with the fields as columns.

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

    def fit(self, X: Any = None, y: Any = None) -> PromptClassifier:
        """Take the label set, and the pool of demonstrations; nothing is trained.

        Args:
            X: (n,) rows, or None for zero-shot prompting. Without labels they are only calibrated
                on.
            y: (n,) labels, or None for zero-shot prompting with the template's own labels.

        Raises:
            SpecError: A label that the template does not have.
            DataError: Rows that cannot be used, or demonstrations asked for and none given.
        """
        template = self._read_template()
        need_single_labels(template, "PromptClassifier")
        golds = None if y is None else golds_of(y)
        rows = [] if X is None else records_of(X, template.task.fields)
        if golds is not None and len(golds) != len(rows):
            raise DataError(f"X has {len(rows)} rows and y has {len(golds)}; they must be as many")
        if self.shots and (not rows or golds is None):
            raise DataError(f"shots={self.shots} needs labelled rows to choose from: fit(X, y)")
        self.classes_ = self._classes(template, golds)
        labels = [plain_label(label) for label in self.classes_]
        own = labels_in_template(labels, template)
        self._labels = dict(zip(labels, own, strict=True))
        settled = template if template.choosing else template.with_labels(own)
        pool: list[Example] = []
        if golds is None and self.calibration != "none":
            pool = list(examples_of_records(rows, template.task.fields))
        elif golds is not None:
            examples = examples_of_records(rows, template.task.fields)
            pool = [
                Example(row.id, row.fields, self._labels[plain_label(gold)])
                for row, gold in zip(examples, golds, strict=True)
                if plain_label(gold) in self._labels
            ]
        if self.shots and not pool:
            raise DataError(f"shots={self.shots}: no row of y has one of the labels {labels}")
        asked = self._asked()
        name, options, selector, order, verbalizer = parts_for(
            asked, settled, self.shots, bool(pool)
        )
        self.n_features_in_ = len(template.task.fields)
        self.strategy_ = InContext(
            settled,
            load_backend(name, options),
            selector,
            verbalizer,
            self.shots,
            calibration_for(asked),
            order,
        ).fit(pool)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, k) probabilities in the order of ``classes_``.

        Raises:
            DataError: A row could not be scored; a probability is never made up.
        """
        check_is_fitted(self, "strategy_")
        fields = self.strategy_.template.task.fields
        rows = examples_of_records(records_of(X, fields), fields)
        if not rows:
            return np.empty((0, len(self.classes_)))
        predictions = self.strategy_.predict(rows)
        for row, prediction in zip(rows, predictions, strict=True):
            if prediction.log_p is None:
                raise DataError(f"row {row.id!r} cannot be scored: {prediction.problem}")
        log_p = np.array([prediction.log_p for prediction in predictions], np.float64)
        proba: NDArray[np.float64] = np.exp(log_p)
        return proba

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) the most probable label of each row."""
        proba = self.predict_proba(X)  # first, for it checks that there are classes
        predicted: NDArray[Any] = self.classes_[proba.argmax(axis=1)]
        return predicted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.target_tags.required = False  # zero-shot prompting takes the template's labels
        tags.no_validation = True
        return tags

    def _classes(self, template: Template, golds: NDArray[Any] | None) -> NDArray[Any]:
        if template.choosing:
            raise SpecError(
                f"template {template.name!r}: rows with their own choices have no classes; "
                "use 'promptkit eval'"
            )
        if self.labels is not None:
            return classes_of(np.asarray(list(self.labels)), "labels=")
        if golds is not None:
            return classes_of(golds, "y")
        if template.open:
            raise SpecError(f"template {template.name!r} leaves its labels open: give labels= or y")
        return classes_of(np.asarray(list(template.task.labels)), "the template")

    def _read_template(self) -> Template:
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
