"""What is printed of two runs."""

import json

import pytest

from promptkit.report.diff import diff_json, diff_table
from promptkit.runs.diff import diff
from tests.report.samples import choosing, printed, record


@pytest.fixture(scope="module")
def found():
    return diff(record(seed=0, accuracy=0.9, unscored=3), record(seed=0, accuracy=0.5, shots=4))


def test_it_says_how_much_whether_by_chance_and_where(found):
    text = printed(diff_table(found))
    for part in ("first − second", "95% interval +", "McNemar, exact", "p < 0.001", "300"):
        assert part in text
    assert f"{len(found.rows)} rows that only one gets right (10 of them; --all" in text
    assert text.count("row-") == 10
    assert "chance" not in text


def test_all_rows_are_shown_when_they_are_asked_for(found):
    text = printed(diff_table(found, every=True))
    assert text.count("row-") == len(found.rows)
    assert "--all" not in text


def test_a_difference_that_may_be_chance_says_so():
    near = diff(record(seed=0, n=40), record(seed=0, n=40, accuracy=0.65, shots=1))
    assert "may well be chance" in printed(diff_table(near))


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_space(found, width):
    assert max(map(len, printed(diff_table(found), width).splitlines())) <= width


def test_text_of_rows_does_not_steer_the_terminal():
    texts = ["\x1b[31mred [bold]\n" for _ in range(300)]
    one, other = (record(seed=0, accuracy=a, texts=texts, shots=s) for a, s in ((0.9, 0), (0.4, 1)))
    text = printed(diff_table(diff(one, other)), 120)
    assert "\x1b" not in text
    assert "\\x1b[31mred [bold]\\n" in text


def test_rows_with_their_own_choices_can_be_compared_too():
    one = choosing(6)
    other = choosing(6)
    moved = diff(one, type(other)(**{**vars(other), "spec": record(shots=9).spec}))
    assert moved.paired.difference.value == 0
    assert "rows that only one" not in printed(diff_table(moved))


def test_json_holds_every_row(found):
    content = json.loads(diff_json(found))
    assert len(content["rows"]) == content["only_first"] + content["only_second"]
    assert content["n"] == content["both_right"] + content["both_wrong"] + len(content["rows"])
    assert content["first"]["accuracy"] > content["second"]["accuracy"]
    assert content["mcnemar_p"] < 0.001
    assert content["difference"]["low"] > 0
