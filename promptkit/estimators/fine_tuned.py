"""Fine-tuning, adapters and trained heads as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptkit.errors import SpecError, nearest
from promptkit.estimators.learned import LearnedClassifier
from promptkit.prompts import Template
from promptkit.protocols import Strategy
from promptkit.strategies import STRATEGIES
from promptkit.strategies.reading import Reading
from promptkit.types import Scalar

METHODS = ("lora", "full", "top_layers", "head")


class FineTunedClassifier(LearnedClassifier):
    """Trains a pre-trained model, or a part of it, with a new head on labelled rows.

    Args:
        method: What is trained: adapters beside the model's weights (``lora``), all weights
            (``full``), the last layers (``top_layers``), or the new head alone (``head``).
        model: ``minilm``, a folder of any text model of transformers, or a hub id.
        learning_rate: Of AdamW, at its highest; None for the method's own.
        epochs: Times that every row is seen, at most; None for the method's own.
        batch_size: Rows of a training step; None for the method's own.
        class_weights: ``none``, or ``balanced`` so that every label counts alike.
        max_tokens: Rows are cut to this many tokens.
        options: Further options of the strategy of that name, such as ``{"rank": 16}``.
        fields: Names of the fields to read, or one name; by default ``text`` or the only column.
        template: Renders each row instead: an in-box name, a path, or a `Template`.
        seed: Of weights, batches, dropout and held-out rows.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: What predictions are computed in; float32 on a CPU.

    Attributes:
        classes_: (k,) labels, sorted, in the order of the columns of `predict_proba`.

    Example:
        >>> model = FineTunedClassifier("lora", options={"rank": 4})
        >>> model.fit(texts, labels).predict_proba(["Never again."])  # doctest: +SKIP
    """

    def __init__(
        self,
        method: str = "lora",
        model: str = "minilm",
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        class_weights: str = "none",
        max_tokens: int = 512,
        options: Mapping[str, Any] | None = None,
        fields: str | Sequence[str] | None = None,
        template: str | Template | None = None,
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.method = method
        self.model = model
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.class_weights = class_weights
        self.max_tokens = max_tokens
        self.options = options
        self.fields = fields
        self.template = template
        self.seed = seed
        self.device = device
        self.dtype = dtype

    def _strategy(self, labels: Sequence[Scalar], reading: Reading) -> Strategy:
        if self.method not in METHODS:
            raise SpecError(f"method {self.method!r}: {nearest(self.method, METHODS)}")
        names = ("learning_rate", "epochs", "batch_size")
        own = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        own |= {"class_weights": self.class_weights, "max_tokens": self.max_tokens}
        own |= {"model": self.model, "seed": self.seed, "device": self.device, "dtype": self.dtype}
        further = dict(self.options or {})
        for name in further:
            if name in {*own, *names}:
                raise SpecError(f"options: {name!r} is an argument of its own; give {name}=")
        return STRATEGIES.build(
            self.method, {"labels": tuple(labels), "reading": reading, **own, **further}
        )
