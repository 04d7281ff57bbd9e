"""Two worlds in which the truth is known, to hold intervals and tests against.

In `fixed_test` rows have a difficulty and every draw of the training rows a skill, and whether an
entry is right is a matter of both. In `cross_validated` nothing is assumed about folds: real, small
classifiers are trained and tested on folds of rows drawn from a known source.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.special import ndtri

#: How alike two entries are: correlation of what a row, and a draw, does to them.
ROWS_ALIKE, DRAWS_ALIKE = 0.6, 0.3


def fixed_test(
    rng: np.random.Generator,
    accuracies: list[float],
    *,
    n: int,
    n_draws: int,
    shift: float,
    noise: float = 0.4,
) -> Any:
    """(m, D, n) right or wrong; over rows and draws, entry j is right with ``accuracies[j]``.

    An entry is right where a normal number is above a threshold. The number is a sum of the row's
    difficulty, the draw's skill (deviation ``shift``) and noise of this draw on this row; it has
    variance 1. A shift of 0.1 moves an accuracy of 0.8 by 0.028 from draw to draw, 0.2 by 0.056.
    """
    m = len(accuracies)

    def alike(shape: tuple[int, int], share: float) -> Any:
        common, own = rng.normal(size=(1, *shape)), rng.normal(size=(m, *shape))
        return np.sqrt(share) * common + np.sqrt(1 - share) * own

    rows = np.sqrt(1 - shift**2 - noise**2) * alike((1, n), ROWS_ALIKE)
    draws = shift * alike((n_draws, 1), DRAWS_ALIKE)
    threshold = ndtri(np.array(accuracies))[:, None, None]
    return rows + draws + noise * rng.normal(size=(m, n_draws, n)) + threshold > 0


N_SHARED, N_OWN, DISTANCE = 4, 4, 0.35


def source(rng: np.random.Generator, n: int, m: int) -> tuple[Any, Any]:
    """(n, features) rows of two classes, as many of each, and their labels.

    Entry j sees the shared features and its own ones, so that all entries are equally good and
    fail on the same rows more often than by chance.
    """
    gold = np.arange(n) % 2
    rows = rng.normal(size=(n, N_SHARED + m * N_OWN)) + DISTANCE * (2 * gold - 1)[:, None]
    return rows, gold


def seen_by(entry: int) -> list[int]:
    """Places of the features that an entry sees."""
    first = N_SHARED + entry * N_OWN
    return [*range(N_SHARED), *range(first, first + N_OWN)]


def nearest_mean(train: Any, labels: Any, test: Any) -> Any:
    """A steady learner: the class whose mean is nearest."""
    means = [train[labels == label].mean(axis=0) for label in (0, 1)]
    far = [((test - mean) ** 2).sum(axis=1) for mean in means]
    return (far[1] < far[0]).astype(int)


def nearest_row(train: Any, labels: Any, test: Any) -> Any:
    """A jumpy learner: the label of the nearest training row."""
    far = (train**2).sum(axis=1) - 2 * test @ train.T
    return labels[far.argmin(axis=1)]


LEARNERS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "nearest mean": nearest_mean,
    "nearest row": nearest_row,
}


def cross_validated(
    rng: np.random.Generator, learner: str, *, m: int, n: int, k: int, repeats: int
) -> Any:
    """(repeats * k, m) accuracies of m equally good entries on the same stratified folds."""
    rows, gold = source(rng, n, m)
    found = []
    for _ in range(repeats):
        fold = np.empty(n, dtype=int)
        for label in (0, 1):
            places = rng.permutation(np.flatnonzero(gold == label))
            fold[places] = np.arange(len(places)) % k
        for held in range(k):
            train, test = fold != held, fold == held
            found.append(
                [
                    np.mean(
                        LEARNERS[learner](rows[train][:, at], gold[train], rows[test][:, at])
                        == gold[test]
                    )
                    for at in map(seen_by, range(m))
                ]
            )
    return np.array(found)


@cache
def expected_accuracy(learner: str, n_train: int) -> float:
    """Accuracy over training sets of this size and over rows, to about 0.001."""
    rng = np.random.default_rng([7, n_train])
    found = []
    for _ in range(1500):
        train, labels = source(rng, n_train, 1)
        test, gold = source(rng, 500, 1)
        found.append(np.mean(LEARNERS[learner](train, labels, test) == gold))
    return float(np.mean(found))
