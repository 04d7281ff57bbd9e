"""Charts as SVG that takes the colours of the page: light or dark, on screens and on paper.

Nothing is fetched and no script runs. Each point can be reached with the Tab key and tells its
numbers, to a screen reader too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10
from pathlib import Path

from promptkit.errors import StoreError
from promptkit.report.comparison_plot import spread
from promptkit.report.plain import plain

#: Colours that people who are colour-blind tell apart (Okabe and Ito, 2008); lighter in the dark.
LIGHT = ("#0072b2", "#d55e00", "#009e73", "#b5578f", "#a87400", "#2f8fc4", "#7a5195", "#6d5426")
DARK = ("#56b4e9", "#f08c42", "#3ecf9f", "#e39fc6", "#e6b347", "#8fd0f5", "#b795d6", "#c9ab6f")

WIDTH, HEIGHT = 720, 430
#: Space around the axes; to the right stand names.
LEFT, RIGHT, TOP, BOTTOM = 58, 190, 16, 52
#: Pixels between two names.
LINE = 15.0


def style() -> str:
    """Rules for a page that holds charts."""
    light = "".join(f"--s{n}:{colour};" for n, colour in enumerate(LIGHT))
    dark = "".join(f"--s{n}:{colour};" for n, colour in enumerate(DARK))
    return f"""
