"""A score over ways of asking, as a reader sees it: best, median, worst, and what moves it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from promptkit.metrics.factorial import Effect
from promptkit.report.facts import SHOWN_DIGITS, facts_of
from promptkit.report.figures import (
    MISSING,
    SHORT_NAMES,
    decimal,
    duration,
    metric_name,
    rows,
    span,
)
from promptkit.report.layout import bullets, heading, pairs, table
from promptkit.report.plain import cell, naming, shorten_middle
from promptkit.runs.robustness import Robustness, Way

#: Heads of the table of scores.
RANGE_HEADS = ("best", "median", "worst", "mean", "SD", "IQR")
#: Heads of the table of factors.
PART_HEADS = ("share of\nvariance", "by chance\nalone", "range of\nmeans", "answers\nchanged")


def robustness_table(found: Robustness) -> Group:
    """All there is to say about the runs; it takes the width that there is."""
    name = metric_name(found.metric)
    parts: list[RenderableType] = [
        pairs((key, cell(value)) for key, value in robustness_facts(found)),
        heading(f"scores over {len(found.ways)} runs"),
        range_table(found),
        heading("runs"),
        WayTable(found),
        heading(f"what moves {name}"),
        part_table(found),
        Text(),
        bullets([cell(line) for line in readings(found)]),
        heading(f"{name} by level, mean over all others"),
        level_table(found),
    ]
    if found.left_out:
        parts += [heading("not varied"), bullets([cell(line) for line in found.left_out])]
    if found.notes:
        parts += [heading("notes"), bullets([cell(note) for note in found.notes])]
    return Group(*parts)


def robustness_facts(found: Robustness) -> list[tuple[str, str]]:
    """Names and values for the head."""
    facts = facts_of(found.record)
    crossed = " x ".join(f"{len(one.levels)} ({one.word})" for one in found.factors)
    stored = sum(way.from_store for way in found.ways)
    took = duration(sum(way.seconds for way in found.ways if not way.from_store))
    done = [took if stored < len(found.ways) else "", f"{stored} from the store" if stored else ""]
    name = naming(found.record.labels)(found.record.report.majority_label)
    baselines = [
        f"{metric_name(one.metric, name)} {decimal(one.value)}"
        for one in found.record.report.baselines
    ]
    varied = {factor.key: len(factor.levels) for factor in found.factors}
    prompting = (
        re.sub(r", seed -?\d+", "", facts.prompting) if "seed" in varied else facts.prompting
    )
    others = f", and {varied['template'] - 1} more" if "template" in varied else ""
    return [
        ("template", facts.template + others),
        ("model", facts.served),
        ("data", f"{facts.data_and_split}, {rows(facts.n)}"),
        ("prompts", prompting),
        ("runs", " · ".join([f"{len(found.ways)} = {crossed}", *filter(None, done)])),
        *([("baselines", " · ".join(baselines))] if baselines else []),
    ]


def range_cells(found: Robustness) -> Iterator[list[str]]:
    """A line per metric: its name and the numbers of `RANGE_HEADS`."""
    for metric, told in found.ranges.items():
        values = (told.best, told.median, told.worst, told.mean, told.sd, told.iqr)
        yield [SHORT_NAMES.get(metric, metric), *map(decimal, values)]


def range_table(found: Robustness) -> Table:
    """Best, median and worst of each metric, which need not be the same run."""
    made = table("metric", *RANGE_HEADS)
    for place, line in enumerate(range_cells(found)):
        made.add_row(*map(Text, line), style="" if place else "bold")
    return made


def shown_ways(found: Robustness) -> list[tuple[str, Way]]:
    """The best run, one in the middle, the worst, and the one that was asked for.

    Of two in the middle it is the lower one.
    """
    ranked = found.ranked()
    middle = "median" if len(ranked) % 2 else "below median"
    asked = found.as_asked()
    place = ranked.index(asked) + 1
    return [
        ("best", ranked[0]),
        (middle, ranked[len(ranked) // 2]),
        ("worst", ranked[-1]),
        (f"as asked ({place} of {len(ranked)})", asked),
    ]


class WayTable:
    """Four runs with their levels, as wide as there is space.

    Args:
        found: Whose runs they are.
    """

    def __init__(self, found: Robustness) -> None:
        self.metric, self.ways = found.metric, shown_ways(found)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        made = table("", "asked with", SHORT_NAMES.get(self.metric, self.metric), "95%", "run",
                     words=2)  # fmt: skip
        made.columns[0].no_wrap = True
        for name, way in self.ways:
            made.add_row(
                Text(name),
                cell(", ".join(way.levels)),
                Text(decimal(way.scores[0].value)),
                Text(span(way.scores[0])),
                Text(way.fingerprint[:SHOWN_DIGITS]),
            )
        yield made


def part_cells(found: Robustness) -> Iterator[list[str]]:
    """A line per factor, and one for what they do together."""
    for factor, effect, moved in zip(
        found.factors, found.parts.effects, found.changed, strict=True
    ):
        chance = effect.by_chance if effect.share is not None else None
        yield [
            factor.word,
            f"{len(factor.levels)}",
            percent(effect.share),
            percent(chance),
            decimal(effect.reach),
            percent(moved),
        ]
    if found.parts.together is not None:
        rest = 1 - sum(effect.by_chance for effect in found.parts.effects)
        yield ["together (interaction)", "", percent(found.parts.together), percent(rest), "", ""]


def part_table(found: Robustness) -> Table:
    """How much of the variance each factor makes."""
    made = table("varied", "levels", *PART_HEADS)
    for line in part_cells(found):
        made.add_row(*map(Text, line))
    return made


def level_cells(found: Robustness) -> Iterator[tuple[str, str, float]]:
    """Each level's factor, name and mean, the best of each factor first."""
    for factor, effect in zip(found.factors, found.parts.effects, strict=True):
        yield from ((factor.word, name, mean) for name, mean in _best_first(factor.names, effect))


def _best_first(names: tuple[str, ...], effect: Effect) -> list[tuple[str, float]]:
    return sorted(zip(names, effect.means, strict=True), key=lambda one: -one[1])


def level_table(found: Robustness) -> Table:
    """A line per level."""
    made = table("varied", "level", "mean", words=2)
    last = ""
    for word, name, mean in level_cells(found):
        made.add_row(
            Text("" if word == last else word, no_wrap=True),
            Text(shorten_middle(name, 48)),
            Text(decimal(mean)),
        )
        last = word
    return made


def readings(found: Robustness) -> list[str]:
    """What to hold the numbers against."""
    told = found.ranges[found.metric]
    n = found.record.report.n
    lines = []
    if found.chance_sd is not None:
        lines.append(
            f"SD between runs {told.sd:.3f}; if all were equally good, these rows alone would make "
            f"{found.chance_sd:.3f}"
        )
    if found.row_error is not None:
        lines.append(
            f"standard error of one run on {n:,} rows {found.row_error:.3f}: other rows would move "
            "each run by about that, and runs that answer alike in the same direction"
        )
    lines.append(
        f"two runs give a row the same answer with probability {found.agreement:.3f}; "
        f"{percent(found.unanimous)} of rows are answered alike by all {len(found.ways)}"
    )
    lines.append(
        "the best run was found on the rows that it is scored on: report the median and the range"
    )
    return lines


def percent(share: float | None) -> str:
    """A share of a whole; a dash where there is none.

    >>> percent(0.1234), percent(None)
    ('12.3%', '–')
    """
    return MISSING if share is None else f"{100 * share:.1f}%"
