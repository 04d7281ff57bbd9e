"""Contrastive few-shot tuning as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptkit.estimators.learned import LearnedClassifier
from promptkit.prompts import Template
from promptkit.prompts.label_rows import rows_about
from promptkit.protocols import Strategy
from promptkit.strategies.contrastive import Contrastive
from promptkit.strategies.reading import Reading
from promptkit.types import Scalar


class ContrastiveClassifier(LearnedClassifier):
    """Tunes a sentence encoder on a few labelled rows, and fits a logistic regression on it.

    Args:
        model: ``minilm``, a sentence-transformers folder, any other text model of transformers,
            whose tokens' states are then averaged, or a hub id.
        loss: ``all_triplets``, ``hard_triplets``, ``supervised_contrastive`` or ``cosine_pairs``;
            see `promptkit.strategies.contrastive_losses.batch_loss`.
        learning_rate: Of AdamW, at its highest.
        epochs: Times that every row is seen.
        batch_size: Rows that are compared with each other in a training step, about.
        head_c: Inverse strength of the head's penalty; times the number of labels, it is
            scikit-learn's ``C``.
        precision: ``auto``, ``float32``, ``bfloat16``: what training steps compute in.
        fields: Names of the fields to read, or one name; by default ``text`` or the only column.
        template: Renders each row instead: an in-box name, a path, or a `Template`.
        statements: Label to texts that say what it means, such as ``{"good": ["I love it."]}``;
            they are learned like rows, which helps where rows are few. For rows of one field.
        seed: Of batches and dropout.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: ``auto`` or ``float32``: weights and predictions are in float32.

    Attributes:
        classes_: (k,) labels, sorted, in the order of the columns of `predict_proba`.

    Example:
        >>> model = ContrastiveClassifier()
        >>> model.fit(texts, labels).predict_proba(["Never again."])  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str = "minilm",
        loss: str = "all_triplets",
        learning_rate: float = 5e-5,
        epochs: int = 8,
        batch_size: int = 32,
        head_c: float = 1.0,
        precision: str = "auto",
        fields: str | Sequence[str] | None = None,
        template: str | Template | None = None,
        statements: Mapping[Scalar, Sequence[str]] | None = None,
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.model = model
        self.loss = loss
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.head_c = head_c
        self.precision = precision
        self.fields = fields
        self.template = template
        self.statements = statements
        self.seed = seed
        self.device = device
        self.dtype = dtype

    def _strategy(self, labels: Sequence[Scalar], reading: Reading) -> Strategy:
        return Contrastive(
            labels,
            reading,
            label_rows=rows_about(self.statements or {}, reading.fields, labels),
            model=self.model,
            loss=self.loss,
            learning_rate=self.learning_rate,
            epochs=self.epochs,
            batch_size=self.batch_size,
            head_c=self.head_c,
            precision=self.precision,
            seed=self.seed,
            device=self.device,
            dtype=self.dtype,
        )
