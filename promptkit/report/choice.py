"""Models and layers that were ranked: tables, a page, a picture and data for other programs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from promptkit.report import figures, page
from promptkit.report.heat import Heat
from promptkit.report.layout import bullets, heading, pairs, table
from promptkit.report.markdown import escaped
from promptkit.report.markdown import table as markdown_table
from promptkit.report.picture import save_picture
from promptkit.report.plain import cell, plain, shorten_middle
from promptkit.report.written import csv_text, json_text
from promptkit.runs.choose import Choice, ModelFacts, View
from promptkit.transferability import SCORES

#: Heads of the table of models; of each model it is the view that promises most.
HEADS = (
    "model",
    "layer",
    "probe",
    "95% interval",
    "kNN",
    "LogME",
    "bits/byte",
    "size",
    "1,000 rows",
)
FACTS = (
    "model",
    "pre-trained on",
    "attention",
    "architecture",
    "context",
    "tokens/word",
    "licence",
)
#: Cells of a model's name.
NAME = 20
RANKED = "accuracy of a linear probe, each row left out, %"


def print_choice(
    choice: Choice, command: str | None = None, console: Console | None = None
) -> None:
    """The verdict, then what it rests on.

    Args:
        choice: What was found.
        command: What to do next.
        console: Where to; standard output by default.
    """
    console = console or Console(highlight=False)
    console.print(pairs((key, cell(value)) for key, value in facts(choice)))
    console.print(heading("why"), bullets([cell(one) for one in choice.reasons]))
    console.print(heading("models, each by its most promising layer"), models_table(choice))
    console.print(heading(f"layers: {RANKED}"), heat(choice))
    console.print(heading("what they are"), _words(FACTS, _fact_lines(choice)))
    if choice.verified:
        title = f"trained probes, {sum(v.verified is not None for v in choice.views)} of them"
        console.print(heading(title), _words(*_verified(choice), words=1))
    notes = notes_of(choice)
    if notes:
        console.print(heading("notes"), bullets([cell(one) for one in notes]))
    if command:
        console.print(heading("next"), cell(command))


def facts(choice: Choice) -> list[tuple[str, str]]:
    """The verdict in a line, and what was read."""
    chosen = choice.chosen
    return [
        ("use", f"{chosen.model}, layer {chosen.layer}, pooled by {chosen.pooling}"),
        ("rows", f"{figures.rows(choice.n)} of {choice.data}, {choice.n_labels} labels"),
        ("most frequent label", f"{100 * choice.majority:.1f}%"),
        ("took", figures.duration(choice.cost.seconds)),
    ]


def models_table(choice: Choice) -> Table:
    """A line for each model."""
    made = table(*HEADS)
    for line in _model_lines(choice):
        made.add_row(*(cell(one) for one in line))
    return made


def heat(choice: Choice) -> Heat:
    """Models by layers; a model that is read in several ways has a line for each."""
    lines = list(dict.fromkeys((view.model, view.pooling) for view in choice.views))
    order = {one.name: place for place, one in enumerate(choice.models)}
    lines.sort(key=lambda line: order[line[0]])
    layers = sorted({view.layer for view in choice.views})
    found = {(v.model, v.pooling, v.layer): 100 * v.accuracy.value for v in choice.views}
    chosen = choice.chosen
    marked = {(lines.index((chosen.model, chosen.pooling)), layers.index(chosen.layer))}
    return Heat(
        "model, pooling",
        tuple(map(str, layers)),
        tuple(f"{shorten_middle(_short(model), NAME)}, {pooling}" for model, pooling in lines),
        tuple(tuple(found.get((*line, layer)) for layer in layers) for line in lines),
        marked=frozenset(marked),
        own=False,
    )


def notes_of(choice: Choice) -> list[str]:
    """What a reader must know."""
    told = list(choice.notes)
    told += [f"{one.name} was left out: {one.problem}" for one in choice.models if one.problem]
    if any(one.pseudo for one in choice.models) and any(
        one.bits_per_byte is not None and not one.pseudo for one in choice.models
    ):
        told.append(
            "bits per byte of a masked model (marked *) are not those of a causal one: it sees "
            "both sides of each token"
        )
    told += [
        f"LEEP of the classes that {_short(one.name)} knows already: {one.leep:.3f} nats a row"
        for one in choice.models
        if one.leep is not None
    ]
    for one in choice.models:
        if one.objective == "the next token" and one.attention == "both sides":
            told.append(f"{one.name} says it is causal, and its tokens see what follows them")
    if any(one.distance is not None for one in choice.models):
        apart = "; ".join(
            f"{_short(one.name)} {one.distance:.2f}"
            for one in choice.models if one.distance is not None
        )  # fmt: skip
        told.append(f"distance of the rows from the reference text, 0 to 2: {apart}")
    return told


def next_command(choice: Choice, options: Sequence[str]) -> str:
    """How the verdict is put to use, on the same rows."""
    chosen = choice.chosen
    found = ["promptkit", "tune", "--strategy", "features", *options, "--model", chosen.model]
    found += ["--option", f"layers={chosen.layer}", "--option", f"pooling={chosen.pooling}"]
    return shlex.join([*found, "--output", "model"])


def choice_json(choice: Choice) -> str:
    """One JSON object."""
    content = asdict(choice)
    for view in [*content["views"], *content["alike"], content["chosen"]]:
        del view["right"]
    return json_text(content, indent=2)


def choice_csv(choice: Choice) -> str:
    """A line for each view."""
    columns = ["model", "layer", "pooling", "accuracy", "low", "high", *_scores(choice), "verified"]
    lines = [
        {"model": v.model, "layer": v.layer, "pooling": v.pooling, "accuracy": v.accuracy.value,
         "low": v.accuracy.low, "high": v.accuracy.high, "verified": v.verified, **v.scores}
        for v in choice.views
    ]  # fmt: skip
    return csv_text(columns, lines)


def choice_markdown(choice: Choice) -> str:
    """The verdict and the tables, for a pull request or a README."""
    told = "\n".join(f"- {escaped(one)}" for one in [*choice.reasons, *notes_of(choice)])
    shown = heat(choice)
    cells = [
        [escaped(name), *(shown.said(value) for value in line)]
        for name, line in zip(shown.names, shown.values, strict=True)
    ]
    models = [[escaped(one) for one in line] for line in _model_lines(choice)]
    kinds = [[escaped(one) for one in line] for line in _fact_lines(choice)]
    parts = [
        f"## {escaped(facts(choice)[0][1])}\n",
        told + "\n",
        markdown_table(HEADS, models),
        f"Layers: {RANKED}\n",
        markdown_table([shown.corner, *shown.columns], cells),
        markdown_table(FACTS, kinds, words=len(FACTS)),
    ]
    if choice.verified:
        heads, lines = _verified(choice)
        parts.append(markdown_table(heads, lines))
    return "\n".join(parts)


def choice_html(choice: Choice, command: str | None = None) -> str:
    """A page that needs nothing but itself."""
    parts = [
        page.tabled(("", ""), facts(choice), words=True),
        page.listed(choice.reasons),
        page.section("Models, each by its most promising layer",
                     page.tabled(HEADS, _model_lines(choice))),
        page.section(f"Layers: {RANKED}", heat(choice).html()),
        page.section("What they are", page.tabled(FACTS, _fact_lines(choice), words=True)),
    ]  # fmt: skip
    if choice.verified:
        parts.append(page.section("Trained probes", page.tabled(*_verified(choice))))
    parts.append(page.section("Notes", page.listed(notes_of(choice))) if notes_of(choice) else "")
    parts.append(page.section("Next", page.command(command)) if command else "")
    return page.page("Which model, which layer", parts)


def draw_choice(choice: Choice, path: str | Path) -> None:
    """Accuracy over depth, a line for each model and pooling; the verdict is marked.

    Args:
        choice: What was found.
        path: Ends in .png, .svg or .pdf.

    Raises:
        StoreError: The file cannot be written.
    """
    from matplotlib.figure import Figure

    from promptkit.report.comparison_plot import COLOURS

    figure = Figure(figsize=(8.5, 4.8))
    axes = figure.add_subplot()
    order = [one.name for one in choice.models]
    poolings = list(dict.fromkeys(view.pooling for view in choice.views))
    for model, pooling in sorted(
        {(v.model, v.pooling) for v in choice.views},
        key=lambda one: (order.index(one[0]), one[1]),
    ):
        own = sorted(
            (v for v in choice.views if (v.model, v.pooling) == (model, pooling)),
            key=lambda view: view.layer,
        )
        depth = [view.layer for view in own]
        colour = COLOURS[order.index(model) % len(COLOURS)]
        dashes = ("-", "--", ":", "-.")[poolings.index(pooling) % 4]
        value = [100 * view.accuracy.value for view in own]
        name = f"{_short(model)}, {pooling}"
        axes.plot(depth, value, dashes, color=colour, marker="o", ms=4, label=plain(name))
        ends = [(100 * (v.accuracy.low or 0), 100 * (v.accuracy.high or 0)) for v in own]
        low, high = zip(*ends, strict=True)
        axes.fill_between(depth, low, high, color=colour, alpha=0.08)
    chosen = choice.chosen
    axes.plot([chosen.layer], [100 * chosen.accuracy.value], "o", ms=13, mfc="none", mec="black",
              label="verdict")  # fmt: skip
    axes.axhline(100 * choice.majority, color="#999999", lw=1, ls=":", label="most frequent label")
    axes.set(xlabel="layer (0: the embedding)", ylabel="linear probe, accuracy %",
             title=plain(f"{choice.data}, {figures.rows(choice.n)}"))  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    save_picture(figure, path)


def _model_lines(choice: Choice) -> list[list[str]]:
    known = {one.name: one for one in choice.models}
    best = [view for model in known if (view := choice.best_of(model)) is not None]
    return [_model_line(known[view.model], view) for view in sorted(best, key=_worst_last)]


def _worst_last(view: View) -> float:
    return -view.accuracy.value


def _model_line(one: ModelFacts, view: View) -> list[str]:
    score = view.accuracy
    bits = figures.MISSING
    if one.bits_per_byte is not None:
        bits = f"{one.bits_per_byte:.2f}" + "*" * one.pseudo
    pace = one.seconds_per_1000
    return [
        shorten_middle(_short(one.name), NAME),
        str(view.layer),
        f"{100 * score.value:.1f}",
        f"{100 * (score.low or 0):.1f}–{100 * (score.high or 0):.1f}",
        f"{100 * view.scores['knn']:.1f}",
        f"{view.scores['logme']:.3f}",
        bits,
        figures.short_count(one.parameters or 0),
        figures.short_time(pace) if pace is not None else figures.MISSING,
    ]


def _fact_lines(choice: Choice) -> list[list[str]]:
    return [
        [
            shorten_middle(_short(one.name), NAME),
            one.objective,
            one.attention,
            one.architecture,
            f"{one.context:,}",
            f"{one.tokens_per_word:.2f}" + (f" ({one.unknown:.1%} unknown)" if one.unknown else ""),
            one.licence or "not stated",
        ]
        for one in choice.models
        if not one.problem
    ]


def _verified(choice: Choice) -> tuple[tuple[str, ...], list[list[str]]]:
    lines = sorted(choice.verified, key=lambda one: -(one.correlation or -2))
    names = {name: score.title for name, score in SCORES.items()}
    return ("score", "rank correlation", "points lost by its first"), [
        [
            names.get(one.score, one.score),
            figures.MISSING if one.correlation is None else f"{one.correlation:.2f}",
            f"{one.lost:.1f}",
        ]
        for one in lines
    ]


def _words(heads: Sequence[str], lines: Sequence[Sequence[str]], words: int = 7) -> Table:
    made = table(*heads, words=words)
    for line in lines:
        made.add_row(*(cell(one) for one in line))
    return made


def _scores(choice: Choice) -> list[str]:
    return list(choice.views[0].scores)


def _short(model: str) -> str:
    """A model's name without the folders that it lies in."""
    return Path(model).name if model.startswith(("/", ".", "~")) else model
