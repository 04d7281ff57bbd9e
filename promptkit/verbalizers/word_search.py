"""Which word should stand for which label: chosen by how rows of known labels are answered.

Automatic label words (Gao, Fisch and Chen, 2021): for each label the words that the model itself
finds most probable on that label's rows, then the combination, a word each, that answers most of
the rows rightly. Pure: words are places of columns here, and no model is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Combination:
    """A word for each label, and what it does on the rows that it was chosen on.

    Args:
        columns: (k,) the column of each label's word.
        accuracy: Share of the rows that it answers rightly.
        log_p: Mean log-probability of a row's own label among the labels.
        tried: Combinations that were tried.
    """

    columns: tuple[int, ...]
    accuracy: float
    log_p: float
    tried: int


def top_words(means: Floats, most: int) -> list[list[int]]:
    """For each label the places of its most probable words, the best first.

    Args:
        means: (k, v) mean log-probability of each word over the rows of each label.
        most: Words of a label.
    """
    order = np.argsort(-means, axis=1, kind="stable")[:, :most]
    return [[int(place) for place in row] for row in order]


def choose_words(
    scores: Floats, targets: Places, options: Sequence[Sequence[int]], most: int, seed: int = 0
) -> Combination:
    """The combination with the highest accuracy; among equals the one that is surest of the truth.

    All are tried where they are few enough. Otherwise one label's word is changed at a time for as
    long as that helps, from the first words and then from drawn ones. No word stands for two
    labels.

    Args:
        scores: (n, c) log-probability of each word for each row.
        targets: (n,) each row's label as a number.
        options: For each label the columns of the words that it may have, the best first.
        most: Combinations that are tried at most.
        seed: Seed of the drawn ones.

    Raises:
        ValueError: There is no combination of different words.
    """
    judge = _Judge(scores, targets, most)
    if prod(map(len, options)) <= most:
        for columns in product(*options):
            if len(set(columns)) == len(columns):
                judge.better(columns)
    else:
        for start in _starts(options, np.random.default_rng([seed, 11])):
            _climb(judge, start, options)
            if judge.tried >= most:
                break
    if judge.best is None:
        raise ValueError("no combination of different words")
    (accuracy, log_p), columns = judge.best
    return Combination(columns, accuracy, log_p, judge.tried)


class _Judge:
    """Tries combinations, each once, and remembers the best one."""

    def __init__(self, scores: Floats, targets: Places, most: int) -> None:
        self.scores, self.targets, self.most = scores, targets, most
        self._known: dict[tuple[int, ...], tuple[float, float]] = {}
        self.best: tuple[tuple[float, float], tuple[int, ...]] | None = None

    @property
    def tried(self) -> int:
        """How many were tried."""
        return len(self._known)

    def worth(self, columns: tuple[int, ...]) -> tuple[float, float]:
        """Accuracy, and mean log-probability of the right label."""
        if columns not in self._known:
            self._known[columns] = worth_of(self.scores[:, columns], self.targets)
        return self._known[columns]

    def better(self, columns: tuple[int, ...]) -> bool:
        """Whether it is better than all before; then it is the best."""
        worth = self.worth(columns)
        if self.best is not None and worth <= self.best[0]:
            return False
        self.best = worth, columns
        return True


def worth_of(own: Floats, targets: Places) -> tuple[float, float]:
    """Accuracy, and mean log-probability of the right label.

    Args:
        own: (n, k) log-probability of each label's word.
        targets: (n,)
    """
    right = float(np.mean(own.argmax(axis=1) == targets))
    highest = own.max(axis=1)
    whole = highest + np.log(np.exp(own - highest[:, None]).sum(axis=1))
    return right, float(np.mean(own[np.arange(len(own)), targets] - whole))


def _starts(
    options: Sequence[Sequence[int]], rng: np.random.Generator
) -> Iterator[tuple[int, ...]]:
    """The first words that are still free, then drawn ones; those without a free word end it.

    Labels with the fewest words choose first, so that a word that is one's only one is not gone.
    """
    order = sorted(range(len(options)), key=lambda label: len(options[label]))
    for attempt in range(100):
        taken: dict[int, int] = {}
        for label in order:
            free = [column for column in options[label] if column not in taken.values()]
            if not free:
                break
            taken[label] = free[int(rng.integers(len(free))) if attempt else 0]
        if len(taken) == len(options):
            yield tuple(taken[label] for label in range(len(options)))


def _climb(judge: _Judge, start: tuple[int, ...], options: Sequence[Sequence[int]]) -> None:
    """Change one label's word at a time for as long as that helps and tries are left."""
    columns, worth = start, judge.worth(start)
    judge.better(start)
    moved = True
    while moved:
        moved = False
        for label, own in enumerate(options):
            for column in own:
                if judge.tried >= judge.most:
                    return
                if column in columns:
                    continue
                other = (*columns[:label], column, *columns[label + 1 :])
                found = judge.worth(other)
                if found > worth:
                    columns, worth, moved = other, found, True
                    judge.better(other)
