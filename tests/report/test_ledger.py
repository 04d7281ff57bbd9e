"""The table of costs."""

import doctest
from io import StringIO

import pytest
from rich.console import Console

from promptkit.report import ledger
from promptkit.report.ledger import Ledger, pays_from
from promptkit.runs.compare.ledger import Prices
from tests.runs.compare.made import comparison


def shown(width, **options):
    console = Console(file=StringIO(), width=width, force_terminal=False)
    console.print(Ledger(comparison(**options)))
    return console.file.getvalue()


def test_the_numbers_of_the_doctests():
    assert doctest.testmod(ledger).failed == 0


@pytest.mark.parametrize("width", [80, 140])
def test_nothing_is_cut_at_any_width(width):
    text = shown(width, prices=Prices(hour=1.0, label=0.1, currency="EUR"))
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for word in ("energy", "FLOP", "price", "stored", "prices in EUR", "estimated"):
        assert word in text
    assert text.count("features") == (1 if width == 140 else 2)


def test_operations_of_a_thousand_rows_are_a_thousand_times_those_of_one():
    assert "500 G" in shown(140)


@pytest.mark.parametrize(
    ("rows", "text"), [(None, "–"), (float("inf"), "never"), (0.2, "1"), (12_345, "12.3k")]
)
def test_when_it_pays(rows, text):
    assert pays_from(rows) == text
