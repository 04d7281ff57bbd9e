"""The table of learning curves."""

from io import StringIO

import pytest
from rich.console import Console

from promptkit.report.growth import Growths, points
from tests.runs.compare.made import comparison


@pytest.mark.parametrize("width", [80, 140])
def test_a_line_for_each_way_that_learns(width):
    console = Console(file=StringIO(), width=width, force_terminal=False)
    console.print(Growths(comparison()))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "full" in text
    assert "features" in text
    assert "zero-shot" not in text
    assert "90% band" in text


def test_points_have_a_sign():
    assert points(0.0123) == "+1.2"
    assert points(-0.02) == "-2.0"
