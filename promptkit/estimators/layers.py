"""Frozen layers as a scikit-learn transformer, for pipelines of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from promptkit.backends.feature_cache import features_home
from promptkit.backends.hidden import HiddenStates, check_poolings, hidden_states, layer_places
from promptkit.errors import SpecError
from promptkit.estimators.rows import examples_of_records, reading_of, records_of
from promptkit.prompts import Template


class LayerFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turns texts into what layers of a pre-trained model make of them; nothing is learned.

    Args:
        model: ``minilm``, a folder of any text model of transformers, or a hub id.
        layers: A number, from 0 (the embedding) up or from -1 (the last) down; a list of numbers;
            or ``all``. Several stand side by side.
        pooling: ``mean``, ``cls`` (the first token), ``last`` or ``max``.
        normalise: Whether each layer's vector is brought to length 1.
        fields: Names of the fields to read, or one name; by default ``text`` or the only column.
        template: Renders each row instead: an in-box name, a path, or a `Template`; one that leaves
            its labels open needs them, as ``find_template(name).with_labels([...])``.
        batch_size: Texts of a batch, or ``auto``.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: Number format of the model.
        cache: Whether what is computed is kept on disk, below PROMPTKIT_HOME. Within a process a
            text is computed once in any case.

    Rows may come as for `FeatureClassifier`.

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.pipeline import make_pipeline
        >>> model = make_pipeline(LayerFeatures(layers=[-2, -1]), LogisticRegression())
        >>> model.fit(texts, labels)  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str = "minilm",
        layers: int | str | Sequence[int] = -1,
        pooling: str = "mean",
        normalise: bool = False,
        fields: str | Sequence[str] | None = None,
        template: str | Template | None = None,
        batch_size: int | str = "auto",
        device: str = "auto",
        dtype: str = "auto",
        cache: bool = False,
    ) -> None:
        self.model = model
        self.layers = layers
        self.pooling = pooling
        self.normalise = normalise
        self.fields = fields
        self.template = template
        self.batch_size = batch_size
        self.device = device
        self.dtype = dtype
        self.cache = cache

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Learn nothing; see that the options can be.

        Raises:
            SpecError: A layer that the model does not have, or an unknown pooling.
        """
        check_poolings([self.pooling])
        self._places()
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """(n, w * number of layers) features.

        Raises:
            DataError: Rows that cannot be read.
            SpecError: A layer that the model does not have, or an unknown pooling.
        """
        check_poolings([self.pooling])
        reading = reading_of(X, self.fields, self.template)
        rows = examples_of_records(records_of(X, reading.fields), reading.fields)
        places = self._places()
        if not rows:
            return np.empty((0, len(places) * self._states().width), np.float32)
        texts = [reading(row) for row in rows]
        states = self._states().pooled(texts, [self.pooling], places)[self.pooling]
        if self.normalise:
            length = np.linalg.norm(states, axis=-1, keepdims=True)
            states = states / np.where(length > 0, length, 1)
        return states.reshape(len(rows), -1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Such as ``layer6_0``: the layer, and the number's place in it."""
        width = self._states().width
        names = [f"layer{place}_{number}" for place in self._places() for number in range(width)]
        return np.array(names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.requires_fit = False
        tags.no_validation = True
        return tags

    def _places(self) -> list[int]:
        """The layers, counted from the embedding."""
        n_states = self._states().n_layers + 1
        if self.layers == "all":
            return list(range(n_states))
        if isinstance(self.layers, str):
            raise SpecError(
                f"option 'layers' is {self.layers!r}; it must be a number, a list of numbers or "
                "'all'"
            )
        return layer_places(
            [self.layers] if isinstance(self.layers, int) else self.layers, n_states
        )

    def _states(self) -> HiddenStates:
        return hidden_states(
            self.model,
            batch_size=self.batch_size,  # type: ignore[arg-type]
            device=self.device,
            dtype=self.dtype,
            cache=features_home() if self.cache else None,
        )
