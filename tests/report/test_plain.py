import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from promptkit.report.plain import cell, naming, plain, shorten


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x07\x7f\x9b", "\\x07\\x7f\\x9b"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, seen: str) -> None:
    assert plain(text) == seen


@pytest.mark.parametrize("text", ["naïve 日本語", "👨‍👩‍👧", "نمی‌خواهم", "[bold] :smile:", ""])
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@given(st.text(), st.integers(1, 40))
def test_shortened_text_never_takes_more_cells_than_allowed(text: str, cells: int) -> None:
    assert cell_len(shorten(plain(text), cells)) <= cells


def test_a_cut_is_marked_and_text_that_fits_is_not_cut() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdef", 5) == "abcd…"
    assert shorten("日本語", 4) == "日…"
    assert shorten("abc", 0) == ""


def test_markup_in_a_cell_is_text() -> None:
    assert cell("[bold]x[/bold]").plain == "[bold]x[/bold]"
    assert not cell("[bold]x[/bold]").spans


def test_labels_are_called_by_their_text() -> None:
    name = naming(("a", 1, 0.5))
    assert [name("a"), name(1), name(0.5), name(None)] == ["a", "1", "0.5", "–"]


def test_labels_of_the_same_text_are_told_apart() -> None:
    name = naming((0, "0", "", " x", False, "False"))
    named = [name(label) for label in (0, "0", "", " x", False, "False")]
    assert named == ["0", '"0"', '""', '" x"', "false", '"False"']


def test_zero_as_text_alone_needs_no_quotation_marks() -> None:
    assert naming(("0", "1"))("0") == "0"


def test_a_value_of_several_is_listed() -> None:
    assert naming(("a", "b"))(("a", "b")) == "a, b"
