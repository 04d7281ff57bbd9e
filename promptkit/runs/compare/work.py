"""What a stretch of work took, counted: tokens, operations, joules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from promptkit.backends.flops import Flops
from promptkit.protocols import Strategy
from promptkit.runs.energy import Energy


@dataclass(frozen=True)
class Work:
    """Counts of a fit, or of a row as a mean over rows.

    Args:
        prompt_tokens: Tokens of what was asked, once a row.
        computed_tokens: Token positions that went through the model, padding and every epoch
            included.
        new_tokens: Tokens that it wrote.
        flops: Floating-point operations of the model, see `promptkit.backends.flops`.
        joules: What the processor's counters say; None where there are none.
    """

    prompt_tokens: float = 0.0
    computed_tokens: float = 0.0
    new_tokens: float = 0.0
    flops: float = 0.0
    joules: float | None = None

    def over(self, n: int) -> Work:
        """Of each of n rows, as a mean."""
        return Work(
            self.prompt_tokens / n,
            self.computed_tokens / n,
            self.new_tokens / n,
            self.flops / n,
            None if self.joules is None else self.joules / n,
        )


class Counted:
    """Becomes the work of a block when the block ends.

    Attributes:
        work: The counts.
    """

    work = Work()


@contextmanager
def counted(strategy: Strategy) -> Iterator[Counted]:
    """Counts what a strategy does inside."""
    counts, energy, before = Counted(), Energy(), strategy.cost
    with Flops() as flops:
        yield counts
    spent = strategy.cost - before
    counts.work = Work(
        spent.prompt_tokens, spent.computed_tokens, spent.new_tokens, flops.total, energy.joules()
    )
