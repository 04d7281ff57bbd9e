"""What scikit-learn estimators over learned strategies share.

A subclass has an ``__init__`` that stores its arguments, among them ``fields`` and ``template``,
and says in ``_strategy`` which strategy they make.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from promptkit.errors import DataError
from promptkit.estimators.classifier import TextClassifier, check_lengths
from promptkit.estimators.labels import check_classes, classes_of, golds_of, plain_label
from promptkit.estimators.refused import refusing
from promptkit.estimators.rows import reading_of
from promptkit.estimators.tables import Table
from promptkit.prompts import Template
from promptkit.protocols import Strategy
from promptkit.strategies.reading import Reading
from promptkit.types import Cost, Scalar


class LearnedClassifier(TextClassifier, ABC):
    """Fits a strategy on labelled rows, and predicts with it; see `TextClassifier`.

    Attributes:
        fields: Stored by the subclass. Names of the fields to read, one name, or None for
            ``text`` (or the only column there is).
        template: Stored by the subclass. An in-box name, a path or a `Template` that renders each
            row, or None for the row's own text.
        cost_: What the fit took.
    """

    fields: str | Sequence[str] | None
    template: str | Template | None

    @abstractmethod
    def _strategy(self, labels: Sequence[Scalar], reading: Reading) -> Strategy:
        """The strategy that the arguments make, not fitted yet."""

    @refusing
    def fit(self, X: Any, y: Any) -> Self:
        """Learn from labelled rows.

        Args:
            X: (n,) rows.
            y: (n,) labels.

        Raises:
            DataError: Rows or labels that cannot be used.
            SpecError: An option that cannot be what it is.
        """
        table = self._table(X)
        golds = golds_of(y, warn=True)
        classes = classes_of(golds, "y")
        check_lengths(table.n, len(golds))
        check_classes(golds, classes)
        labels = [plain_label(label) for label in classes]
        reading = self._reading(table, labels)
        if len(labels) < 2:
            raise DataError(
                f"y has 1 class, {labels[0]!r}, in {table.n} rows; a classifier learns to tell two "
                "or more apart: give rows of another label"
            )
        self._note_fields(table, reading.fields)
        train = [
            replace(row, label=plain_label(gold))
            for row, gold in zip(self._examples(table), golds, strict=True)
        ]
        strategy = self._strategy(labels, reading)
        before = strategy.cost
        self._hold(strategy.fit(train), labels, reading)
        self.classes_ = classes
        self.cost_: Cost = strategy.cost - before
        return self

    def _reading(self, table: Table, labels: Sequence[Scalar]) -> Reading:
        """What is read of a row."""
        return reading_of(table, self.fields, self.template, labels)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
