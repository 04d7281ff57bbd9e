"""What scikit-learn estimators over learned strategies share.

A subclass has an ``__init__`` that stores its arguments, among them ``fields`` and ``template``,
and says in ``_strategy`` which strategy they make.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from promptkit.errors import DataError
from promptkit.estimators.labels import classes_of, golds_of, plain_label
from promptkit.estimators.rows import examples_of_records, reading_of, records_of
from promptkit.prompts import Template
from promptkit.protocols import Strategy
from promptkit.strategies.reading import Reading
from promptkit.types import Cost, Example, Scalar


class LearnedClassifier(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Fits a strategy on labelled rows, and predicts with it.

    Rows may be a list or array of texts, a Series, a data frame or a list of mappings that hold
    the fields, or an (n, m) array with the fields as columns.

    Attributes:
        fields: Stored by the subclass. Names of the fields to read, one name, or None for
            ``text`` (or the only column there is).
        template: Stored by the subclass. An in-box name, a path or a `Template` that renders each
            row, or None for the row's own text.
        classes_: (k,) labels, sorted, in the order of the columns of `predict_proba`.
        n_features_in_: Number of fields.
        strategy_: The fitted strategy.
        cost_: What the fit took.
    """

    fields: str | Sequence[str] | None
    template: str | Template | None

    @abstractmethod
    def _strategy(self, labels: Sequence[Scalar], reading: Reading) -> Strategy:
        """The strategy that the arguments make, not fitted yet."""

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from labelled rows.

        Args:
            X: (n,) rows.
            y: (n,) labels.

        Raises:
            DataError: Rows or labels that cannot be used.
            SpecError: An option that cannot be what it is.
        """
        golds = golds_of(y)
        self.classes_ = classes_of(golds, "y")
        labels = [plain_label(label) for label in self.classes_]
        reading = reading_of(X, self.fields, self.template, labels)
        records = records_of(X, reading.fields)
        if len(golds) != len(records):
            raise DataError(
                f"X has {len(records)} rows and y has {len(golds)}; they must be as many"
            )
        self.n_features_in_ = len(reading.fields)
        rows = examples_of_records(records, reading.fields)
        train = [
            replace(row, label=plain_label(gold)) for row, gold in zip(rows, golds, strict=True)
        ]
        strategy = self._strategy(labels, reading)
        before = strategy.cost
        self._fields = reading.fields
        self.strategy_ = strategy.fit(train)
        self.cost_: Cost = strategy.cost - before
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, k) probabilities in the order of ``classes_``.

        Raises:
            DataError: A row could not be read; a probability is never made up.
        """
        check_is_fitted(self, "strategy_")
        rows = self._rows(X)
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
        tags.target_tags.required = True
        tags.no_validation = True
        return tags

    def _rows(self, X: Any) -> tuple[Example, ...]:
        return examples_of_records(records_of(X, self._fields), self._fields)
