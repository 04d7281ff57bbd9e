"""What the layers of a model know: a heat map of task by layer, and the figures beside it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from promptkit.report import figures, page
from promptkit.report.heat import Heat
from promptkit.report.layout import bullets, heading, table
from promptkit.report.markdown import escaped
from promptkit.report.markdown import table as markdown_table
from promptkit.report.plain import cell, shorten_middle
from promptkit.report.written import csv_text, json_text
from promptkit.runs.probe import Probed, Profile

HEADS = (
    "task", "best", "acc.", "95%", "select.", "mix", "gravity", "expect.", "major.",
)  # fmt: skip
SIZES = ("task", "fitted on", "tried", "labels", "rows of")
#: What the heads mean, for those who see the table for the first time.
MEANING = (
    "best: the layer whose probe tells most. select.: how much more it tells there than of labels "
    "that were drawn by word. mix: a probe on a trained mean of all layers. gravity: the mean "
    "layer by that mean's weights. expect.: the mean layer at which adding layers gains accuracy. "
    "major.: the most frequent label."
)
#: Cells of a task's name beside its figures.
NAME = 14


def print_probed(found: Probed, console: Console | None = None) -> None:
    """The heat map, then the figures, then what they mean.

    Args:
        found: The profiles.
        console: Where to; standard output by default.
    """
    console = console or Console(highlight=False)
    console.print(heading(f"{found.model}: accuracy of a {found.probe} probe on each layer, %"))
    console.print(heat(found))
    console.print(heading("tasks"), profiles_table(found))
    console.print(heading("rows"), _table(SIZES, _sizes(found)))
    console.print(heading("notes"), bullets([cell(one) for one in notes_of(found)]))


def heat(found: Probed) -> Heat:
    """Tasks by layers, each on its own scale: tasks are not equally hard."""
    n = max(len(one.layers) for one in found.profiles)
    values = [
        tuple(100 * one.layers[at].value if at < len(one.layers) else None for at in range(n))
        for one in found.profiles
    ]
    marked = {(line, one.best) for line, one in enumerate(found.profiles)}
    return Heat(
        "task",
        tuple(map(str, range(n))),
        tuple(one.task for one in found.profiles),
        tuple(values),
        marked=frozenset(marked),
    )


def profiles_table(found: Probed) -> Table:
    """A line for each task."""
    return _table(HEADS, _lines(found))


def notes_of(found: Probed) -> list[str]:
    """What a reader must know, and what the profiles say together."""
    told = [MEANING, *found.notes]
    for one in found.profiles:
        if one.likelihood is not None:
            score = one.likelihood
            told.append(
                f"{one.task}: the model itself finds the right sentence more probable in "
                f"{100 * score.value:.1f}% of the pairs ({_span(score.low, score.high)})"
            )
        if one.unseen:
            told.append(f"{one.task}: {one.unseen:,} tried labels were in no fitted target; wrong")
        if one.lost:
            told.append(f"{one.task}: {one.lost:,} targets stand beyond what the model reads")
    order = [one for one in found.profiles if one.gravity is not None]
    order.sort(key=lambda one: one.gravity or 0)
    if len(order) > 1:
        said = ", ".join(f"{one.task} {one.gravity:.2f}" for one in order)
        told.append(f"from the lower layers to the higher, by centre of gravity: {said}")
    return told + likeness(found)


def likeness(found: Probed) -> list[str]:
    """Which task's profile over the layers runs most like that of each other one."""
    told = []
    for one in found.profiles:
        others = [p for p in found.profiles if p is not one and len(p.layers) == len(one.layers)]
        if len(found.profiles) < 3 or len(one.layers) < 4:
            continue
        alike = {p.task: _correlation(one, p) for p in others}
        near = max(alike, key=lambda name: alike[name])
        told.append(f"over the layers {one.task} runs most like {near} (r = {alike[near]:.2f})")
    return told


def probed_json(found: Probed) -> str:
    """One JSON object."""
    content = asdict(found)
    for one, profile in zip(content["profiles"], found.profiles, strict=True):
        one |= {"best": profile.best, "selectivity": profile.selectivity}
    return json_text(content, indent=2)


