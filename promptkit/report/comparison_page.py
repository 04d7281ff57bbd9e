"""A comparison as one page in HTML that needs nothing else: the report that a team decides by."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from promptkit.metrics.difference import Difference
from promptkit.report.chart import style
from promptkit.report.comparison import PRICE, QUALITY, comparison_facts, title
from promptkit.report.comparison_charts import learning, pareto, reliability
from promptkit.report.comparison_markdown import words_of
from promptkit.report.explained import METHODS, trace_figures
from promptkit.report.figures import MISSING, decimal, p_text
from promptkit.report.gaps import gaps_of
from promptkit.report.growth import growth_cells, shown_heads
from promptkit.report.growth import legend as growth_legend
from promptkit.report.ledger import columns_of, legend
from promptkit.report.page import command, contents, folded, listed, page, section, tabled, wide
from promptkit.report.plain import naming, plain, shorten
from promptkit.report.standing import entry_names, standings
from promptkit.runs.compare.breakdown import (
    Answers,
    Breakdown,
    all_wrong,
    divided,
    expected_error,
)
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.ledger import BASELINES
from promptkit.runs.compare.nouns import Entry, Verdict

#: Labels up to which a confusion is a whole table; of more, the most frequent mistakes are told.
WHOLE = 12
#: Rows that are shown of a kind, and characters of a text.
ROWS, TEXT = 25, 300
#: Mistakes that are told of many labels.
MISTAKES = 20

STYLE = """
.verdict { border-left: 4px solid #009e73; padding: .2rem 1rem; }
.verdict p { font-size: 1.15rem; font-weight: 600; margin: .4rem 0; }
h2 { font-size: 1.3rem; } h3 { font-size: 1.05rem; } h4 { margin: .8rem 0 .2rem; }
thead th { white-space: normal; } th, td { padding: .3rem .45rem; }
.pair { display: flex; flex-wrap: wrap; gap: 1rem; }
.pair svg { flex: 1 1 26rem; }
.matrix td { text-align: center; }
table.rows td, table.rows th { white-space: normal; text-align: left; vertical-align: top; }
table.rows td:nth-child(2) { min-width: 16rem; }
"""


def comparison_page(comparison: Comparison) -> str:
    """The whole report, the verdict first."""
    seen, plan = Breakdown(comparison), comparison.plan
    told = [
        ("verdict", "Verdict", _verdict(comparison.recommendation)),
        ("ways", f"Ways {title(comparison)}", _ways(comparison)),
        ("cost", "Score against cost", _costs(comparison)),
        ("curves", "More labelled rows", _curves(comparison)),
        ("differences", "Each way against each other", _differences(seen)),
        ("labels", "Label by label", _labels(seen)),
        ("confidence", "Is confidence honest?", _confidence(seen)),
        ("rows", "Rows to look at", _rows(seen)),
        ("explain", "Where each sentence comes from", _explained(comparison)),
        ("again", "How to compute this again", _again(comparison)),
    ]
    kept = [(name, head, body) for name, head, body in told if body]
    parts = [contents([(name, head) for name, head, _ in kept])]
    parts += [section(head, body, name=name, scrolls=False) for name, head, body in kept]
    return page(f"Ways of adapting a model to {plain(plan.data)}", parts, style=style() + STYLE)


def _verdict(verdict: Verdict) -> str:
    parts = [f"<div class=verdict><p>{_safe(verdict.headline)}</p></div>"]
    for head, lines in (
        ("Why", verdict.reasons),
        ("What would change it", verdict.would_change),
        ("How firm it is", verdict.firm),
    ):
        if lines:
            parts.append(f"<h3>{head}</h3>{listed(lines)}")
    if verdict.command:
        parts.append(
            f"<h3>To adapt with all labelled rows, and keep it</h3>{command(verdict.command)}"
        )
    return "".join(parts)


def _ways(comparison: Comparison) -> str:
    name, columns = entry_names(comparison.plan.entries), {**QUALITY, **PRICE}
    heads = ["strategy", "", *(head.replace("\n", " ") for head in columns)]
    lines = [
        [name(one.line.entry.name), words_of(one), *(text(one) for text in columns.values())]
        for one in standings(comparison)
    ]
    parts = [_table(heads, lines)]
    gaps = [gap.sentence(name) for gap in gaps_of(comparison)]
    notes = list(dict.fromkeys((*comparison.plan.notes, *comparison.notes)))
    if gaps or notes:
        parts.append(listed([*gaps, *notes]))
    return "".join(parts)


def _costs(comparison: Comparison) -> str:
    charts = [pareto(comparison, what) for what in ("predict", "adapt")]
    drawn = "".join(chart.svg for chart in charts if chart is not None)
    parts = [f"<div class=pair>{drawn}</div>"]
    parts.append("<p class=faint>On the dashed line: no other way is both better and cheaper.</p>")
    accounts = [
        comparison.accounts[one.line.entry.name]
        for one in standings(comparison)
        if one.line.entry.name in comparison.accounts
    ]
    if any(account.fit_work is not None for account in accounts):
        name, columns = entry_names(comparison.plan.entries), columns_of(comparison)
        heads = ["strategy", *(head.replace("\n", " ") for head in columns)]
        lines = [
            [name(one.entry.name), *(text(one) for text in columns.values())] for one in accounts
        ]
        parts += [_table(heads, lines), _faint(legend(comparison))]
    return "".join(parts)


def _curves(comparison: Comparison) -> str:
    chart = learning(comparison)
    parts = [chart.svg] if chart else []
    if comparison.advice is not None:
        parts.append(f"<p>{_safe(_sentence(comparison.advice.sentence))}</p>")
    if comparison.growths:
        name = entry_names(comparison.plan.entries)
        growths = list(comparison.growths.values())
        shown = shown_heads(growths)
        heads = ["strategy", *(head.replace("\n", " ") for head in shown)]
        lines = [
            [name(one.entry.name), *growth_cells(one, comparison.plan.n_rows)[: len(shown)]]
            for one in growths
        ]
        parts += [_table(heads, lines), _faint(growth_legend(growths))]
    return "".join(parts)


def _differences(seen: Breakdown) -> str:
    if len(seen.entries) < 2:
        return ""
    name, gaps = entry_names(seen.comparison.plan.entries), seen.paired()
    values = {entry.name: _accuracy(seen, entry) for entry in seen.entries}
    order = sorted(seen.entries, key=lambda entry: -values[entry.name])
    most = max((abs(gap.mean) for gap, _ in gaps.values()), default=0.0) or 1.0
    heads = "".join(f"<th scope=col>{_safe(name(entry.name))}</th>" for entry in order)
    body = []
    for first in order:
        cells = "".join(_gap_cell(first, second, gaps, most) for second in order)
        body.append(f"<tr><th scope=row>{_safe(name(first.name))}</th>{cells}</tr>")
    return wide(
        f"<table class=matrix><thead><tr><th></th>{heads}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>",
        title="differences",
    ) + (
        "<p class=faint>Points by which the way to the left is better than the one above; * where "
        "a paired test tells the two apart (Holm-corrected over all pairs, 5%).</p>"
    )


def _gap_cell(
    first: Entry,
    second: Entry,
    gaps: dict[tuple[str, str], tuple[Difference, float | None]],
    most: float,
) -> str:
    found, sign = gaps.get((first.name, second.name)), 1
    if found is None:
        found, sign = gaps.get((second.name, first.name)), -1
    if first is second or found is None:
        return f"<td>{MISSING}</td>"
    gap, p_value = found
    value = sign * gap.mean
    hue = "var(--s2)" if value > 0 else "var(--s1)"
    share = round(45 * abs(value) / most)
    star = "*" if p_value is not None and p_value < 0.05 else ""
    said = f"p {p_text(p_value)}"
    return (
        f'<td title="{_safe(said)}" style="background:color-mix(in srgb,{hue} {share}%,'
        f'transparent)">{100 * value:+.1f}{star}</td>'
    )


def _labels(seen: Breakdown) -> str:
    told = []
    for place, entry in enumerate(_shown(seen)):
        body, head = _label_table(seen, entry) + _confusion(seen, entry), _name(seen, entry)
        told.append(folded(head, body) if place else f"<h3>{_safe(head)}</h3>{body}")
    return "".join(told)


def _label_table(seen: Breakdown, entry: Entry) -> str:
    name = naming(seen.comparison.plan.labels)
    lines = [
        [
            name(seen.comparison.plan.labels[one.label]),
            f"{one.n:,}", decimal(one.precision), decimal(one.recall), decimal(one.f1),
        ]
        for one in seen.labels(entry)
    ]  # fmt: skip
    return _table(["label", "rows, all draws", "precision", "recall", "F1"], lines)


def _confusion(seen: Breakdown, entry: Entry) -> str:
    labels, counts = seen.comparison.plan.labels, seen.confusion(entry)
    name = naming(labels)
    if len(labels) > WHOLE:
        wrong = [
            (int(counts[gold, said]), gold, said)
            for gold in range(len(labels))
            for said in range(len(labels))
            if gold != said and counts[gold, said]
        ]
        lines = [
            [name(labels[gold]), name(labels[said]), f"{n:,}"]
            for n, gold, said in sorted(wrong, key=lambda one: (-one[0], one[1], one[2]))[:MISTAKES]
        ]
        return f"<h4>Most frequent mistakes</h4>{_table(['is', 'said', 'rows'], lines)}"
    heads = ["is \\ said", *(name(label) for label in labels)]
    heads += ["unscored"] if counts[:, -1].any() else []
    width = len(heads) - 1
    lines = [
        [name(label), *(f"{n:,}" for n in counts[place][:width].tolist())]
        for place, label in enumerate(labels)
    ]
    return f"<h4>Confusion</h4>{_table(heads, lines)}"


def _confidence(seen: Breakdown) -> str:
    lines = []
    for entry in seen.entries:
        if entry.strategy in BASELINES:
            continue
        error = expected_error(seen.reliability(entry))
        if error is not None:
            lines.append([_name(seen, entry), decimal(error)])
    if not lines:
        return ""
    parts = [_table(["strategy", "mean gap between confidence and accuracy (ECE)"], lines)]
    for entry in _shown(seen):
        bins = seen.reliability(entry)
        if bins:
            parts.append(f"<h3>{_safe(_name(seen, entry))}</h3>")
            parts.append(reliability(seen.comparison, entry, bins).svg)
    return "".join(parts)


def _rows(seen: Breakdown) -> str:
    comparison, answers = seen.comparison, seen.answers()
    if not answers or not comparison.texts:
        return ""
    wrong, parts = all_wrong(answers), []
    if wrong:
        parts.append(
            f"<h3>Rows that every way gets wrong ({len(wrong):,})</h3><p class=faint>Where the "
            "ways agree on another label, look at the row's own label first: promptkit "
            "label-errors does so for all rows.</p>" + _row_table(seen, wrong[:ROWS])
        )
    entry = comparison.recommendation.entry
    split = divided(answers, entry.name) if entry else []
    if split:
        parts.append(
            f"<h3>Rows on which the ways differ ({len(split):,})</h3><p class=faint>First those "
            f"that most get right and {_safe(entry.name if entry else '')} gets wrong.</p>"
            + _row_table(seen, split[:ROWS])
        )
    return "".join(parts)


def _row_table(seen: Breakdown, answers: Sequence[Answers]) -> str:
    comparison, name = seen.comparison, naming(seen.comparison.plan.labels)
    labels, short = comparison.plan.labels, entry_names(comparison.plan.entries)

    def said(one: Answers) -> str:
        by_label: dict[int, list[str]] = {}
        for entry, label in one.said.items():
            by_label.setdefault(label, []).append(short(entry))
        return "; ".join(
            f"{'unscored' if label < 0 else name(labels[label])}: {', '.join(ways)}"
            for label, ways in sorted(by_label.items(), key=lambda item: -len(item[1]))
        )

    lines = [
        [
            comparison.ids[one.place],
            shorten(comparison.texts[one.place], TEXT),
            name(labels[comparison.golds[one.place]]),
            said(one),
        ]
        for one in answers
    ]
    return _table(["id", "text", "label", "said"], lines, kind="rows")


def _explained(comparison: Comparison) -> str:
    parts = []
    for trace in comparison.recommendation.traces:
        heads, lines = trace_figures(comparison, trace)
        method = f"<p class=faint>{_safe(f'{trace.rule}: {METHODS.get(trace.rule, str())}')}</p>"
        parts.append(folded(trace.sentence, method + _table(heads, lines)))
    return "".join(parts)


def _again(comparison: Comparison) -> str:
    facts = [[key, value.replace("\n", ", ")] for key, value in comparison_facts(comparison)]
    facts += [["rows from", str(comparison.origin.get("data", ""))]]
    facts += [["template", str(comparison.origin.get("template", ""))]]
    facts += [["packages", ", ".join(f"{k} {v}" for k, v in comparison.packages.items())]]
    again = command(comparison.command) if comparison.command else ""
    return again + _table(["", ""], facts, kind="rows")


def _shown(seen: Breakdown) -> list[Entry]:
    """The recommended way, then the best one, where they are two."""
    verdict = seen.comparison.recommendation
    names = [entry.name for entry in (verdict.entry, verdict.best) if entry is not None]
    return [entry for name in dict.fromkeys(names) for entry in seen.entries if entry.name == name]


def _accuracy(seen: Breakdown, entry: Entry) -> float:
    found = seen.outcomes(entry) or {}
    return sum(one.accuracy for one in found.values()) / max(len(found), 1)


def _name(seen: Breakdown, entry: Entry) -> str:
    return entry_names(seen.comparison.plan.entries)(entry.name)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]], kind: str = "") -> str:
    """A table that scrolls by itself."""
    return wide(tabled(heads, lines, kind=kind), title=f"table of {heads[0] or 'facts'}")


def _faint(items: Sequence[str]) -> str:
    return f"<p class=faint>{_safe(' · '.join(items))}</p>"


def _safe(text: str) -> str:
    return escape(plain(text))
