"""Frozen features as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptkit.estimators.learned import LearnedClassifier
from promptkit.prompts import Template
from promptkit.prompts.label_rows import rows_about
from promptkit.protocols import Strategy
from promptkit.strategies.feature_options import Layers
from promptkit.strategies.features import Features
from promptkit.strategies.reading import Reading
from promptkit.types import Scalar


class FeatureClassifier(LearnedClassifier):
    """A small classifier on layers of a pre-trained model that stays as it is.

    Args:
        model: ``minilm``, a folder of any text model of transformers, or a hub id.
        layers: ``choose`` a block of adjacent layers, ``auto``: the same among
            three that LogME proposes, ``one``: choose one layer, a number, a list of numbers,
            ``all``, or ``mix``; see `promptkit.strategies.features.Features`.
        pooling: ``choose``, ``mean``, ``cls``, ``last`` or ``max``.
        classifier: ``logistic``, ``svm``, ``ridge``, ``knn`` or ``centroid``.
        regularisation: ``choose``, or the weight of the penalty (the inverse of C).
        scaling: ``standard``, ``unit`` or ``none``.
        fields: Names of the fields to read, or one name; by default ``text`` or the only column.
        template: Renders each row instead: an in-box name, a path, or a `Template`.
        statements: Label to texts that say what it means, such as ``{"good": ["I love it."]}``;
            they are learned like rows, which helps where rows are few. For rows of one field.
        seed: Which training row is held out when something is chosen.
        batch_size: Texts of a batch, or ``auto``.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: Number format of the model.
        cache: Whether what is computed is kept on disk, below PROMPTKIT_HOME. Within a process a
            text is computed once in any case.

    Attributes:
        classes_: (k,) labels, sorted, in the order of the columns of `predict_proba`.

    Example:
        >>> model = FeatureClassifier().fit(texts, labels)  # doctest: +SKIP
        >>> model.predict_proba(["Never again."])  # doctest: +SKIP
        >>> model.strategy_.chosen_  # doctest: +SKIP
        'layers 3, 4, 5, 6; mean; 0.16'
    """

    def __init__(
        self,
        model: str = "minilm",
        layers: Layers = "choose",
        pooling: str = "choose",
        classifier: str = "logistic",
        regularisation: float | str = "choose",
        scaling: str = "standard",
        fields: str | Sequence[str] | None = None,
        template: str | Template | None = None,
        statements: Mapping[Scalar, Sequence[str]] | None = None,
        seed: int = 0,
        batch_size: int | str = "auto",
        device: str = "auto",
        dtype: str = "auto",
        cache: bool = False,
    ) -> None:
        self.model = model
        self.layers = layers
        self.pooling = pooling
        self.classifier = classifier
        self.regularisation = regularisation
        self.scaling = scaling
        self.fields = fields
        self.template = template
        self.statements = statements
        self.seed = seed
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.cache = cache

    def _strategy(self, labels: Sequence[Scalar], reading: Reading) -> Strategy:
        return Features(
            tuple(labels),
            reading,
            label_rows=rows_about(self.statements or {}, reading.fields, labels),
            model=self.model,
            layers=self.layers,
            pooling=self.pooling,
            classifier=self.classifier,
            regularisation=self.regularisation,
            scaling=self.scaling,
            seed=self.seed,
            batch_size=self.batch_size,  # type: ignore[arg-type]
            device=self.device,
            dtype=self.dtype,
            cache=self.cache,
        )
