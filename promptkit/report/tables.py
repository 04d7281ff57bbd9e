"""A run as a reader sees it in a terminal or a pipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from promptkit.metrics import Report
from promptkit.report.classes import Name, label_tables
from promptkit.report.facts import SHOWN_DIGITS, Facts, facts_of
from promptkit.report.figures import decimal, duration, metric_name, rate, rows, size, span
from promptkit.report.layout import FAINT, MIND, Flow, bullets, heading, pairs, table
from promptkit.report.lists import runs_table, seeds_table
from promptkit.report.plain import cell, naming, plain, shorten, shorten_middle
from promptkit.report.uncertainty import uncertainty_table
from promptkit.runs.uncertainty import Uncertainty
from promptkit.types import Cost, Prediction, RunRecord

__all__ = ["print_tables", "run_table", "runs_table", "seeds_table"]

#: Reasons for being unscored that are told, the most frequent ones.
PROBLEMS_SHOWN = 3
#: Texts without an answer that are shown.
REPLIES_SHOWN = 3


def print_tables(
    records: Sequence[RunRecord],
    console: Console | None = None,
    uncertainty: Uncertainty | None = None,
) -> None:
    """Print one run in full, or several draws of it side by side.

    Args:
        records: The runs.
        console: Where to.
        uncertainty: What acting on the uncertainty of the only run brings.
    """
    console = console or Console()
    if len(records) > 1:
        console.print(seeds_table(records))
        return
    for record in records:
        console.print(run_table(record))
    if uncertainty is not None:
        console.print(uncertainty_table(uncertainty))


def run_table(record: RunRecord) -> Group:
    """All there is to say about a run: what, how good, where wrong, at what cost."""
    report: Report = record.report
    name = naming(record.labels)
    parts: list[RenderableType] = [head(record, facts_of(record)), Text()]
    parts += [score_table(report, _majority(report, name)), *remarks(record)]
    parts += label_tables(report, name)
    if report.worst:
        surest = facts_of(record).writing == "" or any(x.probability for x in report.worst)
        parts += [heading("most confident errors" if surest else "errors"), Mistakes(record)]
    unread = [one for one in record.predictions if one.label is None and one.text]
    if unread:
        parts += [heading("replies that were not read"), Replies(unread)]
    costs = [("cost", cost_line(record.cost))]
    if facts_of(record).how == "strategy" and record.fit_cost.seconds:
        costs.insert(0, ("fit", fit_line(record.fit_cost)))
    parts += [Text(), pairs(costs)]
    if record.notes:
        parts += [heading("notes"), bullets([cell(note) for note in record.notes])]
    return Group(*parts)


def head(record: RunRecord, facts: Facts) -> Table:
    """What was run on what."""
    stored = " · answered from the store" if record.from_store else ""
    lines = [
        *([("template", facts.template)] if facts.is_prompted else []),
        ("model", facts.served),
        ("data", f"{facts.data_and_split}, {rows(facts.n)}"),
        (facts.how, facts.prompting),
        ("evidence", facts.evidence or "none"),
        ("run", facts.fingerprint[:SHOWN_DIGITS] + stored),
    ]
    return pairs((name, cell(value)) for name, value in lines)


def _majority(report: Report, name: Name) -> str | None:
    return None if report.majority_label is None else name(report.majority_label)


def score_table(report: Report, majority: str | None) -> Table:
    """Scores, and set apart from them the baselines and the unscored rows."""
    made = table("metric", "value", "95% interval", "rows")
    for score in report.scores:
        style = "bold" if score is report.scores[0] else ""
        made.add_row(
            Text(metric_name(score.metric), style),
            Text(decimal(score.value), style),
            span(score),
            f"{score.n:,}",
        )
    made.add_section()
    for score in report.baselines:
        name = metric_name(score.metric, majority)
        made.add_row(Text(name), decimal(score.value), span(score), f"{score.n:,}", style=FAINT)
    made.add_section()
    made.add_row("unscored rows", f"{report.n_unscored:,}", "", f"{report.n:,}")
    return made


def remarks(record: RunRecord) -> list[RenderableType]:
    """What has to be known to read the scores; empty where there is nothing to say."""
    report: Report = record.report
    lines: list[RenderableType] = []
    problems = Counter(one.problem for one in record.predictions if one.label is None)
    for problem, n in problems.most_common(PROBLEMS_SHOWN):
        why = plain(problem) or "no reason given"
        lines.append(Text(f"{rows(n)} unscored: {why}", MIND))
    counts = {
        "tied between labels" if report.per_class or record.labels else "tied": report.n_tied,
        "with fewer demonstrations, to fit": report.n_dropped_shots,
        "with text cut, to fit": report.n_cut,
        "without a gold label, left out": report.n_unlabelled,
    }
    said = [f"{rows(n)} {what}" for what, n in counts.items() if n]
    lines += [Flow(said, FAINT)] if said else []
    main = report.scores[0] if report.scores else None
    best = max(report.baselines, key=lambda score: score.value, default=None)
    if main and best and main.low is not None and main.low <= best.value:
        name = metric_name(main.metric)
        told = f"{name} is not clearly above a baseline: {metric_name(best.metric)}"
        lines.append(Text(told, MIND))
    return [Text(), *lines] if lines else []


class Replies:
    """Texts in which no answer was found, each on one line as wide as there is space.

    Args:
        predictions: Whose texts they are.
    """

    def __init__(self, predictions: Sequence[Prediction]) -> None:
        shown = predictions[:REPLIES_SHOWN]
        self.lines = [(plain(one.example_id), plain(one.text.strip())) for one in shown]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        made = table("row", "text", words=2)
        for name, text in self.lines:
            first = shorten(name, width // 4)
            # thoughts come first, and the answer that was not found would stand at the end
            rest = max(width - max(cell_len(n) for n, _ in self.lines) - 4, 8)
            made.add_row(Text(first, no_wrap=True), Text(shorten_middle(text, rest), no_wrap=True))
        yield made


class Mistakes:
    """The most confident errors, each on one line as wide as there is space.

    Args:
        record: Whose errors they are.
    """

    def __init__(self, record: RunRecord) -> None:
        name = naming(record.labels)
        ids = [prediction.example_id for prediction in record.predictions]
        texts = dict(zip(ids, record.texts, strict=False))
        #: What a model that writes is sure of by is the share of its samples.
        self.surety = "votes" if facts_of(record).writing else "p"
        self.lines = [
            (
                plain(one.example_id),
                name(one.gold),
                name(one.predicted),
                decimal(one.probability),
                plain(texts.get(one.example_id, "")),
            )
            for one in record.report.worst
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        heads = ("row", "gold", "predicted", self.surety, "text")
        limits = (width // 4, width // 6, width // 6, 5)
        lines = [
            [*(shorten(text, n) for text, n in zip(line, limits, strict=False)), line[-1]]
            for line in self.lines
        ]
        taken = sum(max(map(cell_len, column)) + 2 for column in zip(heads, *lines, strict=True))
        taken -= max(map(cell_len, ("text", *(line[-1] for line in lines)))) + 2
        made = table(*heads)
        for place, column in enumerate(made.columns):
            column.justify = "right" if place == 3 else "left"
        for *short, text in lines:
            rest = shorten(text, max(width - taken, 4))
            made.add_row(*(Text(one, no_wrap=True) for one in (*short, rest)))
        yield made


def cost_line(cost: Cost) -> Flow:
    """Speed, tokens, time and memory."""
    in_all = rows(cost.cached_rows + cost.rows)
    items = {
        f"cache: {cost.cached_rows:,} of {in_all}": cost.cached_rows > 0,
        f"{rate(cost.rows, cost.seconds)} rows/s": cost.seconds > 0 and cost.rows > 0,
        f"{cost.prompt_tokens:,} prompt tokens": cost.prompt_tokens > 0,
        f"{cost.computed_tokens:,} computed tokens": cost.computed_tokens > 0,
        f"{cost.new_tokens:,} new tokens": cost.new_tokens > 0,
        f"{cost.requests:,} requests": cost.requests > 0,
        f"price {cost.price:.4f}": cost.price > 0,
        f"{cost.trained_parameters:,} trained parameters": cost.trained_parameters > 0,
        duration(cost.seconds): True,
        f"peak memory {size(cost.peak_bytes)}": cost.peak_bytes > 0,
    }
    return Flow(compress(items, items.values()))


def fit_line(cost: Cost) -> Flow:
    """What it took to learn."""
    trained = f"{cost.trained_parameters:,} trained parameters"
    return Flow([duration(cost.seconds), *([trained] if cost.trained_parameters else [])])
