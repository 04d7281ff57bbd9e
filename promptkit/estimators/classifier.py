"""What all classifiers share: predictions, pickling, and what scikit-learn asks of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from promptkit.estimators.held import Held
from promptkit.estimators.reads_rows import ReadsRows
from promptkit.estimators.refused import InputRefused, refusing
from promptkit.estimators.rows import ids_by_content
from promptkit.protocols import Strategy


class TextClassifier(ReadsRows, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Predicts with a fitted strategy.

    A subclass has an ``__init__`` that stores its arguments, makes its strategy in ``_strategy``,
    and hands it to `_hold` at the end of ``fit``.

    Rows may be a list or array of texts, a Series, a data frame (of pandas, polars, pyarrow or
    datasets) or a list of mappings that hold the fields, or an (n, m) array with the fields as
    columns.

    Attributes:
        classes_: (k,) labels, sorted, in the order of the columns of `predict_proba`.
        n_features_in_: Number of fields.
        feature_names_in_: Their names; there where X had names for its columns in `fit`.
        strategy_: The fitted strategy. A pickle holds what it learned and not the model, which is
            loaded again when it is first needed.
    """

    classes_: NDArray[Any]
    _strategy: Callable[..., Strategy]
    _held: Held

    @property
    def strategy_(self) -> Strategy:
        """The fitted strategy."""
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; call fit first")
        return self._held.strategy

    @refusing
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, k) natural logarithms of probabilities, in the order of ``classes_``.

        Raises:
            DataError: A row could not be read or scored; a probability is never made up.
        """
        check_is_fitted(self)
        rows = ids_by_content(self._examples(self._table(X)))
        if not rows:
            return np.empty((0, len(self.classes_)))
        predictions = self.strategy_.predict(rows)
        for row, prediction in zip(rows, predictions, strict=True):
            if prediction.log_p is None:
                raise InputRefused(f"row {row.id!r} cannot be scored: {prediction.problem}")
        return np.array([prediction.log_p for prediction in predictions], np.float64)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, k) probabilities in the order of ``classes_``.

        Raises:
            DataError: A row could not be read or scored; a probability is never made up.
        """
        proba: NDArray[np.float64] = np.exp(self.predict_log_proba(X))
        return proba

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) the most probable label of each row."""
        proba = self.predict_proba(X)  # first, for it checks that there are classes
        predicted: NDArray[Any] = self.classes_[proba.argmax(axis=1)]
        return predicted

    def __sklearn_is_fitted__(self) -> bool:
        return "_held" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.dict = True
        # an array may have the fields as columns, but not any array will do: one of numbers says
        # nothing to a language model. The suite of scikit-learn feeds numbers; docs/sklearn.md
        # says how it is put to the estimators all the same.
        tags.input_tags.two_d_array = False
        return tags

    def _hold(self, strategy: Strategy, *recipe: Any) -> None:
        """Keep the fitted strategy, and the arguments of ``_strategy`` that it was made with."""
        # of its own, so that a later set_params changes nothing that was fitted
        unfitted = type(self)(**self.get_params(deep=False))
        make = partial(unfitted._strategy, *recipe)
        self._held = Held(make, strategy, unfitted._weights_told(*recipe))

    def _weights_told(self, *recipe: Any) -> Callable[[], str | None] | None:
        """Tells the hash of the model's weights; None where the strategy looks after that."""
        return None


def check_lengths(n_rows: int, n_labels: int) -> None:
    """X and y must be as long.

    Raises:
        InputRefused: They are not.
    """
    if n_rows != n_labels:
        raise InputRefused(f"X has {n_rows} rows and y has {n_labels}; they must be as many")
