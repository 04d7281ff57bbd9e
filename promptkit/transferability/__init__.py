"""How promising features are for a task, without training on them: one pass, and linear algebra.

A score takes (n, w) features and (n,) targets, and is higher where the labels are easier to tell.
Scores of different kinds are on different scales; what one is worth is measured in docs/log.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import DataError, SpecError
from promptkit.plugins import imported, plugins_of, the_only
from promptkit.transferability.h_score import h_score
from promptkit.transferability.leep import leep, nleep
from promptkit.transferability.logme import logme
from promptkit.transferability.separability import fisher, neighbours, ridge

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

__all__ = ["SCORES", "Score", "leep", "prepared", "scored"]


@dataclass(frozen=True)
class Score:
    """A way to judge features.

    Args:
        measure: (n, w) features and (n,) targets in, one number out.
        title: What a table calls it.
        unit: What its numbers are.
        source: Where it is from.
    """

    measure: Callable[[Floats, Places], float]
    title: str
    unit: str
    source: str


_BUILT_IN: Mapping[str, Score] = {
    "logme": Score(logme, "LogME", "nats a row", "You et al. 2021"),
    "h_score": Score(h_score, "H-score", "variance between labels", "Ibrahim et al. 2022"),
    "nleep": Score(nleep, "NLEEP", "nats a row", "Li et al. 2021"),
    "knn": Score(neighbours, "kNN", "accuracy", "five neighbours by cosine, row left out"),
    "ridge": Score(ridge, "linear probe", "accuracy", "ridge regression, row left out"),
    "fisher": Score(fisher, "Fisher", "between over within", "Fisher 1936"),
}


class Scores(Mapping[str, Score]):
    """The scores by name: promptkit's own, and those that other packages bring.

    An entry point of the group ``promptkit.score`` names a `Score`; it is imported when it is
    looked up. A built-in name keeps its meaning.
    """

    kind = "score"

    def __getitem__(self, name: str) -> Score:
        if name in _BUILT_IN:
            return _BUILT_IN[name]
        found = [one for one in plugins_of(self.kind) if one.name == name]
        if not found:
            raise KeyError(name)
        plugin = the_only(found)
        score = imported(plugin)
        if not isinstance(score, Score):
            raise SpecError(
                f"{plugin.told}: {plugin.attribute} is no promptkit.transferability.Score; "
                f"{plugin.remedy}"
            )
        return score

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*_BUILT_IN, *(one.name for one in plugins_of(self.kind))]))

    def __len__(self) -> int:
        return len(list(iter(self)))


SCORES = Scores()


def prepared(features: NDArray[np.floating]) -> Floats:
    """Features centred, with a variance of 1 in the mean: no score hangs on their scale or origin.

    Args:
        features: (n, w).
    """
    centred = np.asarray(features, np.float64)
    centred = centred - centred.mean(axis=0)
    spread = float(np.sqrt((centred**2).mean()))
    return np.asarray(centred / spread if spread > 0 else centred)


def scored(
    features: NDArray[np.floating], targets: Places, names: Mapping[str, Score] = SCORES
) -> dict[str, float]:
    """Every score of the same features.

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1, two labels at least.
        names: Which.

    Raises:
        DataError: Fewer than two labels, or than three rows.
    """
    if len(targets) < 3 or len(np.unique(targets)) < 2:
        raise DataError("features are judged on three rows and two labels at least")
    own = prepared(features)
    return {name: score.measure(own, targets) for name, score in names.items()}
