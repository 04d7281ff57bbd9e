"""Orders that are learned from what the model answers to training texts (Lu et al., 2022)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.orders.entropy import LogPOf, arranged_by, global_entropy, local_entropy
from promptkit.types import Example

Entropy = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class GlobalEntropyOrder:
    """The order under which the model's answers are spread most evenly over the labels.

    It is one order for all queries, so all queries must be shown the same demonstrations.

    Args:
        seed: Seed of the orders that are tried, where not all of them are.
    """

    entropy: Entropy = staticmethod(global_entropy)

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, pool: Sequence[Example]) -> GlobalEntropyOrder:
        """Forget an order that was learned before."""
        self.ids_: tuple[str, ...] = ()
        return self

    def learn(
        self, shots: Sequence[Example], rows: Sequence[Example], log_p_of: LogPOf
    ) -> tuple[str, ...]:
        """Ids of the shots in the order of the greatest entropy; see `arranged_by`."""
        found = arranged_by(self.entropy, shots, rows, log_p_of, self.seed)
        self.ids_ = tuple(shot.id for shot in found)
        return self.ids_

    def learned(self) -> tuple[str, ...]:
        """What `learn` gave; empty before."""
        return self.ids_

    def take(self, ids: Sequence[str]) -> None:
        """Take up what `learn` gave."""
        self.ids_ = tuple(ids)

    def arrange(self, query: Example, shots: Sequence[Example]) -> list[Example]:
        """The learned order; one that stands in for a shot that is the query itself comes first."""
        place = {name: number for number, name in enumerate(self.ids_)}
        return sorted(shots, key=lambda shot: place.get(shot.id, -1))


class LocalEntropyOrder(GlobalEntropyOrder):
    """The order under which the model is least sure of each answer; otherwise the same."""

    entropy: Entropy = staticmethod(local_entropy)