:root {{ {light} --grid: #e2e2e2; --ink: #1a1a1a; --grey: #767676; --paper: #fff; }}
@media (prefers-color-scheme: dark) {{
  :root {{ {dark} --grid: #3a3a3a; --ink: #ececec; --grey: #a0a0a0; --paper: #121212; }} }}
@media print {{ :root {{ {light} --grid: #e2e2e2; --ink: #000; --grey: #555; --paper: #fff; }} }}
svg.chart {{ width: 100%; max-width: {WIDTH}px; height: auto; color: var(--ink);
  font: 12px system-ui, sans-serif; }}
svg.chart text {{ fill: currentColor; }} svg.chart .grid {{ stroke: var(--grid); }}
svg.chart .grey {{ stroke: var(--grey); fill: none; }} svg.chart .faint {{ fill: var(--grey); }}
svg.chart .mark:focus {{ outline: 2px solid var(--ink); }}
svg.chart .strong {{ font-weight: bold; }}
{"".join(f"svg.chart .c{n} {{ --own: var(--s{n}); }}" for n in range(len(LIGHT)))}
svg.chart .cx {{ --own: var(--grey); }}
svg.chart .line {{ stroke: var(--own); fill: none; stroke-width: 1.6; }}
svg.chart .heavy {{ stroke-width: 3; }} svg.chart .dash {{ stroke-dasharray: 5 4; }}
svg.chart .dot {{ fill: var(--own); stroke: var(--paper); }}
svg.chart .band {{ fill: var(--own); opacity: .16; stroke: none; }}
svg.chart .bar {{ fill: var(--own); opacity: .75; }}
svg.chart text.own {{ fill: var(--own); }}
"""


@dataclass(frozen=True)
class Scale:
    """From numbers to pixels.

    Args:
        low: Number at the first pixel.
        high: Number at the last one.
        first: First pixel.
        last: Last one.
        log: Whether equal ratios are equal distances.
    """

    low: float
    high: float
    first: float
    last: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a number."""
        low, high, own = self.low, self.high, value
        if self.log:
            low, high, own = log10(low), log10(high), log10(max(value, 1e-12))
        share = (own - low) / (high - low) if high > low else 0.5
        return self.first + share * (self.last - self.first)

    def ticks(self) -> list[float]:
        """Round numbers in between."""
        if self.log:
            powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
            steps = (1, 2, 5) if len(powers) <= 4 else (1,)
            found = [step * 10.0**power for power in powers for step in steps]
        else:
            step = _step((self.high - self.low) / 5)
            found = [step * n for n in range(floor(self.low / step), ceil(self.high / step) + 1)]
        slack = 1e-9 * (abs(self.high) + abs(self.low))
        return [one for one in found if self.low - slack <= one <= self.high + slack]


@dataclass
class Chart:
    """A picture that is put together piece by piece.

    A notebook shows it; `save` writes it.

    Args:
        title: What it shows, for screen readers.
        x: Horizontal scale.
        y: Vertical scale.
        height: Pixels.
    """

    title: str
    x: Scale
    y: Scale
    height: int = HEIGHT
    parts: list[str] = field(default_factory=list)

    def axes(self, x_name: str, y_name: str, x_words: Sequence[tuple[float, str]]) -> None:
        """Grid, numbers and names of both axes."""
        bottom = self.height - BOTTOM
        for value in self.y.ticks():
            at = self.y(value)
            self.parts.append(_line("grid", (LEFT, at), (WIDTH - RIGHT, at)))
            self.parts.append(_text(LEFT - 8, at + 4, f"{value:.2f}", "end"))
        for value, word in x_words:
            at = self.x(value)
            self.parts.append(_line("grid", (at, bottom), (at, bottom + 5)))
            self.parts.append(_text(at, bottom + 19, word, "middle"))
        middle = (LEFT + WIDTH - RIGHT) / 2
        self.parts.append(_text(middle, self.height - 10, x_name, "middle"))
        self.parts.append(
            f'<text transform="translate(14 {(TOP + bottom) / 2:.0f}) rotate(-90)" '
            f'text-anchor="middle">{_safe(y_name)}</text>'
        )

    def line(self, colour: str, points: Sequence[tuple[float, float]], kind: str = "") -> None:
        """A line through points, in numbers."""
        places = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self.parts.append(
            f'<g class="{colour}"><polyline class="line {kind}" points="{places}"/></g>'
        )

    def band(self, colour: str, upper: Sequence[tuple[float, float]],
             lower: Sequence[tuple[float, float]]) -> None:  # fmt: skip
        """The area between two lines."""
        places = [*upper, *reversed(lower)]
        told = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in places)
        self.parts.append(f'<g class="{colour}"><polygon class="band" points="{told}"/></g>')

    def dot(self, colour: str, x: float, y: float, told: str, radius: float = 5) -> None:
        """A point that says its numbers when it is reached or pointed at."""
        self.parts.append(
            f'<g class="{colour} mark" tabindex="0" role="img" aria-label="{_safe(told)}">'
            f'<title>{_safe(told)}</title><circle class="dot" cx="{self.x(x):.1f}" '
            f'cy="{self.y(y):.1f}" r="{radius:g}"/></g>'
        )

    def bar(self, colour: str, ends: tuple[float, float], height: float, told: str) -> None:
        """A bar from 0 between two places, that says its numbers."""
        left, right, top = self.x(ends[0]), self.x(ends[1]), self.y(height)
        self.parts.append(
            f'<g class="{colour} mark" tabindex="0" role="img" aria-label="{_safe(told)}">'
            f'<title>{_safe(told)}</title><rect class="bar" x="{left:.1f}" y="{top:.1f}" '
            f'width="{right - left - 1:.1f}" height="{self.y(0) - top:.1f}"/></g>'
        )

    def names(self, ends: Iterable[tuple[float, float, str, str, bool]]) -> None:
        """Names at the right edge, apart from each other, with a thin line to what they name.

        Args:
            ends: Place (x, y) in numbers, name, colour, and whether it stands out.
        """
        placed = [(self.y(y), self.x(x), name, hue, strong) for x, y, name, hue, strong in ends]
        placed.sort(key=lambda end: end[0])
        heights = spread([end[0] for end in placed], LINE)
        shift = min(0.0, self.height - BOTTOM + 8 - max(heights, default=0.0))
        edge = WIDTH - RIGHT + 8
        for (at, x, name, colour, strong), height in zip(placed, heights, strict=True):
            y = max(height + shift, TOP)
            kind = "own strong" if strong else "own"
            lead = f"{x:.1f},{at:.1f} {edge:.1f},{y:.1f} {edge + 6:.1f},{y:.1f}"
            self.parts.append(
                f'<g class="{colour}"><polyline class="line" style="stroke-width:.6" '
                f'points="{lead}"/>{_text(edge + 10, y + 4, name, "start", kind)}</g>'
            )

    @property
    def svg(self) -> str:
        """The picture; it takes its colours from `style`."""
        return (
            f'<svg class="chart" role="group" viewBox="0 0 {WIDTH} {self.height}" '
            f'xmlns="http://www.w3.org/2000/svg" aria-label="{_safe(self.title)}">'
            f"{''.join(self.parts)}</svg>"
        )

    def save(self, path: str | Path) -> None:
        """Write it as a file of its own.

        Raises:
            StoreError: The file cannot be written.
        """
        whole = self.svg.replace(">", f"><style>{style()}</style>", 1)
        try:
            Path(path).write_text(whole, encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from error

    def _repr_html_(self) -> str:
        return f"<style>{style()}</style>{self.svg}"


def frame(
    xs: Sequence[float], ys: Sequence[float], *, log: bool = True, height: int = HEIGHT
) -> tuple[Scale, Scale]:
    """Scales that hold all points, with some space around."""
    low, high = min(xs), max(xs)
    if log:
        low, high = max(low, 1e-9), max(high, 1e-9)
        low, high = low / 1.4, high * 1.4
    pad = 0.06 * (max(ys) - min(ys) or 0.1)
    bottom, top = max(0.0, min(ys) - pad), min(1.0, max(ys) + pad)
    return (
        Scale(low, high, LEFT, WIDTH - RIGHT, log),
        Scale(bottom, top, height - BOTTOM, TOP),
    )


def _step(rough: float) -> float:
    power = 10.0 ** floor(log10(rough)) if rough > 0 else 1.0
    return power * next(n for n in (1, 2, 5, 10) if n * power >= rough * 0.999)


def _line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    return (
        f'<line class="{kind}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" '
        f'y2="{end[1]:.1f}"/>'
    )


def _text(x: float, y: float, words: str, anchor: str, kind: str = "") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_safe(words)}</text>'
    )


def _safe(text: str) -> str:
    return escape(plain(text))
