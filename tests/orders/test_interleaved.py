import pytest

from promptkit.orders.interleaved import Interleaved
from promptkit.types import Example

QUERY = Example("q", {"t": "?"})


def arranged(labels):
    shots = [Example(f"{i:02}", {"t": f"{i}"}, label) for i, label in enumerate(labels)]
    return Interleaved().fit(shots).arrange(QUERY, shots)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("aabb", "abab"),  # places 1/4, 3/4 of both; a was shown first
        ("bbaa", "baba"),
        ("aaab", "abaa"),  # a at 1/6, 1/2, 5/6; b at 1/2 and, being rarer, ahead of a
        ("baaa", "abaa"),
        ("aaabb", "ababa"),  # a at 1/6, 3/6, 5/6; b at 1/4, 3/4
        ("aaaabb", "abaaba"),  # a at 1/8, 3/8, 5/8, 7/8; b at 1/4, 3/4
        ("aabbcc", "abcabc"),
        ("aabc", "abca"),  # b and c both at 1/2, in the order shown
        ("aaaaac", "aacaaa"),  # a's third and c both at 1/2
        ("abc", "abc"),
        ("cba", "cba"),
        ("aaa", "aaa"),
    ],
)
def test_labels_are_spread_evenly(given, expected):
    assert "".join(shot.label for shot in arranged(given)) == expected


def test_within_a_label_the_order_of_the_selector_stays():
    assert [shot.id for shot in arranged("aaabb")] == ["00", "03", "01", "04", "02"]


def test_labels_that_python_holds_equal_are_different_ones():
    assert [shot.label for shot in arranged([0, 0, False, False])] == [0, False, 0, False]
    assert [type(shot.label) for shot in arranged([0, 0, False, False])] == [int, bool, int, bool]
    assert [shot.label for shot in arranged(["", "", 0, 0])] == ["", 0, "", 0]


def test_of_two_labels_as_frequent_no_two_shots_of_one_stand_together():
    for n in range(1, 9):
        shown = "".join(shot.label for shot in arranged("a" * n + "b" * n))
        assert shown == "ab" * n
        shown = "".join(shot.label for shot in arranged("b" * n + "a" * (n + 1)))
        assert shown == "ab" * n + "a"
