"""Several prompts about each row, and one answer from all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError, nearest
from promptkit.protocols import NO_CONTEXT, FitContext, Strategy
from promptkit.strategies.several import Tally, joined, part_of
from promptkit.types import Cost, Evidence, Example, Prediction, Scalar, label_key
from promptkit.verbalizers.conclude import log_softmax

How = Literal["mean", "product", "vote"]


class Ensemble:
    """Asks by several strategies and puts their predictions together.

    Prompts that differ in what should not matter (wording, demonstrations, the order in which
    labels are listed) err in different rows; together they err less often than one of them does
    on average, and nobody has to know which one is best.

    A row is answered where at least one member answers it. `Prediction.agreement` is the share of
    those members that say its label, and the kind of evidence tells how many they were.

    Args:
        members: The strategies, over the same labels; they may share a model.
        labels_of: The labels of a row, in the order of every (k,) array.
        how: ``mean`` averages probabilities, ``product`` log-probabilities (a label that one member
            rules out is ruled out), ``vote`` counts labels, and among labels with as many votes
            takes the one with the highest mean probability.

    Raises:
        SpecError: Fewer than two members, or no such way.
    """

    def __init__(
        self,
        members: Sequence[Strategy],
        labels_of: Callable[[Example], Sequence[Scalar]],
        how: How = "mean",
    ) -> None:
        if len(members) < 2:
            raise SpecError(f"an ensemble needs two members or more, got {len(members)}")
        if how not in get_args(How):
            raise SpecError(f"--ensemble: no such way {how!r}; {nearest(how, get_args(How))}")
        self.members, self.labels_of, self.how = members, labels_of, how
        self._tally = Tally()

    @property
    def cost(self) -> Cost:
        """What all members have done so far."""
        return self._tally.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Fit each member on all rows."""
        for place, member in enumerate(self.members):
            with self._tally.of(member):
                member.fit(train, part_of(context, place, len(self.members)))
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Each row's evidence from every member, kept apart in `Evidence.members`."""
        found = []
        for member in self.members:
            with self._tally.of(member):
                found.append(member.gather(examples))
        return [joined(own[0].example_id, own) for own in zip(*found, strict=True)]

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """One prediction from those of all members."""
        said = [
            member.conclude(examples, [one.members[place] for one in evidence])
            for place, member in enumerate(self.members)
        ]
        return [
            together(own, self.labels_of(row), self.how)
            for row, *own in zip(examples, *said, strict=True)
        ]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def describe(self) -> Mapping[str, Any]:
        """Its name, how it puts answers together, and what its members say of themselves."""
        members = [dict(member.describe()) for member in self.members]
        return {"name": "ensemble", "how": self.how, "members": members}

    def save(self, folder: Path) -> None:
        """Each member in a folder of its own."""
        for place, member in enumerate(self.members):
            (folder / str(place)).mkdir()
            member.save(folder / str(place))

    def restore(self, folder: Path) -> Self:
        """Take them up again.

        Raises:
            StoreError: A file is missing or broken.
        """
        for place, member in enumerate(self.members):
            member.restore(folder / str(place))
        return self


def together(own: Sequence[Prediction], labels: Sequence[Scalar], how: How) -> Prediction:
    """One prediction from several about one row; unscored where all of them are.

    Args:
        own: What each member says.
        labels: The row's labels, in the order of ``log_p``.
        how: See `Ensemble`.
    """
    answered = [one for one in own if one.label is not None]
    if not answered:
        return own[0]
    keys = [label_key(label) for label in labels]
    votes = np.zeros(len(labels))
    for one in answered:
        votes[keys.index(label_key(one.label))] += 1
    value, log_p, problem = _pooled(answered, votes, how)
    best = int(np.argmax(value))
    return Prediction(
        example_id=own[0].example_id,
        label=None if problem else labels[best],
        log_p=None if problem or log_p is None else tuple(log_p.tolist()),
        kind=f"{answered[0].kind}, {how} of {len(answered)}",
        tied=int(np.sum(value == value[best])) > 1,
        dropped_shots=max(one.dropped_shots for one in own),
        cut_chars=max(one.cut_chars for one in own),
        problem=problem,
        agreement=None if problem else float(votes[best] / len(answered)),
    )


def _pooled(
    answered: Sequence[Prediction], votes: NDArray[np.float64], how: How
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, str]:
    """(k,) what decides, (k,) log-probabilities if there are any, and what stands against it."""
    if any(one.log_p is None for one in answered):
        return votes, None, ""  # bare decisions have nothing but votes
    log_p = np.array([one.log_p for one in answered], np.float64)
    if how == "product":
        with np.errstate(invalid="ignore"):
            pooled = log_p.mean(axis=0)
        if np.isneginf(pooled).all():
            return pooled, None, "each label is ruled out by a prompt; use --ensemble mean"
        return pooled, log_softmax(pooled), ""
    with np.errstate(divide="ignore"):
        mean = log_softmax(np.log(np.exp(log_p).mean(axis=0)))
    # a mean probability is below 1: it decides between labels with as many votes and no others
    return (votes + np.exp(mean) / 2 if how == "vote" else mean), mean, ""
