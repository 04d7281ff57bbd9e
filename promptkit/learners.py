"""Protocols of parts that learn by asking the model, before the first row is predicted.

Like those of `promptkit.protocols`, they hold no behaviour. What a part learned is kept by its
strategy, so that a run that goes on does not ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from promptkit.types import Example

#: What demonstrations are worth for rows that are set apart, more being better.
WorthOf = Callable[[Sequence[Example], Sequence[Example]], float]


@runtime_checkable
class LearnsOrder(Protocol):
    """An order that is found by asking the model about training texts."""

    def learn(
        self,
        shots: Sequence[Example],
        rows: Sequence[Example],
        log_p_of: Callable[[Sequence[Example], Sequence[Example]], NDArray[np.float64]],
    ) -> tuple[str, ...]:
        """Ids of the shots in the order found; `arrange` keeps to it from now on.

        Args:
            shots: What every query is shown.
            rows: Training rows that are asked about, their labels not to be read.
            log_p_of: From shots in some order and rows, (n, k) log-probabilities of the labels,
                NaN in all k where a row could not be scored.
        """
        ...

    def learned(self) -> tuple[str, ...]:
        """What `learn` gave; empty before."""
        ...

    def take(self, ids: Sequence[str]) -> None:
        """Take up what `learn` gave."""
        ...


@runtime_checkable
class LearnsShots(Protocol):
    """A selector that finds one set of demonstrations for all queries by asking the model.

    Attributes:
        budget: Sets that are tried at most.
    """

    budget: int

    def bar(self, texts: Collection[str]) -> None:
        """Texts of rows by whose labels nothing may be judged; see `promptkit.selectors.copies`."""
        ...

    def search(self, k: int, worth_of: WorthOf) -> tuple[str, ...]:
        """Ids of the k rows found; `select` shows them from now on.

        Args:
            k: Rows to show.
            worth_of: From demonstrations, and rows that are none of them, to how well they serve.
        """
        ...

    def searched(self) -> tuple[str, ...]:
        """What `search` gave; empty before."""
        ...

    def take(self, ids: Sequence[str]) -> None:
        """Take up what `search` gave."""
        ...


@runtime_checkable
class LearnsWords(Protocol):
    """A verbalizer that learns from rows without labels which of a label's words to listen to."""

    def refine(self, log_p: NDArray[np.float64], owners: Sequence[int]) -> None:
        """Learn; `pool` keeps to it from now on.

        Args:
            log_p: (n, c) log-probability of each word for each row.
            owners: (c,) place of the label that each word stands for.
        """
        ...

    def refined(self) -> Mapping[str, NDArray[np.float64]]:
        """What was learned, as arrays; empty before."""
        ...

    def take(self, learned: Mapping[str, NDArray[np.float64]]) -> None:
        """Take up what `refined` gave."""
        ...
