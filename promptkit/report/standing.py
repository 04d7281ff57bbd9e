"""Where each entry of a comparison stands at the end: its line, its distance from the best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from promptkit.report.plain import LABEL_WIDTH, plain, shorten, shorten_middle
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.nouns import Entry, Line, Plan, Size, size_name

#: Cells of a model's name behind that of an entry.
MODEL_WIDTH = 19

#: Adjusted p-values from here on do not tell two entries apart.
ALPHA = 0.05


@dataclass(frozen=True)
class Standing:
    """An entry with as many rows as there are.

    Args:
        line: Its line at the largest size; at size 0 for an entry that learns from no rows.
        difference: Accuracy minus that of the best entry; None for the best and without numbers.
        p_value: Adjusted p-value of that difference; None where no test was made.
        is_best: Whether it has the highest accuracy of all.
        is_recommended: Whether the verdict names it.
    """

    line: Line
    difference: float | None
    p_value: float | None
    is_best: bool
    is_recommended: bool

    @property
    def is_alike(self) -> bool:
        """Whether a test was made and could not tell it from the best."""
        return self.p_value is not None and self.p_value >= ALPHA

    @property
    def is_partial(self) -> bool:
        """Whether fewer cells stand behind its numbers than were planned."""
        return self.line.accuracy is not None and self.line.cells_done < self.line.cells_planned


def standings(comparison: Comparison) -> list[Standing]:
    """All entries, the most accurate first, those without numbers last."""
    lines = list(final_lines(comparison).values())
    best = _best(lines)
    chosen = comparison.recommendation.entry
    return [
        Standing(
            line=line,
            difference=line.difference,
            p_value=line.p_value,
            is_best=line is best,
            is_recommended=chosen is not None and chosen.name == line.entry.name,
        )
        for line in sorted(lines, key=_rank)
    ]


def final_size(plan: Plan) -> Size:
    """The largest size that was asked for."""
    return plan.sizes[-1] if plan.sizes else None


def final_lines(comparison: Comparison) -> Mapping[str, Line]:
    """By entry, in their order, the line at the largest size, or the only one that it has."""
    found: dict[str, Line] = {}
    size = final_size(comparison.plan)
    for line in comparison.lines:
        if line.size == size or (line.size == 0 and not line.entry.fits):
            found.setdefault(line.entry.name, line)
            if line.size == size:
                found[line.entry.name] = line
    return found


def curves(comparison: Comparison) -> Mapping[str, Mapping[Size, Line]]:
    """By entry, in their order: its lines by size."""
    found: dict[str, dict[Size, Line]] = {entry.name: {} for entry in comparison.plan.entries}
    for line in comparison.lines:
        found.setdefault(line.entry.name, {})[line.size] = line
    return found


def entry_names(entries: Sequence[Entry]) -> Callable[[str], str]:
    """How tables call entries: a model's folder is named without those that it lies in.

    Long names of models lose their middle, since those of a family differ at their ends. Where two
    entries would share a short name, both keep the long one.
    """
    short = {entry.name: _short(entry) for entry in entries}
    used = Counter(short.values())

    def name(full: str) -> str:
        text = short.get(full, full)
        return shorten(text, LABEL_WIDTH) if used[text] == 1 else plain(full)

    return name


def size_head(comparison: Comparison, size: Size) -> str:
    """A size as the head of a column: all of them with the mean number that it was.

    With 120 rows in five folds: ``all (96)``.
    """
    if size is not None:
        return f"{size:,}"
    counts = {
        round(line.n_train) for line in comparison.lines if line.size is None and line.n_train
    }
    return f"all ({counts.pop():,})" if len(counts) == 1 else size_name(size)


def _short(entry: Entry) -> str:
    model = f"({entry.model})"
    if not entry.model or not entry.name.endswith(model):
        return plain(entry.name)
    own = PurePath(entry.model.replace("\\", "/")).name or entry.model
    return f"{plain(entry.name.removesuffix(model))}({shorten_middle(plain(own), MODEL_WIDTH)})"


def _best(lines: Sequence[Line]) -> Line | None:
    marked = [line for line in lines if line.is_best and line.accuracy is not None]
    return min(marked, key=_rank, default=None)


def _rank(line: Line) -> tuple[bool, float]:
    return (line.accuracy is None, -(line.accuracy.value if line.accuracy else 0.0))
