"""Telling rows of none of the labels from those of some label, by one score a row.

A higher score says that a row belongs: the probability of the most probable label (Hendrycks and
Gimpel 2017), the log of the summed evidence (the negative energy of Liu et al. 2020), or minus the
distance to the nearest row that was learned from. A row is taken for in scope where its score lies
above a threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from promptkit.errors import DataError
from promptkit.metrics.bootstrap import interval
from promptkit.metrics.exact import share
from promptkit.metrics.rows import Floats, Ints
from promptkit.types import Score

#: Share of the in-scope rows that a threshold keeps where nothing else is known.
KEPT = 0.95

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Scope:
    """How well rows of no label are found.

    Args:
        auroc: Probability that an in-scope row has a higher score than one out of scope.
        false_positive_rate: Share of rows out of scope that are kept where 95% of these very
            in-scope rows are.
        above: A row is kept where its score lies above it.
        kept: Share of in-scope rows that are kept there.
        caught: Share of rows out of scope that are not.
        accuracy: Share of all rows that are right: kept and given their label, or caught.
        f1: F1 of the label "out of scope"; 0 where nothing was caught.
    """

    auroc: Score
    false_positive_rate: Score
    above: float
    kept: Score
    caught: Score
    accuracy: Score
    f1: Score

    @property
    def scores(self) -> tuple[Score, ...]:
        """All of them, in the order in which they are reported."""
        return (
            self.auroc,
            self.false_positive_rate,
            self.kept,
            self.caught,
            self.accuracy,
            self.f1,
        )


def scope_of(
    score: ArrayLike,
    inside: ArrayLike,
    right: ArrayLike,
    above: float,
    *,
    seed: int = 0,
    resamples: int = 2000,
) -> Scope:
    """How well a threshold does on rows of which it is known where they belong.

    Args:
        score: (n,) higher for rows that belong; minus infinity where there is no prediction.
        inside: (n,) whether the row is of one of the labels.
        right: (n,) whether the label predicted for it is right; not read for the others.
        above: The threshold.
        seed: Seed of the resampling.
        resamples: How many resamples.

    Raises:
        DataError: All rows are in scope, or none is.
    """
    found, own = np.asarray(score, np.float64), np.asarray(inside, np.bool_)
    n_in, n_out = int(own.sum()), int((~own).sum())
    if not n_in or not n_out:
        missing = "out of scope" if n_in else "in scope"
        raise DataError(f"none of the {len(own):,} rows is {missing}, so that nothing can be told")
    taken = found > above
    hits, caught = np.asarray(right, np.bool_) & taken & own, ~taken & ~own
    passed = found[~own] > keeping_threshold(found[own])
    return Scope(
        auroc=auroc(found[own], found[~own], seed=seed, resamples=resamples),
        false_positive_rate=share("false_positive_rate_at_95", int(passed.sum()), n_out),
        above=float(above),
        kept=share("in_scope_kept", int((taken & own).sum()), n_in),
        caught=share("out_of_scope_caught", int(caught.sum()), n_out),
        accuracy=share("accuracy_with_out_of_scope", int((hits | caught).sum()), len(own)),
        f1=_f1(taken, own, seed, resamples),
    )


def auroc(inside: ArrayLike, outside: ArrayLike, *, seed: int = 0, resamples: int = 2000) -> Score:
    """Probability that an in-scope row has a higher score than one out of scope.

    It is the statistic of Mann and Whitney (1947) over the number of pairs; a pair of equal scores
    counts as half. The interval is of rows drawn with replacement, those of each kind apart.

    Raises:
        DataError: There are no rows of one kind.
    """
    ins, outs = np.asarray(inside, np.float64), np.asarray(outside, np.float64)
    if not len(ins) or not len(outs):
        raise DataError("AUROC needs rows in scope and rows out of scope")
    values, place = np.unique(np.concatenate([ins, outs]), return_inverse=True)
    m, (a, b) = len(values), np.split(place, [len(ins)])
    value = _auroc(np.bincount(a, minlength=m), np.bincount(b, minlength=m))
    rng = np.random.default_rng([seed, 5])
    drawn = [
        _auroc(
            np.bincount(a[rng.integers(len(a), size=len(a))], minlength=m),
            np.bincount(b[rng.integers(len(b), size=len(b))], minlength=m),
        )
        for _ in range(resamples)
    ]
    return Score("out_of_scope_auroc", value, *interval(np.array(drawn)), len(ins) + len(outs))


def keeping_threshold(inside: ArrayLike, kept: float = KEPT) -> float:
    """The highest threshold above which at least this share of the in-scope rows lies.

    It lies just below the score of the last row that is kept.
    """
    found = np.sort(np.asarray(inside, np.float64))
    if not len(found):
        raise DataError("a threshold needs in-scope rows to be chosen on, and there is none")
    most_left_out = int((1 - kept) * len(found) + 1e-9)
    return float(np.nextafter(found[most_left_out], -inf))


def balanced_threshold(inside: ArrayLike, outside: ArrayLike) -> float:
    """The threshold with the highest mean of the share kept and the share caught.

    Of several the lowest, which keeps the most.
    """
    ins, outs = np.sort(np.asarray(inside, float)), np.sort(np.asarray(outside, float))
    if not len(ins) or not len(outs):
        raise DataError("a balanced threshold needs rows in scope and rows out of scope")
    lines = np.concatenate([[-inf], np.unique(np.concatenate([ins, outs]))])
    lines = np.unique(lines)
    kept = 1 - np.searchsorted(ins, lines, side="right") / len(ins)
    caught = np.searchsorted(outs, lines, side="right") / len(outs)
    return float(lines[np.argmax(kept + caught)])


def log_sum(evidence: Floats) -> Floats:
    """(n,) log of the summed exponentials of (n, k) raw evidence: the negative energy.

    Normalised evidence has none to give: it sums to one in every row.
    """
    most = evidence.max(axis=1)
    return np.asarray(most + np.log(np.exp(evidence - most[:, None]).sum(axis=1)))


def _auroc(ins: Ints, outs: Ints) -> float:
    """From how many rows of each kind have each value, from the lowest up."""
    below = np.cumsum(outs) - outs
    return float((ins * (below + 0.5 * outs)).sum() / (ins.sum() * outs.sum()))


def _f1(taken: Bools, own: Bools, seed: int, resamples: int) -> Score:
    """F1 of "out of scope", from how many were caught, missed and caught wrongly."""
    caught, missed = int((~taken & ~own).sum()), int((taken & ~own).sum())
    wrongly, n = int((~taken & own).sum()), len(own)
    counts = np.array([caught, missed, wrongly, n - caught - missed - wrongly])
    rng = np.random.default_rng([seed, 6])
    drawn = rng.multinomial(n, counts / n, size=resamples)[:, :3]
    ends = interval(_f1_of(*drawn.T)) if resamples else (None, None)
    return Score("out_of_scope_f1", float(_f1_of(*counts[:3])), *ends, n)


def _f1_of(caught: Ints, missed: Ints, wrongly: Ints) -> Floats:
    total = 2 * np.asarray(caught) + missed + wrongly
    return np.asarray(2 * np.asarray(caught) / np.maximum(total, 1), np.float64)
