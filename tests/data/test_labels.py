import pytest

from promptkit.data import match_label
from promptkit.types import label_key

NONE = object()


@pytest.mark.parametrize(
    ("value", "labels", "found"),
    [
        ("b", ["a", "b"], "b"),
        (0, [False, 0, "0"], 0),
        (False, [0, False, "0"], False),
        ("0", [0, False, "0"], "0"),
        ("1", [0, 1], 1),
        (1, ["0", "1"], "1"),
        ("True", [False, True], True),
        ("true", [False, True], True),
        (1.0, [0, 1], 1),
        (1, [0.0, 1.0], 1.0),
        (" Spam\n", ["ham", "spam"], "spam"),
        ("STRASSE", ["straße", "weg"], "straße"),
        ("spam", ["Spam", "spam"], "spam"),
        ("", ["", "a"], ""),
        (True, [0, 1], None),
        (1, [False, True], None),
        ("SPAM", ["Spam", "spam"], None),
        ("1", [1, True, "one"], 1),
        ("c", ["a", "b"], None),
        ("a", [], None),
    ],
)
def test_a_value_stands_for_the_one_label_it_can_mean(value, labels, found):
    assert label_key(match_label(value, labels)) == label_key(found)


def test_a_label_listed_twice_is_one_label():
    assert match_label("a", ["a", "a"]) == "a"


def test_keys_tell_apart_what_python_takes_for_equal():
    assert len({label_key(value) for value in (1, True, 1.0, "1", None, (1,), (True,))}) == 7
