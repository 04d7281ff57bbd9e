"""Any number of labels a row: a yes-or-no question about each of them, by a strategy of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from promptkit.prompts.parts_asked import about_label
from promptkit.protocols import NO_CONTEXT, FitContext, Strategy
from promptkit.strategies.label_sets import chosen
from promptkit.strategies.several import Tally, joined, part_of
from promptkit.types import Cost, Evidence, Example, Prediction, Scalar


class BinaryRelevance:
    """Kind ``multilabel`` by binary relevance (Tsoumakas and Katakis 2007).

    Each label has a strategy whose labels are True and False; they may share a model, and what it
    has computed. A row has the labels whose probability is at least one half. Where the strategy
    of one label has no answer, the row is unscored: a set without that label would be a guess.

    Args:
        members: The strategy of each label, in the order of every (k,) array.
    """

    def __init__(self, members: Mapping[Scalar, Strategy]) -> None:
        self.members = dict(members)
        self._tally = Tally()

    @property
    def cost(self) -> Cost:
        """What all members have done so far."""
        return self._tally.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Fit each member on whether rows have its label."""
        for place, (label, member) in enumerate(self.members.items()):
            with self._tally.of(member):
                rows = [about_label(row, label) for row in train]
                member.fit(rows, part_of(context, place, len(self.members)))
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Each row's evidence about every label, kept apart in `Evidence.members`."""
        found = []
        for label, member in self.members.items():
            with self._tally.of(member):
                found.append(member.gather([about_label(row, label) for row in examples]))
        return [joined(own[0].example_id, own) for own in zip(*found, strict=True)]

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """The labels of each row, from those that every member is sure of."""
        said = [
            member.conclude(
                [about_label(row, label) for row in examples],
                [one.members[place] for one in evidence],
            )
            for place, (label, member) in enumerate(self.members.items())
        ]
        labels = tuple(self.members)
        return [_together(found, own, labels) for found, *own in zip(evidence, *said, strict=True)]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def describe(self) -> Mapping[str, Any]:
        """What its members say of themselves, which is the same of each."""
        first = dict(next(iter(self.members.values())).describe())
        return {**first, "each_label": True}

    def card_facts(self) -> dict[str, Any]:
        """What the card of a saved model tells of the fit."""
        return {"labels that were learned one by one": len(self.members)}

    def save(self, folder: Path) -> None:
        """Each member in a folder of its own."""
        for place, member in enumerate(self.members.values()):
            (folder / str(place)).mkdir()
            member.save(folder / str(place))

    def restore(self, folder: Path) -> Self:
        """Take them up again.

        Raises:
            StoreError: A file is missing or broken.
        """
        for place, member in enumerate(self.members.values()):
            member.restore(folder / str(place))
        return self


def _together(found: Evidence, own: Sequence[Prediction], labels: tuple[Scalar, ...]) -> Prediction:
    """One prediction from those about each label, whose first place is that the row has it."""
    unsaid = next((place for place, one in enumerate(own) if one.label is None), None)
    if unsaid is not None:
        why = f"label {labels[unsaid]!r}: {own[unsaid].problem}"
        return Prediction(found.example_id, None, None, found.kind, problem=why)
    decided = any(one.log_p is None for one in own)
    present = [
        (0.0 if one.label is True else -np.inf) if one.log_p is None else one.log_p[0]
        for one in own
    ]
    return chosen(found, np.array(present, np.float64), labels, decided=decided)
