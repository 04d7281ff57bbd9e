"""Several strategies that stand for one: what they cost together, and how far their fits are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from promptkit.protocols import FitContext, OnStep, Step, Strategy
from promptkit.types import Cost, Evidence


class Tally:
    """What strategies did while it watched; they may share one model, and so one meter."""

    def __init__(self) -> None:
        self.cost = Cost()

    @contextmanager
    def of(self, one: Strategy) -> Iterator[Strategy]:
        """Count what a strategy does inside."""
        before = one.cost
        try:
            yield one
        finally:
            self.cost += one.cost - before


def joined(example_id: str, own: Sequence[Evidence]) -> Evidence:
    """A row's evidence from several questions about it, kept apart in `Evidence.members`."""
    return Evidence(
        example_id,
        (),
        kind=own[0].kind,
        shots=tuple(dict.fromkeys(shot for one in own for shot in one.shots)),
        dropped_shots=max(one.dropped_shots for one in own),
        cut_chars=max(one.cut_chars for one in own),
        members=tuple(own),
    )


def part_of(context: FitContext, place: int, n: int) -> FitContext:
    """One fit of n: a folder of its own, and progress counted on from the fits before."""
    folder = None if context.folder is None else context.folder / f"part-{place}"
    if folder is not None:
        folder.mkdir(exist_ok=True)

    def on_step(step: Step, told: OnStep = context.on_step) -> None:
        told(Step(place * step.total + step.done, n * step.total, step.loss, step.score))

    return FitContext(folder, on_step)
