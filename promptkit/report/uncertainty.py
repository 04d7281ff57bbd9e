"""What acting on uncertainty brings, as tables."""

from __future__ import annotations

from math import isfinite

from rich.console import Group, RenderableType
from rich.text import Text

from promptkit.metrics.selective import Curve, Threshold
from promptkit.report.figures import MISSING, decimal, metric_name, rows, span
from promptkit.report.layout import FAINT, MIND, bullets, heading, table
from promptkit.report.markdown import escaped
from promptkit.report.markdown import table as markdown_table
from promptkit.report.plain import LABEL_WIDTH, cell, naming, plain, shorten
from promptkit.runs.uncertainty import LabelSets, Uncertainty

TITLE = "acting on uncertainty"
#: Coverages that the curve is shown at.
SHOWN = tuple(tenth / 10 for tenth in range(1, 11))
#: Cells of a bar that stands for an accuracy of 1.
BAR = 30
#: Labels up to which the coverage of each is shown; of more, so many that are covered least.
LABELS_SHOWN = 12


def uncertainty_table(found: Uncertainty) -> Group:
    """All there is to say: figures, how thresholds were chosen, the curve, the labels."""
    made = table("metric", "value", "95% interval", "rows")
    for score in found.scores:
        value = MISSING if score.n == 0 else decimal(score.value)
        made.add_row(Text(metric_name(score.metric)), value, span(score), f"{score.n:,}")
    parts: list[RenderableType] = [heading(TITLE), made, Text()]
    parts.append(bullets([cell(line, MIND if warns else "") for line, warns in told(found)]))
    if found.abstain and len(found.abstain.curve.coverage):
        parts += [heading("coverage against accuracy"), curve_table(found.abstain.curve)]
    if found.sets:
        parts += [heading("label sets by label"), sets_table(found.sets)]
    return Group(*parts)


def told(found: Uncertainty) -> list[tuple[str, bool]]:
    """How thresholds were chosen, a sentence each, and whether it is a warning."""
    lines = [(f"chosen on {found.n:,} training rows that were not learned from", False)]
    lines += [(note, False) for note in found.notes]
    if found.abstain:
        lines.append(_threshold_line(found.abstain.threshold))
        if found.abstain.plain is not None:
            lines.append(_threshold_line(found.abstain.plain))
    if found.sets:
        rule = found.sets.rule
        kind = "sets" if rule.method == "least" else "adaptive sets"
        low, high = rule.expected
        line = f"{rule.level:g} of the {kind} are to hold the right label; "
        line += f"chosen on {rows(rule.n)}, it may be {low:.3f} to {high:.3f}"
        lines.append((line, False))
        if found.sets.n_without:
            lines.append((f"{rows(found.sets.n_without)} without a prediction have no set", True))
    if found.scope:
        above = decimal(found.scope.scope.above)
        lines.append((
            f"out of scope where the highest probability is {above} or less: {found.scope.rule}",
            False,
        ))  # fmt: skip
    return lines


def _threshold_line(one: Threshold) -> tuple[str, bool]:
    goal = f"{one.wanted:g} {one.goal}"
    goal += f" with probability {one.level:g}" if one.level else ""
    if one.problem:
        return f"{goal}: nothing is answered, as {one.problem}", True
    line = "every row that has a prediction is answered"
    if isfinite(one.above):
        line = f"answered where the highest probability is above {one.above:.3f}"
    there = f"{one.coverage:.0%} of the training rows, {decimal(one.accuracy)} of them right"
    if one.bound is not None:
        there += f" and at least {decimal(one.bound)} to be expected"
    return f"{goal}: {line}: {there}", False


def curve_table(curve: Curve) -> RenderableType:
    """Accuracy where at least so much of the rows is answered, the surest first."""
    made = table("answered", "accuracy", "", words=0)
    made.columns[2].justify = "left"
    for coverage, accuracy in points(curve):
        made.add_row(f"{coverage:.0%}", decimal(accuracy), "█" * round(BAR * accuracy))
    left = 1 - curve.coverage[-1]
    if left < 1e-9:
        return made
    return Group(made, Text(f"the other {left:.0%} have no prediction", FAINT))


def points(curve: Curve) -> list[tuple[float, float]]:
    """Coverages that are shown, and the accuracy at each; one that cannot be reached is left out.

    Where many rows are equally sure the next larger coverage stands for several.
    """
    found = [point for coverage in SHOWN if (point := curve.at(coverage)) is not None]
    return list(dict.fromkeys(found))


def sets_table(sets: LabelSets) -> RenderableType:
    """How often the sets hold each label; of many labels those that are held least."""
    name = naming([label for label, _ in sets.report.by_label])
    lines = [(label, score) for label, score in sets.report.by_label if score.n]
    if len(lines) > LABELS_SHOWN:
        lines = sorted(lines, key=lambda line: line[1].value)[:LABELS_SHOWN]
    made = table("label", "held", "95% interval", "rows")
    for label, score in lines:
        shown = shorten(name(label), LABEL_WIDTH)
        made.add_row(Text(shown), decimal(score.value), span(score), f"{score.n:,}")
    left = sum(score.n > 0 for _, score in sets.report.by_label) - len(lines)
    if not left:
        return made
    return Group(made, Text(f"the labels that are held least; {left} others left out", FAINT))


def uncertainty_markdown(found: Uncertainty) -> str:
    """The same for a pull request."""
    lines = [
        [
            escaped(metric_name(score.metric)),
            MISSING if score.n == 0 else decimal(score.value),
            span(score),
            f"{score.n:,}",
        ]
        for score in found.scores
    ]
    parts = [
        f"### {TITLE.capitalize()}\n",
        markdown_table(["metric", "value", "95% interval", "rows"], lines),
        "".join(f"- {escaped(plain(line))}\n" for line, _ in told(found)),
    ]
    if found.abstain:
        cells = [[f"{at:.0%}", decimal(right)] for at, right in points(found.abstain.curve)]
        parts.append(markdown_table(["answered", "accuracy"], cells, words=0))
    return "\n".join(parts)
