"""What other data sets showed of the ways in the box: a prior for the verdict.

With 50 labelled rows an accuracy is known to within ten points, and the best of ten ways is often
the luckiest. On other data sets the same ways were measured on thousands of test rows; what was
found there counts here as much as some held-out rows would. It moves verdicts where rows are few,
and is outvoted by a few hundred of them. The tables of a comparison show measurements alone.

The figures are those of ``bench/regret.py prior``; ``docs/decisions/0010-experience.md`` tells how
they were judged, each data set by figures that were made without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.metrics.choice import Prior
from promptkit.runs.compare.entries import OFFERS
from promptkit.runs.compare.nouns import Entry

#: Accuracy on whole test splits, the mean over data sets, draws and sizes (50, 150, 300 rows).
SEEN: Mapping[str, float] = {
    "majority": 0.317,
    "random": 0.275,
    "zero-shot": 0.594,
    "zero-shot-batch": 0.609,
    "tfidf": 0.460,
    "nearest-neighbour": 0.572,
    "features": 0.716,
    "few-shot": 0.599,
    "few-shot-batch": 0.604,
    "contrastive": 0.736,
    # twelve settings of 36 to 150 rows, as far from "features" there
    "head": 0.616,
    "bitfit": 0.629,
    "lora": 0.645,
    "top-layers": 0.629,
    "full": 0.651,
}
#: Held-out rows that this counts as much as.
WORTH = 200.0
#: The model that was measured. What holds for it says little about a language model.
MODEL = "minilm"


def experience(
    entries: Sequence[Entry],
    measured: NDArray[np.float64],
    seen: Mapping[str, float] = SEEN,
    worth: float = WORTH,
) -> Prior | None:
    """The prior of these entries; None where fewer than two of them were seen before.

    Only differences are known: the entries that were seen are expected as high, in the mean, as
    they were measured. One of which nothing is known is expected where it was measured.

    Args:
        entries: Those that are weighed.
        measured: (m,) their accuracies on the rows at hand.
        seen: Mean accuracy on other data sets by name of the offer.
        worth: How many held-out rows it counts as.
    """
    told = [seen_of(entry, seen) for entry in entries]
    known = [place for place, value in enumerate(told) if value is not None]
    if len(known) < 2 or not worth:
        return None
    means = np.array(measured, np.float64)
    before = np.array([told[place] for place in known], np.float64)
    means[known] = before + (means[known] - before).mean()
    return Prior(means, worth)


def seen_of(entry: Entry, seen: Mapping[str, float] = SEEN) -> float | None:
    """What an entry had elsewhere, or else what its strategy had with other options.

    Without the second, an entry that nobody measured would keep all of its luck on a few rows,
    where the others lose theirs, and would be recommended for being unknown.
    """
    if entry.model not in ("", MODEL):
        return None
    name = entry.name.removesuffix(f" ({entry.model})")  # so named where there are several models
    alike = [own for own, offer in OFFERS.items() if offer.strategy == entry.strategy]
    if name in alike and name in seen and dict(entry.options) == dict(OFFERS[name].options):
        return seen[name]
    values = [seen[own] for own in alike if own in seen]
    return float(np.mean(values)) if values else None
