"""What a comparison planned and did not finish, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from promptkit.report.design import listed
from promptkit.report.figures import allowed_time
from promptkit.report.plain import plain
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.nouns import Plan, Size, size_name


@dataclass(frozen=True)
class Gap:
    """Cells of one entry that are missing for one reason.

    Args:
        entry: Name of the entry.
        sizes: The sizes that they belong to.
        missing: How many are missing for that reason.
        planned: How many were planned at these sizes.
        reason: Why, in words.
    """

    entry: str
    sizes: tuple[Size, ...]
    missing: int
    planned: int
    reason: str

    def sentence(self, name: Callable[[str], str] = plain) -> str:
        """The gap in a line.

        Args:
            name: How entries are called.
        """
        at = f"{listed([size_name(size) for size in self.sizes])} labelled rows"
        many = f"{self.missing} of {self.planned} cells" if self.planned else "no numbers"
        return f"{name(self.entry)}, {at}: {many} {plain(self.reason)}"


def gaps_of(comparison: Comparison) -> list[Gap]:
    """Everything that is missing, in the order of entries."""
    counts: dict[tuple[str, str], dict[Size, int]] = {}

    def count(entry: str, size: Size, reason: str, n: int = 1) -> None:
        sizes = counts.setdefault((entry, reason), {})
        sizes[size] = sizes.get(size, 0) + n

    for planned in comparison.plan.cells:
        if planned.dropped:
            count(planned.entry.name, planned.size, dropped_reason(comparison.plan))
    for cell in comparison.cells:
        if cell.problem:
            count(cell.entry, cell.size, f"failed: {cell.problem}")
    told = {(entry, size) for (entry, _), sizes in counts.items() for size in sizes}
    for line in comparison.lines:
        if (line.entry.name, line.size) not in told and line.problem:
            missing = max(line.cells_planned - line.cells_done, 0)
            count(line.entry.name, line.size, f"missing: {line.problem}", missing)
    order = {entry.name: place for place, entry in enumerate(comparison.plan.entries)}
    place = {size: at for at, size in enumerate(comparison.plan.sizes)}
    gaps = [
        Gap(
            entry,
            tuple(sorted(sizes, key=lambda size: place.get(size, -1))),
            sum(sizes.values()),
            _planned(comparison, entry, sizes),
            reason,
        )
        for (entry, reason), sizes in counts.items()
    ]
    return sorted(gaps, key=lambda gap: order.get(gap.entry, len(order)))


def dropped_reason(plan: Plan) -> str:
    """Why planned cells were not computed."""
    if plan.budget_seconds is None:
        return "left out"
    return f"left out to keep to the budget of {allowed_time(plan.budget_seconds)}"


def _planned(comparison: Comparison, entry: str, sizes: dict[Size, int]) -> int:
    cells = comparison.plan.cells
    return sum(cell.entry.name == entry and cell.size in sizes for cell in cells)
