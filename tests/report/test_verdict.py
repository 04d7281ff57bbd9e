from __future__ import annotations

from rich.console import Group

from promptkit.report.verdict import verdict_parts
from promptkit.runs.compare.nouns import Verdict
from tests.report.comparisons import COMMAND, comparison, verdict
from tests.report.samples import printed


def shown(said: Verdict, width: int = 80) -> str:
    return printed(Group(*verdict_parts(said)), width)


def test_headline_reasons_changes_and_command_stand_in_that_order() -> None:
    text = shown(comparison().recommendation, 140)
    parts = ["Use features: as good as", "• lora has the", "• With 500 labelled", COMMAND]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.rstrip().endswith(COMMAND)


def test_a_command_is_broken_so_that_a_shell_joins_it() -> None:
    text = shown(comparison().recommendation, 60)
    lines = [line.rstrip() for line in text[text.index("promptkit adapt") :].splitlines()]
    assert " ".join("\n".join(lines).replace("\\\n", "").split()) == COMMAND


def test_without_an_entry_there_is_no_command() -> None:
    text = shown(verdict(None, reasons=(), would_change=()))
    assert text.split() == ["verdict", "None", "fits."]


def test_sentences_are_data() -> None:
    text = shown(verdict(None, headline="[red]no[/red]", reasons=("a [b] \x1b c",)))
    assert "[red]no[/red]" in text
    assert "• a [b] \\x1b c" in text
