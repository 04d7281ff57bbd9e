"""Words that were found for labels, and what they are worth."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from promptkit.report import figures
from promptkit.report.layout import table
from promptkit.report.plain import cell, naming
from promptkit.runs.expansion import Expanded
from promptkit.runs.words import FoundWords
from promptkit.types import Score

#: Words of a label that are shown; the others were tried too.
SHOWN = 6


def facts(found: FoundWords) -> list[tuple[str, Text]]:
    """Names, and what stands behind them."""
    lines = [
        ("rows", f"{figures.rows(found.n)} of {found.data}"),
        ("combinations tried", f"{found.tried:,}"),
        ("took", figures.duration(found.cost.seconds)),
        ("accuracy, template's words", _score(found.by_hand)),
        ("accuracy, held-out rows", _score(found.held_out) if found.held_out else "–"),
        ("accuracy, rows chosen on", _score(found.seen)),
    ]
    return [(key, cell(value)) for key, value in lines]


def words_table(found: FoundWords) -> Table:
    """A line for each label: its word, how often it was chosen again, and what was beside it."""
    made = table(
        "label", "word", "others that were tried", f"chosen in {found.parts} parts", words=3
    )
    name = naming(found.labels)
    for label, word, own, again in zip(
        found.labels, found.chosen, found.words, found.again, strict=True
    ):
        others = [one for one, _ in own if one != word]
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        made.add_row(
            cell(name(label)), cell(word), cell(", ".join(others[:SHOWN]) + more), cell(str(again))
        )
    return made


def expanded_table(found: Expanded) -> Table:
    """A line for each label: its further words, the nearest first."""
    made = table("label", "words", words=2)
    name = naming(found.labels)
    for label, own in zip(found.labels, found.added, strict=True):
        told = ", ".join(f"{word} {cosine:.2f}" for word, cosine in own)
        made.add_row(cell(name(label)), cell(told or "none"))
    return made


def notes(found: FoundWords) -> list[Text]:
    """What a reader must know before pasting."""
    told = list(found.notes)
    if found.held_out is None:
        told.append(
            "no label has two rows, so nothing could be held out: the accuracy on the rows that "
            "the words were chosen on says nothing about others"
        )
    else:
        told.append(
            f"in each of {found.parts} parts words were chosen on the other rows and tried on that "
            "part: that is what to expect of them on new rows, and what to compare with the "
            "template's words, which were tried on the same rows"
        )
    if found.shown:
        told.append(
            "this prompt lists the label words, so that it changes with them: found words are "
            "probable because the old ones stood there; a prompt that lists none asks more openly"
        )
    if found.left_out:
        told.append(f"{figures.rows(found.left_out)} too long for the model chose no words")
    return [cell(one) for one in told]


def _score(score: Score) -> str:
    return f"{figures.decimal(score.value)} {figures.span(score)}"
