"""The verdict, and of each of its sentences where it comes from: rule, figures and cells."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from promptkit.report.commands import Command
from promptkit.report.figures import MISSING, decimal, p_text
from promptkit.report.layout import FAINT, GOOD, HEAD, heading, table
from promptkit.report.plain import cell
from promptkit.report.standing import entry_names
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.lines import final_line
from promptkit.runs.compare.nouns import Cell, Trace, size_name

#: How each rule, and what else speaks, comes to its numbers.
METHODS = {
    "": "no rule left anything",
    "finished": "only ways with a result can win",
    "within_limits": "costs are those of the ledger: the first draw, nothing known beforehand",
    "names_the_best": (
        "expected accuracy: measured on held-out rows and drawn towards what other data sets "
        "showed (docs/decisions/0010), unless --no-prior"
    ),
    "told_apart": (
        "paired tests against the best, Holm-corrected: corrected resampled t over folds, or over "
        "rows and draws of a test set (docs/decisions/0007)"
    ),
    "loses_little": (
        "expected opportunity loss: the mean of max(0, accuracy of the best - this one's) over "
        "what the cells leave open about both"
    ),
    "simplest": "the order of simplicity is that of the ways in --strategies all",
    "growth": "an inverse power law through the sizes, weighed over all that they allow",
    "detectable": "the smallest difference that the test finds in four of five cases",
    "firmness": (
        "the rules spoken again over 100 resamples of the held-out rows, and without each repeat; "
        "expected value of sample information (docs/decisions/0022)"
    ),
}
_KINDS = {
    "headline": "the verdict", "reason": "why", "change": "what would change it",
    "firm": "how firm it is",
}  # fmt: skip


def explained_parts(comparison: Comparison) -> list[RenderableType]:
    """The verdict below its title; below each sentence its rule, figures and cells."""
    verdict = comparison.recommendation
    parts: list[RenderableType] = []
    kind = ""
    order = list(_KINDS)
    for trace in sorted(verdict.traces, key=lambda one: order.index(one.kind)):
        if trace.kind != kind:
            parts.append(heading("verdict" if trace.kind == "headline" else _KINDS[trace.kind]))
            kind = trace.kind
        parts.append(_explained(comparison, trace))
    where = f".promptkit/comparisons/{comparison.fingerprint}/cells*.jsonl"
    parts.append(Text(f"\nEach cell is a line of {where}, by strategy, size and draw.", FAINT))
    if verdict.command:
        parts += [heading("to adapt with all labelled rows, and keep it")]
        parts += [Command(verdict.command)]
    return parts


def trace_figures(comparison: Comparison, trace: Trace) -> tuple[list[str], list[list[str]]]:
    """Heads and lines of the figures behind a sentence."""
    name = entry_names(comparison.plan.entries)
    heads = ["strategy", "accuracy", "expected", "loss", "p (Holm)", "cells"]
    lines = []
    for entry in trace.entries:
        known = comparison.recommendation.weighed.get(entry)
        if known is None:
            continue
        loss = MISSING if known.loss is None else f"{100 * known.loss:.1f}"
        lines.append(
            [
                name(entry), decimal(known.accuracy), decimal(known.expected), loss,
                p_text(known.p_value), cells_text(comparison, entry, trace.rule),
            ]
        )  # fmt: skip
    return heads, lines


def cells_text(comparison: Comparison, entry: str, rule: str = "") -> str:
    """Which cells of an entry a rule looks at, such as ``all/0-14``."""
    own = [cell for cell in comparison.cells if cell.entry == entry and not cell.problem]
    if rule != "growth":
        found = next((x for x in comparison.plan.entries if x.name == entry), None)
        size = final_line(comparison.lines, found).size if found else None
        own = [cell for cell in own if cell.size == size]
    sizes = list(dict.fromkeys(cell.size for cell in own))
    return ", ".join(
        f"{size_name(size)}/{_draws([cell for cell in own if cell.size == size])}" for size in sizes
    )


def _draws(cells: Sequence[Cell]) -> str:
    draws = sorted(cell.draw for cell in cells)
    if draws == [-1]:
        return "every row"
    if draws == list(range(draws[0], draws[-1] + 1)) and len(draws) > 1:
        return f"{draws[0]}-{draws[-1]}"
    return "+".join(map(str, draws))


def _explained(comparison: Comparison, trace: Trace) -> RenderableType:
    style = GOOD if trace.kind == "headline" else HEAD
    rule = f"{trace.rule or 'rules'}: {METHODS.get(trace.rule, '')}"
    return Group(cell(trace.sentence, style), cell(rule, FAINT), _figures(comparison, trace))


def _figures(comparison: Comparison, trace: Trace) -> Table:
    heads, lines = trace_figures(comparison, trace)
    made = table(*heads)
    for first, *rest in lines:
        made.add_row(Text(first), *map(Text, rest))
    return made
