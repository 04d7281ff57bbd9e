"""Self-training: a strategy learns from rows without labels too, labelled by itself.

It is fitted on the labelled rows, labels those of the others that it is sure of, and is fitted
again on both (Scudder 1965; Yarowsky 1995), for some rounds. How sure it may be is learned from
labelled rows that were held out: the fitted one is surer of all rows than it has reason to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration import CALIBRATORS
from promptkit.errors import SpecError
from promptkit.protocols import NO_CONTEXT, FitContext, Learned, Strategy
from promptkit.selectors.copies import copy_key
from promptkit.strategies.base_record import read_facts, write_facts
from promptkit.strategies.classified import targets_of
from promptkit.strategies.cross_fitted import CrossFitted
from promptkit.strategies.inner import inner_strategy
from promptkit.strategies.option_checks import check_numbers
from promptkit.strategies.pseudo_labels import confident
from promptkit.strategies.reading import Reading
from promptkit.strategies.rows import check_rows_given, digits_of
from promptkit.strategies.several import Tally, part_of
from promptkit.types import Cost, Evidence, Example, Prediction, Scalar

_FACTS = "self_training.json"


class SelfTraining:
    """Fits another strategy several times, each time with rows that the fit before has labelled.

    Every round labels all rows anew, so that a label that was wrong need not stay. A row without a
    label that is a copy of a labelled one is left out. The temperature that says how sure a fit may
    be is learned once, by cross-fitting on the labelled rows: from their own labels later fits
    learn nothing about that. With fewer than ten labelled rows there is none.

    Args:
        labels: The task's labels.
        reading: How a row becomes text.
        unlabelled: Rows whose labels are not read; on the command line and in YAML, their file.
        of: The strategy that is fitted, such as ``features``, ``full`` or ``contrastive``.
        of_options: Its own options.
        label_rows: Rows that the template gives, for a strategy that learns from them.
        model: ``minilm``, a folder, or a hub id.
        threshold: The least calibrated probability of a label that a row is given.
        rounds: How often rows are labelled and learned from, at most; it ends before where a round
            labels none, or the rows of the round before.
        per_labelled: Rows that a label is given in a round, at most, as a multiple of those that
            it has.
        seed: Of the strategy, and of the folds.
        device: Where the model runs.
        dtype: Number format of the model.

    Raises:
        SpecError: No such strategy, or one that learns no fixed set of labels.
    """

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        unlabelled: Sequence[Example] = (),
        of: str = "features",
        of_options: Mapping[str, Any] | None = None,
        label_rows: Sequence[Example] = (),
        model: str = "minilm",
        threshold: float = 0.8,
        rounds: int = 2,
        per_labelled: int = 4,
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        check_rows_given("unlabelled", unlabelled)
        self.labels, self.reading, self.unlabelled = labels, reading, unlabelled
        self.of, self.of_options, self.label_rows = of, of_options, label_rows
        self.model, self.seed, self.device, self.dtype = model, seed, device, dtype
        self.threshold, self.rounds, self.per_labelled = threshold, rounds, per_labelled
        self.fitted_ = self._make()
        self.rounds_: list[int] = []
        self._tally = Tally()

    @property
    def cost(self) -> Cost:
        """What all fits and predictions have taken so far."""
        return self._tally.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Fit on the labelled rows, then in rounds on those that it labelled as well.

        A fit that is killed begins anew, and takes up the checkpoints of the fit that it was in.

        Raises:
            DataError: No row, or one whose label the task does not have.
            SpecError: An option that cannot be what it is.
        """
        self._check()
        targets = targets_of(train, self.labels)
        most = self.per_labelled * np.bincount(targets, minlength=len(self.labels))
        n = 2 + self.rounds
        self.fitted_, self.rounds_ = self._fitted(train, part_of(context, 0, n)), []
        rows = distinct(self.unlabelled, train)
        learned = self._calibrated(train, targets, part_of(context, 1, n)) if rows else None
        before: list[tuple[int, int]] = []
        for turn in range(self.rounds if rows else 0):
            log_p, learned_by = self._log_p(self.fitted_, rows), learned
            if learned_by is not None:
                log_p = CALIBRATORS.build("temperature", {}).apply(log_p, learned_by)
            names = [row.id for row in rows]
            chosen = confident(log_p, self.threshold, most.tolist(), names)
            if not chosen or chosen == before:
                break
            pseudo = [
                # an id of its own: two files may count their rows alike
                Example(f"unlabelled/{rows[row].id}", rows[row].fields, self.labels[label])
                for row, label in chosen
            ]
            self.fitted_ = self._fitted([*train, *pseudo], part_of(context, 2 + turn, n))
            self.rounds_.append(len(chosen))
            before = chosen
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """The evidence of the last fit; its kind tells how many rows were labelled for it."""
        with self._tally.of(self.fitted_):
            found = self.fitted_.gather(examples)
        told = f"{self.pseudo_labelled_:,} pseudo-labelled rows"
        return [replace(one, kind=f"{one.kind}, {told}") for one in found]

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """As the strategy concludes."""
        return self.fitted_.conclude(examples, evidence)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    @property
    def pseudo_labelled_(self) -> int:
        """Rows that the last fit learned beside the labelled ones."""
        return self.rounds_[-1] if self.rounds_ else 0

    @property
    def chosen_(self) -> str:
        """How many rows were labelled, for people."""
        return f"{self.pseudo_labelled_:,} pseudo-labelled rows"

    def card_facts(self) -> dict[str, Any]:
        """What a reader of a saved model wants to know about its training."""
        rounds = ", ".join(f"{n:,}" for n in self.rounds_) or "none"
        own: Mapping[str, Any] = getattr(self.fitted_, "card_facts", dict)()
        return {"strategy that was fitted": self.of, "pseudo-labelled rows": rounds, **own}

    def describe(self) -> Mapping[str, Any]:
        """Its options, the strategy's own description, and the content of the rows."""
        return {
            "name": "self_training",
            "of": dict(self._make().describe()),
            "threshold": self.threshold,
            "rounds": self.rounds,
            "per_labelled": self.per_labelled,
            "seed": self.seed,
            "unlabelled": digits_of(self.unlabelled),
        }

    def save(self, folder: Path) -> None:
        """Write the last fit as its strategy does, and how many rows were labelled."""
        self.fitted_.save(folder)
        write_facts(folder / _FACTS, {"rounds": self.rounds_})

    def restore(self, folder: Path) -> Self:
        """Take it up again; needs no rows.

        Raises:
            StoreError: A file is missing or broken.
        """
        self.rounds_ = list(read_facts(folder / _FACTS, "rounds")["rounds"])
        self.fitted_ = self._make().restore(folder)
        return self

    def _make(self) -> Strategy:
        """The strategy, not fitted."""
        names = ("labels", "reading", "label_rows", "model", "seed", "device", "dtype")
        shared = {name: getattr(self, name) for name in names}
        return inner_strategy("self_training", self.of, self.of_options, shared)

    def _fitted(self, rows: Sequence[Example], context: FitContext) -> Strategy:
        one = self._make()
        with self._tally.of(one):
            one.fit(rows, context)
        return one

    def _calibrated(
        self, train: Sequence[Example], targets: NDArray[np.int64], context: FitContext
    ) -> Learned | None:
        """What held-out labelled rows say of how sure a fit may be; None where they are too few."""
        temperature = CALIBRATORS.build("temperature", {})
        if len({copy_key(row) for row in train}) < max(2, temperature.least_rows):
            return None
        crossed = CrossFitted(self._make, seed=self.seed)
        with self._tally.of(crossed):
            crossed.fit(train, context)
            log_p = np.array([one.log_p for one in crossed.gather(train)])
        return temperature.learn(log_p, targets)

    def _log_p(self, one: Strategy, rows: Sequence[Example]) -> NDArray[np.float64]:
        with self._tally.of(one):
            return np.array([found.log_p for found in one.gather(rows)])

    def _check(self) -> None:
        if not len(self.unlabelled):
            raise SpecError(
                "strategy 'self_training' learns from rows without labels too; name their file "
                "with --option unlabelled=FILE"
            )
        check_numbers(
            whole={"rounds": self.rounds, "per_labelled": self.per_labelled},
            above_0={},
            shares={"threshold": self.threshold},
        )


def distinct(rows: Sequence[Example], train: Sequence[Example]) -> list[Example]:
    """The rows that are no copy of a training row, each text once, in an order of their own."""
    known = {copy_key(row) for row in train}
    found: dict[str, Example] = {}
    for row in sorted(rows, key=lambda row: row.id):
        if copy_key(row) not in known:
            found.setdefault(copy_key(row), row)
    return list(found.values())
