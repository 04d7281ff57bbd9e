"""What a comparison would do, and what it would take: a table before the work."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from promptkit.report.design import budget_text, detectable_text, listed, plan_facts
from promptkit.report.figures import MISSING, duration, short_time
from promptkit.report.layout import FAINT, MIND, bullets, heading, pairs, table
from promptkit.report.plain import cell
from promptkit.report.standing import entry_names
from promptkit.runs.compare.nouns import Plan, Planned, size_name

ORDER = (
    "Computed first, whatever the budget: what is always kept, such as baselines, zero-shot "
    "prompts and features. Then the others with all labelled rows, then with fewer, the largest "
    "size first; each draw by draw, the cheapest first. What no longer fits is left out."
)


def plan_table(plan: Plan) -> RenderableType:
    """Entries, cells and predicted times, the budget, and what it leaves out."""
    parts: list[RenderableType] = [
        pairs((name, Text(value)) for name, value in plan_facts(plan)),
        heading("predicted time of one cell, by number of labelled rows"),
        _times(plan),
        Text(),
        pairs(_totals(plan)),
    ]
    dropped = [planned for planned in plan.cells if planned.dropped]
    if plan.budget_seconds is not None:
        parts += [Text(), Text(ORDER, FAINT)]
    if dropped:
        lines = [Text(line, MIND) for line in _dropped(plan, dropped)]
        parts += [heading("left out, the most wanted first"), bullets(lines)]
    if plan.notes:
        parts += [heading("notes"), bullets([cell(note) for note in plan.notes])]
    return Group(*parts)


def plan_line(plan: Plan) -> str:
    """The plan on one line, for those who did not ask for the table."""
    kept = sum(not planned.dropped for planned in plan.cells)
    left_out = len(plan.cells) - kept
    return (
        f"{len(plan.entries)} ways, {kept:,} cells, about {duration(plan.seconds)}"
        + (f" ({left_out:,} cells left out to keep the budget)" if left_out else "")
        + f"; these rows can show {detectable_text(plan)}"
    )


def _times(plan: Plan) -> Table:
    """A line per entry; times of dropped cells stand in brackets."""
    name = entry_names(plan.entries)
    heads = [_head(plan, place) for place in range(len(plan.sizes))]
    made = table("strategy", *heads, "cells", "together")
    for entry in plan.entries:
        own = [planned for planned in plan.cells if planned.entry.name == entry.name]
        each = [_time([x for x in own if x.size == size]) for size in plan.sizes]
        kept = [planned for planned in own if not planned.dropped]
        together = short_time(sum(planned.seconds for planned in kept)) if kept else MISSING
        made.add_row(Text(name(entry.name)), *each, _count(kept, own), together)
    return made


def _totals(plan: Plan) -> list[tuple[str, Text]]:
    kept = [planned for planned in plan.cells if not planned.dropped]
    done = sum(planned.seconds == 0 for planned in kept)
    lines = [
        ("cells", Text(_count(kept, plan.cells))),
        ("together", Text(f"about {duration(plan.seconds)}")),
        ("budget", Text(budget_text(plan))),
    ]
    if done:
        said = f"{done:,} cells that are stored already, or that could not be tried"
        lines.append(("0 s", Text(said)))
    return lines


def _head(plan: Plan, place: int) -> str:
    size = plan.sizes[place]
    counts = {planned.n_train for planned in plan.cells if planned.size is None}
    # Folds differ by a row or two; then the number would be one of several.
    return f"all ({counts.pop():,})" if size is None and len(counts) == 1 else size_name(size)


def _time(cells: Sequence[Planned]) -> Text:
    if not cells:
        return Text(MISSING)
    mean = fmean(planned.seconds for planned in cells)
    text = short_time(mean) if mean else "0 s"
    return Text(f"({text})", FAINT) if all(one.dropped for one in cells) else Text(text)


def _count(kept: Sequence[Planned], planned: Sequence[Planned]) -> str:
    if len(kept) == len(planned):
        return f"{len(kept):,}"
    return f"{len(kept):,} of {len(planned):,}"


def _dropped(plan: Plan, dropped: Sequence[Planned]) -> list[str]:
    """A line for each entry and size, in the order in which cells would have been computed."""
    name = entry_names(plan.entries)
    counts: dict[tuple[str, str], int] = {}
    for planned in dropped:
        key = planned.entry.name, size_name(planned.size)
        counts[key] = counts.get(key, 0) + 1
    joined: dict[tuple[str, int], list[str]] = {}
    for (entry, size), n in counts.items():
        joined.setdefault((entry, n), []).append(size)
    return [
        f"{name(entry)}, {listed(sizes)} labelled rows: {n} cells"
        + (" each" if len(sizes) > 1 else "")
        for (entry, n), sizes in joined.items()
    ]
