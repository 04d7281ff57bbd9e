"""What was found in a file of rows, as a reader sees it."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from promptkit.data.remarks import obstacles, remarks
from promptkit.data.survey import Survey
from promptkit.report.figures import rows
from promptkit.report.layout import FAINT, MIND, bullets, heading, pairs, table
from promptkit.report.plain import LABEL_WIDTH, cell, naming, plain, shorten

#: Labels that are listed; the rest is counted.
LABELS_SHOWN = 30


def survey_view(found: Survey) -> Group:
    """Columns and their roles, labels with their rows, lengths, and what to mind."""
    parts: list[RenderableType] = [
        cell(f"{found.path.name}: {rows(found.n)}, {_columns(len(found.profiles))}", "bold"),
        Text(),
        _column_table(found),
        Text(),
        pairs(_roles(found)),
        Text(),
        _label_table(found),
    ]
    stops, minds = obstacles(found), remarks(found)
    if stops:
        parts += [heading("an evaluation will stop at these")]
        parts += [bullets([cell(told, MIND) for told in stops])]
    if minds:
        parts += [heading("to mind"), bullets([cell(told) for told in minds])]
    return Group(*parts)


def _column_table(found: Survey) -> Table:
    made = table("column", "is", "example", "filled", "different", "words", words=3)
    roles = {found.text.column: "text", found.label.column: "label"}
    if found.id is not None:
        roles[found.id.column] = "id"
    for one in found.profiles:
        role = roles.get(one.name, "")
        made.add_row(
            Text(shorten(plain(one.name), 24), "bold" if role else FAINT),
            role,
            Text(shorten(plain(str(one.example)), 28) if one.example is not None else "", FAINT),
            f"{one.n_filled:,}",
            f"{one.n_different:,}",
            f"{one.mean_words:.1f}",
        )
    return made


def _roles(found: Survey) -> list[tuple[str, RenderableType]]:
    told: list[tuple[str, RenderableType]] = [
        ("text", cell(f"{found.text.column!r}: {found.text.why}")),
        ("label", cell(f"{found.label.column!r}: {found.label.why}")),
    ]
    if found.id is not None:
        told.append(("id", cell(f"{found.id.column!r}: {found.id.why}")))
    middle, usual, most = found.words
    told.append(
        (
            "lengths",
            Text(
                f"{middle:,} words in the middle, 95% have at most {usual:,}, the longest {most:,}"
            ),
        )
    )
    return told


def _label_table(found: Survey) -> Table:
    made = table("label", "rows", "share")
    name = naming([label for label, _ in found.labels])
    total = sum(n for _, n in found.labels)
    shown = found.labels
    if len(shown) > LABELS_SHOWN:
        often = sorted(found.labels, key=lambda one: -one[1])[:LABELS_SHOWN]
        shown = tuple(one for one in found.labels if one in often)
    for label, n in shown:
        style = MIND if label in found.rare else ""
        text = Text(shorten(name(label), LABEL_WIDTH), style)
        made.add_row(text, Text(f"{n:,}", style), f"{100 * n / total:.1f}%")
    if len(found.labels) > len(shown):
        rest = total - sum(n for _, n in shown)
        made.add_row(
            Text(f"{len(found.labels) - len(shown):,} more", FAINT),
            f"{rest:,}",
            f"{100 * rest / total:.1f}%",
        )
    return made


def _columns(n: int) -> str:
    return f"{n:,} column" + ("" if n == 1 else "s")
