"""A search: what was tried, what was chosen, and how much of its score is the choosing."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from promptkit.report import figures
from promptkit.report.commands import Command
from promptkit.report.layout import GOOD, bullets, heading, pairs, table
from promptkit.report.plain import cell
from promptkit.runs.search.nouns import Configuration, Search, Tried
from promptkit.types import Score

#: Columns of words in the table of configurations.
WORDS = 5


def search_table(found: Search) -> Group:
    """All of it, for a terminal."""
    return Group(
        pairs([(key, cell(value)) for key, value in facts(found)]),
        heading("configurations"),
        configurations_table(found),
        heading("outer folds"),
        folds_table(found),
        heading("chosen"),
        Text(said(found.chosen.configuration), GOOD),
        heading("what it is worth"),
        pairs([(key, cell(value)) for key, value in worth(found)]),
        heading("notes"),
        bullets([cell(note) for note in notes(found)]),
        heading("to use it on new rows"),
        Command(found.command),
    )


def print_search(found: Search) -> None:
    """To standard output."""
    Console(highlight=False).print(search_table(found))


def facts(found: Search) -> list[tuple[str, str]]:
    """What was searched among, and what it took."""
    looked = sum(one.inner is not None for one in found.tried)
    stored = f", {found.from_store:,} of them by an earlier search" if found.from_store else ""
    spent = f"{found.spent:,} of {found.budget:,} prompt tokens{stored}"
    took = f"{figures.duration(found.seconds)}, {figures.duration(found.cost.seconds)} in the model"
    return [
        ("rows", f"{figures.rows(found.n)} of {found.data}"),
        ("model", found.model),
        ("configurations", f"{len(found.tried)}, {looked} looked at in the last choice"),
        ("spent", spent),
        ("took", took),
    ]


def configurations_table(found: Search) -> Table:
    """A line for each configuration, the best first; what all share is left out."""
    heads = columns_of(found)
    lines = [line_of(one) for one in ranked(found)]
    varied = varying(lines)
    words = sum(place in varied for place in range(WORDS))
    made = table(*(heads[place] for place in varied), words=words)
    for one, line in zip(ranked(found), lines, strict=True):
        bold = GOOD if one is found.chosen else ""
        made.add_row(*(cell(line[place], bold) for place in varied))
    return made


def columns_of(found: Search) -> list[str]:
    """Heads of the table of configurations."""
    numbers = ["inner", "95% interval", "rows", "tokens/row", f"of {len(found.folds)} folds"]
    return ["template", "shots", "verbalizer", "calibration", "", *numbers]


def varying(lines: list[list[str]]) -> list[int]:
    """The columns of words in which the lines differ, and those of numbers."""
    return [
        place
        for place in range(len(lines[0]))
        if place >= WORDS - 1 or len({line[place] for line in lines}) > 1
    ]


def ranked(found: Search) -> list[Tried]:
    """The chosen one, then those that were looked at on the most rows, the best first."""

    def rank(one: Tried) -> tuple[float, ...]:
        n, value = (one.inner.n, one.inner.value) if one.inner else (0, 0.0)
        return one is not found.chosen, -n, -value, one.configuration.place

    return sorted(found.tried, key=rank)


def line_of(one: Tried) -> list[str]:
    """The cells of a configuration."""
    way = one.configuration
    inner = one.inner
    return [
        Path(way.template).stem,
        shots_of(way),
        str(way.verbalizer),
        str(way.calibration),
        one.fate,
        figures.decimal(inner.value if inner else None),
        figures.span(inner) if inner else figures.MISSING,
        f"{inner.n:,}" if inner else "0",
        f"{one.tokens:,.0f}" if inner else figures.MISSING,
        str(one.folds),
    ]


def folds_table(found: Search) -> Table:
    """A line for each outer fold."""
    made = table(
        "fold", "chosen without it", "looked at", "inner", "rows", "outer", "rows", words=2
    )
    for fold in found.folds:
        made.add_row(
            str(fold.index + 1),
            cell(said(fold.chosen) if fold.chosen else "nothing: the budget was spent"),
            str(fold.looked),
            figures.decimal(fold.inner),
            str(fold.n_inner),
            figures.decimal(fold.outer),
            str(fold.n_outer),
        )
    return made


def shots_of(one: Configuration) -> str:
    """Demonstrations and who chooses them."""
    return f"{one.shots} {one.selector}" if one.selector else "0"


def said(one: Configuration) -> str:
    """A configuration on one line."""
    words = [
        one.template,
        f"{one.shots} shots by {one.selector}" if one.selector else "no shots",
        *([f"verbalizer {one.verbalizer}"] if one.verbalizer.options or
          one.verbalizer.name != "words" else []),
        f"calibration {one.calibration}",
    ]  # fmt: skip
    return ", ".join(words)


def worth(found: Search) -> list[tuple[str, str]]:
    """Inner, outer, and what lies between."""
    return [
        ("inner accuracy", f"{figures.decimal(found.inner)} on the rows that chose, mean of folds"),
        ("outer accuracy", f"{_score(found.outer)} on rows that chose nothing"),
        ("optimism", f"{_signed(found.optimism)} inner minus outer"),
        ("gain", f"{_signed(found.gain)} outer minus the simplest, not chosen by anything"),
    ]


def notes(found: Search) -> list[str]:
    """What a reader must know."""
    told = list(found.notes)
    if found.outer is None:
        told.append(
            "the budget allowed no trial on held-out rows: the inner accuracies are those of the "
            "rows that chose, and too high; give more with --budget-tokens"
        )
    else:
        told.append(
            "outer accuracy is what to expect of this whole search on new rows; of the one "
            "configuration that it chose at the end it is an estimate, and its inner accuracy is "
            "too high by about the optimism"
        )
    chosen = found.chosen.configuration
    elsewhere = sum(fold.chosen not in (None, chosen) for fold in found.folds)
    if elsewhere:
        told.append(
            f"{elsewhere} of {len(found.folds)} folds chose another configuration: on as few rows "
            "they can hardly be told apart"
        )
    if found.gain is not None and (found.gain.low or 0.0) <= 0:
        told.append(
            "no gain over the simplest configuration is shown: the interval of the gain holds 0"
        )
    unseen = sum(one.fate == "not looked at" for one in found.tried)
    if unseen:
        told.append(
            f"{unseen} configurations were not looked at in the last choice: the budget was spent"
        )
    dropped = sum(one.fate == "dropped" for one in found.tried)
    if dropped:
        told.append(f"{dropped} were dropped on part of the rows, by successive halving")
    told += sorted({f"cannot be: {one.problem}" for one in found.tried if one.problem})
    return told


def _score(score: Score | None) -> str:
    if score is None:
        return figures.MISSING
    return f"{figures.decimal(score.value)} ({figures.span(score)})"


def _signed(score: Score | None) -> str:
    if score is None:
        return figures.MISSING
    return (
        f"{figures.signed(score.value)} "
        f"({figures.signed(score.low)} to {figures.signed(score.high)})"
    )
