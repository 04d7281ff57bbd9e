"""The verdict of a comparison: what to use, why, what would change it, and the command."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from promptkit.report.commands import Command
from promptkit.report.layout import GOOD, MIND, bullets, heading
from promptkit.report.plain import cell
from promptkit.runs.compare.nouns import Verdict


def verdict_parts(verdict: Verdict) -> list[RenderableType]:
    """The verdict below its title, part after part."""
    parts: list[RenderableType] = [
        heading("verdict"),
        cell(verdict.headline, GOOD if verdict.entry else MIND),
    ]
    if verdict.reasons:
        parts += [Text(), bullets([cell(reason) for reason in verdict.reasons])]
    if verdict.would_change:
        parts += [heading("what would change it")]
        parts += [bullets([cell(change) for change in verdict.would_change])]
    if verdict.firm:
        parts += [heading("how firm it is"), bullets([cell(one) for one in verdict.firm])]
    if verdict.command:
        parts += [heading("to adapt with all labelled rows, and keep it")]
        parts += [Command(verdict.command)]
    return parts
