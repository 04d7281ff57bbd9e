"""Frozen layers as a scikit-learn transformer, for pipelines of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from promptkit.backends.feature_cache import features_home
from promptkit.backends.hidden import HiddenStates, check_poolings, hidden_states, layer_places
from promptkit.errors import DataError, SpecError
from promptkit.estimators.reads_rows import ReadsRows
from promptkit.estimators.refused import InputRefused, refusing
from promptkit.estimators.rows import examples_of_table, reading_of
from promptkit.estimators.tables import Table
from promptkit.prompts import Template
from promptkit.strategies.reading import Reading


class LayerFeatures(ReadsRows, TransformerMixin, BaseEstimator):  # type: ignore[misc]
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

    Attributes:
        n_features_in_: Number of fields; there after `fit`.
        feature_names_in_: Their names; there where X had names for its columns in `fit`.

    Rows may come as for `FeatureClassifier`. `set_output` makes data frames of pandas or polars.

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

    @refusing
    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Learn nothing; see that the options can be, and remember which fields there are.

        Raises:
            DataError: Rows that cannot be read.
            SpecError: A layer that the model does not have, or an unknown pooling.
        """
        check_poolings([self.pooling])
        self._places()
        if X is not None:
            table = self._table(X)
            if not table.n:
                raise DataError(
                    "X holds no rows; fit looks at their fields: leave X out, or give some"
                )
            reading = self._reading(table)
            self._note_fields(table, reading.fields)
            self._examples(table)
        return self

    @refusing
    def transform(self, X: Any) -> NDArray[np.float32]:
        """(n, w * number of layers) features.

        Raises:
            DataError: Rows that cannot be read.
            SpecError: A layer that the model does not have, or an unknown pooling.
        """
        check_poolings([self.pooling])
        table = self._table(X)
        reading = self._reading(table)
        if hasattr(self, "_fields"):
            rows = self._examples(table)
        else:
            rows = examples_of_table(table, reading.fields)
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
        """Such as ``layer6_0``: the layer, and the number's place in it.

        Args:
            input_features: Names of the columns that went in, of no meaning here; where they are
                given, they must be those that `fit` saw.

        Raises:
            ValueError: They are others.
        """
        if input_features is not None:
            self._check_names(list(input_features))
        width = self._states().width
        names = [f"layer{place}_{number}" for place in self._places() for number in range(width)]
        return np.array(names, dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.dict = True
        tags.input_tags.two_d_array = False  # not any array will do; see `TextClassifier`
        tags.transformer_tags.preserves_dtype = []  # numbers come out, whatever goes in
        tags.requires_fit = False
        return tags

    def _reading(self, table: Table) -> Reading:
        """What is read of a row: what `fit` found, or what the rows themselves say."""
        if self.template is None and hasattr(self, "_fields"):
            return Reading(self._fields)
        return reading_of(table, self.fields, self.template)

    def _check_names(self, given: list[Any]) -> None:
        names, width = getattr(self, "_columns", None) or (None, len(given))
        if names is not None and given != list(names):
            raise InputRefused(
                "input_features is not equal to feature_names_in_, or to the further columns that "
                f"fit saw: {', '.join(names)}"
            )
        if len(given) != width:
            raise InputRefused(
                f"input_features should have length equal to number of features ({width}), got "
                f"{len(given)}"
            )

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