def probed_csv(found: Probed) -> str:
    """A line for each task and layer."""
    columns = ["model", "probe", "task", "layer", "accuracy", "low", "high", "control", "weight"]
    lines = [
        {
            "model": found.model, "probe": found.probe, "task": one.task, "layer": layer,
            "accuracy": score.value, "low": score.low, "high": score.high,
            "control": one.control[layer] if one.control else None,
            "weight": one.weights[layer] if one.weights else None,
        }
        for one in found.profiles
        for layer, score in enumerate(one.layers)
    ]  # fmt: skip
    return csv_text(columns, lines)


def probed_markdown(found: Probed) -> str:
    """The heat map as a table, and the figures."""
    shown = heat(found)
    cells = [
        [escaped(name), *(shown.said(value) for value in line)]
        for name, line in zip(shown.names, shown.values, strict=True)
    ]
    lines = [[escaped(one) for one in line] for line in _lines(found)]
    notes = "\n".join(f"- {escaped(one)}" for one in notes_of(found))
    parts = [
        f"## {escaped(found.model)}: accuracy of a {found.probe} probe on each layer, %\n",
        markdown_table([shown.corner, *shown.columns], cells),
        markdown_table(HEADS, lines),
        notes + "\n",
    ]
    return "\n".join(parts)


def probed_html(found: Probed) -> str:
    """A page that needs nothing but itself."""
    parts = [
        page.section(f"Accuracy of a {found.probe} probe on each layer, %", heat(found).html()),
        page.section("Tasks", page.tabled(HEADS, _lines(found))),
        page.section("Rows", page.tabled(SIZES, _sizes(found))),
        page.section("Notes", page.listed(notes_of(found))),
    ]
    for one in found.profiles:
        lines = [(name, f"{n:,}", f"{100 * right / n:.1f}") for name, n, right in one.by_label]
        title = f"{one.task}: labels on layer {one.best}"
        parts.append(page.section(title, page.tabled(("label", "tried", "told, %"), lines)))
    return page.page(f"What the layers of {found.model} know", parts)


def draw_probed(found: Probed, path: str | Path) -> None:
    """The heat map as a picture; see `promptkit.report.heat.Heat.draw`."""
    heat(found).draw(path, f"{Path(found.model).name}: {found.probe} probe, accuracy %")


def _lines(found: Probed) -> list[list[str]]:
    return [_line(one) for one in found.profiles]


def _line(one: Profile) -> list[str]:
    score = one.layers[one.best]
    chosen = one.selectivity[one.best] if one.control else None
    return [
        shorten_middle(one.task, NAME),
        str(one.best),
        f"{100 * score.value:.1f}",
        _span(score.low, score.high),
        figures.MISSING if chosen is None else f"{100 * chosen:+.1f}",
        figures.MISSING if one.mix is None else f"{100 * one.mix.value:.1f}",
        figures.MISSING if one.gravity is None else f"{one.gravity:.2f}",
        figures.MISSING if one.expected is None else f"{one.expected:.2f}",
        f"{100 * one.majority:.1f}",
    ]


def _sizes(found: Probed) -> list[list[str]]:
    return [
        [one.task, f"{one.n_train:,}", f"{one.n_test:,}", f"{one.n_labels:,}", one.origin]
        for one in found.profiles
    ]


def _span(low: float | None, high: float | None) -> str:
    return f"{100 * (low or 0):.1f}–{100 * (high or 0):.1f}"


def _correlation(one: Profile, other: Profile) -> float:
    pair = [np.array([score.value for score in p.layers]) for p in (one, other)]
    if any(values.std() == 0 for values in pair):
        return 0.0
    return float(np.corrcoef(pair[0], pair[1])[0, 1])


def _table(heads: tuple[str, ...], lines: list[list[str]]) -> Table:
    made = table(*heads)
    for line in lines:
        made.add_row(*(cell(one) for one in line))
    return made
