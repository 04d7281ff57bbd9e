"""A comparison for a pull request or a README: tables, then the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.report.comparison import PRICE, QUALITY, comparison_facts, title
from promptkit.report.curve import best_of_sizes, shown_order, shown_sizes
from promptkit.report.figures import decimal
from promptkit.report.gaps import gaps_of
from promptkit.report.growth import growth_cells, shown_heads
from promptkit.report.ledger import columns_of, legend
from promptkit.report.markdown import escaped, table
from promptkit.report.plain import plain
from promptkit.report.standing import (
    ALPHA,
    Standing,
    curves,
    entry_names,
    size_head,
    standings,
)
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.nouns import Verdict


def comparison_markdown(comparison: Comparison) -> str:
    """A section with everything that the terminal shows."""
    name = entry_names(comparison.plan.entries)
    facts = [
        f"- {key}: {escaped(value.replace(chr(10), ', '))}\n"
        for key, value in comparison_facts(comparison)
    ]
    parts = [
        f"## Ways of adapting a model to {escaped(comparison.plan.data)}\n",
        "".join(facts),
        f"### Accuracy {title(comparison)}\n",
        _main(comparison),
        f"Not told apart from the best: Holm-adjusted p from {ALPHA} on.\n",
        "### Accuracy by number of labelled rows\n",
        _curve(comparison),
    ]
    parts += _more_rows(comparison) + _ledger(comparison)
    gaps = gaps_of(comparison)
    if gaps:
        parts += ["### Not computed\n", _list([gap.sentence(name) for gap in gaps])]
    notes = dict.fromkeys((*comparison.plan.notes, *comparison.notes))
    if notes:
        parts += ["### Notes\n", _list(list(notes))]
    return "\n".join([*parts, *_verdict(comparison.recommendation)])


def _more_rows(comparison: Comparison) -> list[str]:
    growths = list(comparison.growths.values())
    if not growths:
        return []
    name, shown = entry_names(comparison.plan.entries), shown_heads(growths)
    lines = [
        [escaped(name(one.entry.name)), *growth_cells(one, comparison.plan.n_rows)[: len(shown)]]
        for one in growths
    ]
    heads = ["strategy", *(head.replace("\n", " ") for head in shown)]
    return ["### What more labelled rows would bring, in points\n", table(heads, lines)]


def _ledger(comparison: Comparison) -> list[str]:
    accounts = list(comparison.accounts.values())
    if not any(one.fit_work for one in accounts):
        return []
    name, columns = entry_names(comparison.plan.entries), columns_of(comparison)
    lines = [
        [escaped(name(one.entry.name)), *(escaped(text(one)) for text in columns.values())]
        for one in accounts
    ]
    heads = ["strategy", *(head.replace("\n", " ") for head in columns)]
    return ["### What it costs\n", table(heads, lines), f"{'; '.join(legend(comparison))}\n"]


def words_of(standing: Standing) -> str:
    """What the terminal says with marks."""
    said = {
        "recommended": standing.is_recommended,
        "best": standing.is_best,
        "not told apart": standing.is_alike,
        "fewer cells than planned": standing.is_partial,
    }
    return ", ".join(word for word, holds in said.items() if holds)


def _main(comparison: Comparison) -> str:
    columns = {**QUALITY, **PRICE}
    name = entry_names(comparison.plan.entries)
    lines = []
    for one in standings(comparison):
        text = escaped(name(one.line.entry.name))
        shown = f"**{text}**" if one.is_recommended else text
        cells = [text_of(one).replace("<", "&lt;") for text_of in columns.values()]
        lines.append([shown, words_of(one), *cells])
    heads = ["strategy", "", *(head.replace("\n", " ") for head in columns)]
    return table(heads, lines, words=2)


def _curve(comparison: Comparison) -> str:
    sizes, best = shown_sizes(comparison), best_of_sizes(comparison)
    name, found = entry_names(comparison.plan.entries), curves(comparison)
    lines = []
    for entry in shown_order(comparison):
        cells = []
        for size in sizes:
            line = found[entry].get(size)
            value = decimal(line.accuracy.value if line and line.accuracy else None)
            cells.append(f"**{value}**" if line and line is best.get(size) else value)
        lines.append([escaped(name(entry)), *cells])
    return table(["strategy", *(size_head(comparison, size) for size in sizes)], lines)


def _verdict(verdict: Verdict) -> list[str]:
    parts = ["### Verdict\n", f"**{escaped(verdict.headline)}**\n"]
    if verdict.reasons:
        parts.append(_list(verdict.reasons))
    if verdict.would_change:
        parts += ["What would change it:\n", _list(verdict.would_change)]
    if verdict.firm:
        parts += ["How firm it is:\n", _list(verdict.firm)]
    if verdict.command:
        fence = "```" if "```" not in verdict.command else "`" * 8
        command = plain(verdict.command)
        parts += ["To adapt with all labelled rows, and keep it:\n", _fenced(command, fence)]
    return parts


def _fenced(text: str, fence: str) -> str:
    return f"{fence}bash\n{text}\n{fence}\n"


def _list(lines: Sequence[str]) -> str:
    return "".join(f"- {escaped(line)}\n" for line in lines)
