"""Learning curves as a picture: accuracy with its interval against labelled rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

from promptkit.report.design import design_text
from promptkit.report.picture import check_plot, save_picture
from promptkit.report.plain import plain
from promptkit.report.standing import curves, entry_names, standings
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.nouns import Entry, Line, Plan, Size

#: Colours that people who are colour-blind tell apart (Okabe and Ito, 2008), black left out, and
#: two more: one for each strategy.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#8C6D31")
#: For what learns from no rows, and for baselines.
DARK, GREY = ("#000000", "#4d4d4d", "#7f7f7f"), "#999999"
#: Markers and dashes: one for each model.
MARKERS: tuple[tuple[str, Any], ...] = (
    ("o", "-"),
    ("s", (0, (7, 1.5))),
    ("^", (0, (4, 1.5, 1, 1.5))),
    ("D", (0, (2, 1))),
)

#: Points of 1/72 inch between two names to the right of their curves.
LINE_HEIGHT = 11.5


def plot_comparison(comparison: Comparison, path: str | Path) -> None:
    """Draw the learning curves into a file.

    Each entry is a line over numbers of labelled rows on a logarithmic axis, with 95% intervals;
    one that learns from no rows is a dashed horizontal line. Names stand at the ends of the lines.

    Args:
        comparison: What was compared.
        path: Ends in .svg, .png or .pdf.

    Raises:
        SpecError: Another suffix, or no such folder.
        MissingExtra: matplotlib is not installed.
        StoreError: The file cannot be written.
    """
    check_plot(path)
    figure = _figure(comparison)
    save_picture(figure, path)


def _figure(comparison: Comparison) -> Any:
    from matplotlib.figure import Figure

    found = {
        entry: [line for line in lines.values() if line.accuracy is not None]
        for entry, lines in curves(comparison).items()
    }
    shown = [one for one in standings(comparison) if found[one.line.entry.name]]
    n_lines = len(shown)
    figure = Figure(figsize=(9.2, max(5.0, 1.4 + n_lines * (LINE_HEIGHT + 1.5) / 72)))
    axes = figure.add_axes((0.075, 0.115, 0.64, 0.765))
    grid = _Grid(comparison.plan, [line for lines in found.values() for line in lines])
    looks, names = _looks([one.line.entry for one in shown]), entry_names(comparison.plan.entries)
    labels = []
    for place, one in enumerate(shown):
        own, look = found[one.line.entry.name], looks[one.line.entry.name]
        shift = (place - (n_lines - 1) / 2) / max(n_lines, 8)
        last = _draw(axes, grid, own, replace(look, heavy=one.is_recommended), shift)
        words = ["recommended"] * one.is_recommended + ["best"] * one.is_best
        # A curve that ends early has its name at the right edge all the same.
        words += [] if one.line.accuracy else [f"ends at {last.n_train:,.0f} rows"]
        said = names(one.line.entry.name) + (f"  – {', '.join(words)}" if words else "")
        labels.append((last, said, replace(look, heavy=one.is_recommended)))
    _frame(axes, grid, comparison)
    _label(axes, labels)
    return figure


@dataclass(frozen=True)
class _Look:
    """How a line looks.

    Args:
        colour: Of line, points and name.
        marker: Of its points.
        dashes: Of its line.
        heavy: Whether it stands out.
    """

    colour: str
    marker: str
    dashes: Any
    heavy: bool = False


def _looks(entries: Sequence[Entry]) -> dict[str, _Look]:
    """A colour for each strategy, a marker for each model."""
    models = list(dict.fromkeys(entry.model for entry in entries if entry.model))
    marks = dict(zip(models, cycle(MARKERS), strict=False))
    colours: dict[tuple[bool, int], str] = {}
    learned, still = cycle(COLOURS), cycle(DARK)
    looks = {}
    for entry in entries:
        marker, dashes = marks.get(entry.model, MARKERS[0])
        key = entry.fits, entry.rank
        if entry.strategy in {"majority", "random"}:
            colours[key], marker = GREY, "."
        elif key not in colours:
            colours[key] = next(learned if entry.fits else still)
        looks[entry.name] = _Look(colours[key], marker, dashes)
    return looks


class _Grid:
    """Where on the horizontal axis numbers of rows stand: 0 to the left of all others.

    Args:
        plan: Whose sizes.
        lines: Lines that are drawn.
    """

    def __init__(self, plan: Plan, lines: Sequence[Line]) -> None:
        counts: dict[Size, list[float]] = {}
        for line in lines:
            if line.entry.fits:
                counts.setdefault(line.size, []).append(max(line.n_train, 1.0))
        self.rows = {size: sum(ns) / len(ns) for size, ns in counts.items() if size in plan.sizes}
        found = sorted(self.rows.values()) or [1.0]
        self.step = max((found[-1] / found[0]) ** (1 / max(len(found) - 1, 1)), 2.0)
        self.low, self.high = found[0], found[-1]
        self.has_zero = any(not line.entry.fits for line in lines)
        #: A logarithmic axis has no 0; its place is a step to the left of the first number.
        self.zero = self.low / self.step**0.75

    def at(self, line: Line, shift: float) -> float:
        """The place of a line's point, moved by a part of a step so that intervals stay apart."""
        place = self.rows.get(line.size, self.low) if line.entry.fits else self.zero
        return float(place * self.step ** (0.28 * shift))


