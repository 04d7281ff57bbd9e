"""Each sentence of a verdict leads to rules and cells."""

from io import StringIO

from rich.console import Console, Group

from promptkit.report.explained import METHODS, cells_text, explained_parts
from promptkit.runs.compare import rules
from tests.runs.compare.made import comparison


def explained(made, width=80):
    console = Console(file=StringIO(), width=width, force_terminal=False)
    console.print(Group(*explained_parts(made)))
    return console.file.getvalue()


def test_every_sentence_is_followed_by_its_rule_and_cells():
    made = comparison()
    text = " ".join(explained(made, 200).split())
    verdict = made.recommendation
    for sentence in (verdict.headline, *verdict.reasons, *verdict.would_change, *verdict.firm):
        assert sentence in text
    assert len(verdict.traces) == text.count("p (Holm) cells")
    assert "all/0-5" in text
    assert "0/every row" in text


def test_every_rule_says_how_it_comes_to_its_numbers():
    named = {rule.__name__ for rule in rules.RULES} - {"guessing_is_no_way"}
    told = {trace.rule for trace in comparison().recommendation.traces}
    assert named | told <= METHODS.keys()


def test_curves_rest_on_all_sizes_and_other_sentences_on_all_rows():
    made = comparison()
    assert cells_text(made, "full") == "all/0-5"
    assert cells_text(made, "full", "growth") == "8/0-5, 16/0-5, 32/0-5, all/0-5"


def test_nothing_is_wider_than_the_terminal():
    assert max(map(len, explained(comparison()).splitlines())) <= 80
