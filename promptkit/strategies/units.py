"""What of a row has a label, as fine-tuning sees it: the row has one, or it has several.

Words of a row are in `promptkit.strategies.word_units`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from promptkit.strategies.classified import conclude, evidence_of, spread, targets_of
from promptkit.strategies.label_sets import chosen, label_matrix
from promptkit.strategies.pooling import Pooling
from promptkit.strategies.pretrained import Pretrained
from promptkit.strategies.reading import Reading
from promptkit.types import Evidence, Example, Prediction, Scalar


@dataclass(frozen=True)
class Logits:
    """What a head gives for some rows.

    Args:
        values: (m, s) for all of their vectors.
        seen: (s,) places of the labels that were learned.
        k: Labels of the task.
        kind: What evidence of it is called.
        cut: Characters of each row that were not read.
    """

    values: torch.Tensor
    seen: Sequence[int]
    k: int
    kind: str
    cut: Sequence[int]


class Unit(Protocol):
    """How rows with their labels become what is trained on, and logits become evidence.

    Attributes:
        pooling: How states become vectors; None is the model's own way, one vector a row.
    """

    pooling: Pooling | None

    def targets(
        self, train: Sequence[Example], labels: Sequence[Scalar]
    ) -> tuple[NDArray[np.int64], list[Any]]:
        """(s,) places of the labels that are learned, and what each row's targets are.

        Raises:
            DataError: No row, or one whose label the task does not have.
        """
        ...

    def ids(
        self, base: Pretrained, reading: Reading, rows: Sequence[Example]
    ) -> tuple[list[list[int]], list[int]]:
        """Each row's token ids, and the characters that did not fit."""
        ...

    def count(self, rows: Sequence[Example]) -> int:
        """How many vectors rows have."""
        ...

    def read(self, targets: Sequence[Any], ids: Sequence[Sequence[int]]) -> list[Any]:
        """Targets of what the model reads of each row."""
        ...

    def stratum(self, targets: Any) -> int:
        """By what rows are held out: of each value the same share."""
        ...

    def whole(self, targets: Sequence[Any]) -> NDArray[Any]:
        """The targets of all vectors of some rows."""
        ...

    def evidence(self, rows: Sequence[Example], said: Logits) -> list[Evidence]:
        """What logits say of each row."""
        ...

    def conclude(
        self, rows: Sequence[Example], evidence: Sequence[Evidence], labels: Sequence[Scalar]
    ) -> list[Prediction]:
        """A prediction of each row."""
        ...


class OneLabel:
    """A row has one label."""

    pooling: Pooling | None = None

    def targets(
        self, train: Sequence[Example], labels: Sequence[Scalar]
    ) -> tuple[NDArray[np.int64], list[Any]]:
        """The labels that occur, and of each row the place of its label among them."""
        seen, local = np.unique(targets_of(train, labels), return_inverse=True)
        return seen, local.tolist()

    def ids(
        self, base: Pretrained, reading: Reading, rows: Sequence[Example]
    ) -> tuple[list[list[int]], list[int]]:
        """Of the row's text."""
        return base.ids([reading(row) for row in rows])

    def count(self, rows: Sequence[Example]) -> int:
        """One a row."""
        return len(rows)

    def read(self, targets: Sequence[Any], ids: Sequence[Sequence[int]]) -> list[Any]:
        """A row's label is that of its beginning too."""
        return list(targets)

    def stratum(self, targets: Any) -> int:
        """The label."""
        return int(targets)

    def whole(self, targets: Sequence[Any]) -> NDArray[Any]:
        """(n,) places."""
        return np.array(targets, np.int64)

    def evidence(self, rows: Sequence[Example], said: Logits) -> list[Evidence]:
        """(k,) normalised log-probabilities."""
        log_p = spread(said.values.double().log_softmax(1).numpy(), said.seen, said.k)
        return evidence_of(rows, log_p, said.kind, said.cut)

    def conclude(
        self, rows: Sequence[Example], evidence: Sequence[Evidence], labels: Sequence[Scalar]
    ) -> list[Prediction]:
        """The most probable label."""
        return conclude(rows, evidence, labels)


class SeveralLabels(OneLabel):
    """A row has any number of labels: a logit for each, and a loss of its own (cross-entropy)."""

    def targets(
        self, train: Sequence[Example], labels: Sequence[Scalar]
    ) -> tuple[NDArray[np.int64], list[Any]]:
        """All labels, and of each row 1 for those that it has."""
        return np.arange(len(labels)), label_matrix(train, labels).tolist()

    def stratum(self, targets: Any) -> int:
        """Rows are held out without regard to their labels."""
        return 0

    def whole(self, targets: Sequence[Any]) -> NDArray[Any]:
        """(n, k)."""
        return np.array(targets, np.float64)

    def evidence(self, rows: Sequence[Example], said: Logits) -> list[Evidence]:
        """(k,) the log-probability of each label that the row has it."""
        log_p = torch.nn.functional.logsigmoid(said.values.double()).numpy()
        return evidence_of(rows, log_p, said.kind, said.cut)

    def conclude(
        self, rows: Sequence[Example], evidence: Sequence[Evidence], labels: Sequence[Scalar]
    ) -> list[Prediction]:
        """The labels of one half and more."""
        return [chosen(one, np.array(one.log_p), labels) for one in evidence]