def _draw(axes: Any, grid: _Grid, lines: Sequence[Line], look: _Look, shift: float) -> Line:
    """One entry; gives the line of its last point."""
    lines = sorted(lines, key=lambda line: line.n_train)
    places = [grid.at(line, shift) for line in lines]
    scores = [line.accuracy for line in lines if line.accuracy is not None]
    values = [score.value for score in scores]
    width, size, above = (2.8, 6.0, 5) if look.heavy else (1.4, 4.5, 3)
    for place, score in zip(places, scores, strict=True):
        if score.low is not None and score.high is not None:
            ends = [score.low, score.high]
            axes.plot([place] * 2, ends, color=look.colour, lw=width * 0.7, alpha=0.45, zorder=2)
    axes.plot(
        places, values, color=look.colour, marker=look.marker, ls=look.dashes, lw=width, ms=size,
        zorder=above,
    )  # fmt: skip
    if not lines[-1].entry.fits:
        dashes = (0, (5, 3))
        axes.axhline(values[-1], color=look.colour, ls=dashes, lw=width * 0.7, zorder=above - 1)
    return lines[-1]


def _frame(axes: Any, grid: _Grid, comparison: Comparison) -> None:
    plan = comparison.plan
    axes.set_xscale("log")
    left = grid.zero if grid.has_zero else grid.low
    axes.set_xlim(left / grid.step**0.35, grid.high * grid.step**0.3)
    places = sorted(grid.rows.items(), key=lambda item: item[1])
    ticks = ([grid.zero] if grid.has_zero else []) + [place for _, place in places]
    words = (["0"] if grid.has_zero else []) + [_tick(size, place) for size, place in places]
    axes.set_xticks(ticks, words)
    axes.minorticks_off()
    if grid.has_zero and places:
        between = (grid.zero * grid.low) ** 0.5
        axes.axvline(between, color="#bbbbbb", lw=0.8, ls=":", zorder=1)
    axes.set_xlabel("labelled rows (logarithmic)")
    axes.set_ylabel("accuracy, with 95% interval")
    axes.grid(axis="y", color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_title(
        plain(plan.data), loc="left", fontsize=13, fontweight="bold", pad=20, parse_math=False
    )
    axes.text(
        0, 1.025, f"{design_text(plan)}, {len(plan.labels)} labels",
        transform=axes.transAxes, color="#444444", fontsize=9.5, parse_math=False,
    )  # fmt: skip


def _label(axes: Any, labels: Sequence[tuple[Line, str, _Look]]) -> None:
    """Names to the right of the lines, moved apart where they would cover each other."""
    figure = axes.figure
    low, high = axes.get_ylim()
    points = axes.get_position().height * figure.get_figheight() * 72
    ends = [(_end(line, low, high), name, look) for line, name, look in labels]
    ends.sort(key=lambda label: label[0])
    heights = spread(at * points for at, *_ in ends)
    for (at, name, look), y in zip(ends, (height / points for height in heights), strict=True):
        axes.plot(
            [1.0, 1.025, 1.04], [at, y, y], transform=axes.transAxes, color=look.colour, lw=0.9,
            clip_on=False,
        )  # fmt: skip
        axes.text(
            1.047, y, name, transform=axes.transAxes, color=look.colour, va="center",
            fontsize=9, fontweight="bold" if look.heavy else "normal", parse_math=False,
        )  # fmt: skip


def _end(line: Line, low: float, high: float) -> float:
    """The height of a line's last point, from 0 at the bottom to 1 at the top."""
    return ((line.accuracy.value if line.accuracy else low) - low) / (high - low)


def spread(heights: Iterable[float], gap: float = LINE_HEIGHT) -> list[float]:
    """Rising heights, moved apart to at least a gap and as little as that takes.

    Neighbours that touch become a block that is centred on where its members wanted to be.

    >>> spread([0.0, 1.0, 50.0], gap=10)
    [-4.5, 5.5, 50.0]
    """
    blocks: list[list[float]] = []
    for height in heights:
        blocks.append([height])
        while len(blocks) > 1 and _bottom(blocks[-1], gap) < _top(blocks[-2], gap) + gap:
            last = blocks.pop()
            blocks[-1] += last
    return [_bottom(block, gap) + gap * place for block in blocks for place in range(len(block))]


def _bottom(block: Sequence[float], gap: float) -> float:
    return sum(block) / len(block) - gap * (len(block) - 1) / 2


def _top(block: Sequence[float], gap: float) -> float:
    return _bottom(block, gap) + gap * (len(block) - 1)


def _tick(size: Size, rows: float) -> str:
    return f"{rows:,.0f}" if size is not None else f"all\n({rows:,.0f})"
