"""A strategy fitted several times, so that a training row is answered by one that never saw it.

What a model says of rows that it learned from says nothing about how sure it may be of others. The
rows are dealt into folds, a copy of the strategy is fitted on all folds but one, and answers the
rows of that one (cross-fitting; Stone 1974). No registry names it: it is made of another strategy,
for a run that chooses thresholds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from promptkit.errors import DataError, StoreError
from promptkit.protocols import NO_CONTEXT, FitContext, Strategy
from promptkit.selectors.copies import copy_key
from promptkit.selectors.draw import ranker
from promptkit.strategies.several import Tally, part_of
from promptkit.types import Cost, Evidence, Example, Prediction, label_key

#: Parts that the training rows are dealt into.
FOLDS = 5
_FILE = "folds.json"


class CrossFitted:
    """K copies of a strategy, each fitted without one fold of the training rows.

    A row is answered by the copy that saw neither it nor a copy of its text; one that no copy saw
    is answered by one that its text alone decides.

    Args:
        make: Builds the strategy, not fitted. It is called once for each fold, and once more.
        folds: How many folds; fewer where there are fewer texts.
        seed: Which text goes into which fold.
    """

    def __init__(self, make: Callable[[], Strategy], folds: int = FOLDS, seed: int = 0) -> None:
        self.make, self.folds, self.seed = make, folds, seed
        self._unfitted = make()
        self.fitted_: list[Strategy] = []
        self._tally = Tally()

    @property
    def cost(self) -> Cost:
        """What all copies have done so far; they may share one model, and so one meter."""
        return self._tally.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Deal the rows into folds, and fit a copy without each.

        Raises:
            DataError: A row has no label, or all rows are copies of one text.
        """
        parts = self._dealt(train)
        n = 1 + max(parts.values())
        self.fitted_, self.folds_ = [], parts
        for fold in range(n):
            kept = [row for row in train if parts[_name(row)] != fold]
            one = self.make()
            self.fitted_.append(one)
            with self._tally.of(one):
                one.fit(kept, part_of(context, fold, n))
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Each row's evidence from the copy that did not see it."""
        found: dict[int, Evidence] = {}
        by_fold: dict[int, list[int]] = {}
        for place, row in enumerate(examples):
            by_fold.setdefault(self.fold_of(row), []).append(place)
        for fold, places in sorted(by_fold.items()):
            rows = [examples[place] for place in places]
            with self._tally.of(self.fitted_[fold]) as one:
                found |= dict(zip(places, one.gather(rows), strict=True))
        return [found[place] for place in range(len(examples))]

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """As the strategy concludes."""
        return self._unfitted.conclude(examples, evidence)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def fold_of(self, row: Example) -> int:
        """The copy that answers a row."""
        name = _name(row)
        return self.folds_.get(name, int(name[:8], 16) % len(self.fitted_))

    def describe(self) -> Mapping[str, Any]:
        """Its name, its folds, and the strategy's own description."""
        return {
            "name": "cross_fitted",
            "folds": self.folds,
            "folds_seed": self.seed,
            "strategy": dict(self._unfitted.describe()),
        }

    def save(self, folder: Path) -> None:
        """Write each copy into a folder of its own, and which texts it did not see."""
        for fold, one in enumerate(self.fitted_):
            (folder / str(fold)).mkdir()
            one.save(folder / str(fold))
        (folder / _FILE).write_text(json.dumps([len(self.fitted_), self.folds_]), encoding="utf-8")

    def restore(self, folder: Path) -> Self:
        """Take them up again.

        Raises:
            StoreError: A file is missing or broken.
        """
        try:
            n, self.folds_ = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{folder / _FILE}: cannot be read ({error}); save the model again"
            ) from error
        self.fitted_ = [self.make().restore(folder / str(fold)) for fold in range(n)]
        return self

    def _dealt(self, train: Sequence[Example]) -> dict[str, int]:
        """The fold of each text: those of a label are dealt out in turn, in a drawn order."""
        labels: dict[str, str] = {}
        for row in sorted(train, key=lambda row: row.id):
            if row.label is None:
                raise DataError(f"training row {row.id!r} has no label to learn from")
            labels.setdefault(_name(row), repr(label_key(row.label)))
        if len(labels) < 2:
            raise DataError(
                f"{len(train)} training rows of {len(labels)} different text(s) cannot be answered "
                "by a model that has not seen them; give more with --train-data FILE"
            )
        rank = ranker(self.seed, "folds")
        ordered = sorted(labels, key=lambda name: (labels[name], rank(name)))
        return {name: place % min(self.folds, len(labels)) for place, name in enumerate(ordered)}


def _name(row: Example) -> str:
    """What a row and its copies share."""
    return hashlib.sha256(copy_key(row).encode(errors="surrogatepass")).hexdigest()
