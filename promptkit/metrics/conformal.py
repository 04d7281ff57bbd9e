"""Label sets that hold the right label as often as is said (Vovk, Gammerman and Shafer 2005).

Split conformal prediction: how badly the right label does is measured on n rows that were not
learned from, and a set takes in every label that does no worse than nearly all of those. Where the
new rows are like these, a set holds the right label with probability ``level`` at least, whatever
the model; the probability is over the n rows too, so that the coverage of one run lies around the
level, spread by about ``sqrt(level * (1 - level) / n)``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import DataError, SpecError
from promptkit.metrics.exact import share
from promptkit.metrics.rows import Floats, Ints
from promptkit.types import Scalar, Score

Bools = NDArray[np.bool_]
Method = Literal["least", "adaptive"]


@dataclass(frozen=True)
class Conformal:
    """A rule for sets, learned from n rows.

    Args:
        method: ``least``, see `least_scores`, or ``adaptive``, see `adaptive_scores`.
        level: Probability with which a set holds the right label.
        most: A label belongs to the set where its score is at most this.
        n: Rows that it was learned from.
    """

    method: Method
    level: float
    most: float
    n: int

    @property
    def expected(self) -> tuple[float, float]:
        """Where the coverage of new rows lies in 95 of 100 draws of the n rows (Vovk 2012)."""
        from scipy.special import betaincinv

        place = _place(self.n, self.level)
        low, high = betaincinv(place, self.n + 1 - place, [0.025, 0.975])
        return float(low), float(high)

    def sets(self, p: Floats, draws: Floats) -> Bools:
        """(n, k) whether each label belongs to the row's set.

        Args:
            p: (n, k) probabilities.
            draws: (n,) see `draws_of`; read by ``adaptive`` alone.
        """
        return np.asarray(_scores(self.method, p, draws) <= self.most)


@dataclass(frozen=True)
class SetReport:
    """How sets do on rows whose right label is known.

    Args:
        coverage: Share of sets that hold it.
        mean_size: Labels of a set on average.
        n_empty: Sets without a label: the row is like none that was learned from.
        n_single: Sets of one label.
        by_label: Share of sets that hold it, of the rows of each label.
    """

    coverage: Score
    mean_size: float
    n_empty: int
    n_single: int
    by_label: tuple[tuple[Scalar, Score], ...]


def conformal(
    p: Floats, gold: Ints, level: float, draws: Floats, method: Method = "least"
) -> Conformal:
    """Learn a rule from n rows that the model has not seen.

    Args:
        p: (n, k) probabilities.
        gold: (n,) the place of each row's right label.
        level: Between 0 and 1.
        draws: (n,) see `draws_of`; read by ``adaptive`` alone.
        method: ``least`` or ``adaptive``.

    Raises:
        SpecError: A level that is not between 0 and 1.
        DataError: Too few rows for the level.
    """
    if not 0 < level < 1:
        raise SpecError(f"conformal sets at level {level:g}: it must be between 0 and 1")
    own = _scores(method, p, draws)[np.arange(len(gold)), gold]
    return Conformal(method, level, _quantile(own, level), len(gold))


def set_report(sets: Bools, gold: Ints, labels: Sequence[Scalar]) -> SetReport:
    """How the sets of n rows do.

    Args:
        sets: (n, k) from `Conformal.sets`.
        gold: (n,) the place of each row's right label.
        labels: The k labels.
    """
    held = sets[np.arange(len(gold)), gold]
    sizes = sets.sum(axis=1)
    by_label = tuple(
        (label, share("set_coverage", int(held[gold == place].sum()), int((gold == place).sum())))
        for place, label in enumerate(labels)
    )
    return SetReport(
        coverage=share("set_coverage", int(held.sum()), len(held)),
        mean_size=float(sizes.mean()) if len(sizes) else 0.0,
        n_empty=int((sizes == 0).sum()),
        n_single=int((sizes == 1).sum()),
        by_label=by_label,
    )


def least_scores(p: Floats) -> Floats:
    """(n, k) one minus a label's probability (Sadinle, Lei and Wasserman 2019).

    Sets of the least mean size; a row of which no label is probable enough has an empty one.
    """
    return 1 - p


def adaptive_scores(p: Floats, draws: Floats) -> Floats:
    """(n, k) the probability of all labels above a label, and a drawn part of its own.

    Adaptive sets (Romano, Sesia and Candès 2020): larger where a row is hard, so that coverage is
    more even over rows than that of the least sets. Of labels that are equally probable the one
    that is declared first stands above.
    """
    order = np.argsort(-p, axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=1)
    score = np.cumsum(ranked, axis=1) - ranked + draws[:, None] * ranked
    found = np.empty_like(p)
    np.put_along_axis(found, order, score, axis=1)
    return found


def draws_of(ids: Sequence[str], seed: int = 0) -> Floats:
    """(n,) a number from 0 to 1 for each row, which depends on its id and on nothing else."""
    found = []
    for row_id in ids:
        name = f"{seed}/conformal/{row_id}".encode(errors="surrogatepass")
        found.append(int.from_bytes(hashlib.sha256(name).digest()[:6], "big") / 2**48)
    return np.array(found, np.float64)


def _scores(method: Method, p: Floats, draws: Floats) -> Floats:
    return least_scores(p) if method == "least" else adaptive_scores(p, draws)


def _quantile(scores: Floats, level: float) -> float:
    """The score at place ``ceil((n + 1) * level)`` of n, from the lowest.

    The new row is one of n + 1 that are alike: its score is among the lowest so many with at least
    that probability.
    """
    n = len(scores)
    place = _place(n, level)
    if place > n:
        needed = ceil(level / (1 - level) - 1e-9)
        raise DataError(
            f"conformal sets at level {level:g} need {needed:,} labelled rows that were not "
            f"learned from, and there are {n:,}; give more with --train-data, or ask for less"
        )
    return float(np.sort(scores)[place - 1])


def _place(n: int, level: float) -> int:
    return max(ceil((n + 1) * level - 1e-9), 1)
