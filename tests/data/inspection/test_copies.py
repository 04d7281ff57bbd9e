"""Copies and leaks: each row once, by the surest kind of copy that it is."""

import pytest

from promptkit.data.inspection.copies import bare_text, copies, keys_of
from tests.data.inspection.rows import notes, rows_of, spots


def found(*said):
    rows = rows_of(*said)
    return list(copies(rows, keys_of(rows)))


def test_a_leak_is_told_of_the_later_split_and_a_copy_of_the_later_row():
    told = found(
        ("a text", "x", "train"),
        ("a text", "x", "train"),
        ("other", "x", "train"),
        ("a text", "x", "test"),
        ("A  Text!", "x", "test"),
    )
    assert spots(told) == {
        "leak": [(3, 0)],
        "leak-folded": [(4, 0)],
        "copy": [(1, 0)],
        "copy-folded": [(4, 3)],
    }
    assert notes(told)["leak"] == ["as in rows.jsonl line 1"]


def test_the_severity_of_a_leak_is_that_it_misleads():
    told = {one.kind: one.severity for one in found(("a", "x", "train"), ("a", "x", "test"))}
    assert told == {"leak": "misleads"}


def test_contradictions_are_told_with_both_labels():
    told = found(("Good", "pos"), ("bad", "neg"), ("good ", "neg"), ("good", "pos"))
    assert spots(told)["several-labels"] == [(0, 2), (2, 0), (3, 2)]
    assert notes(told)["several-labels"][1] == "'pos' in rows.jsonl line 1"
    assert next(one for one in told if one.kind == "several-labels").note == "1 text"


def test_labels_of_other_types_are_other_labels():
    assert "several-labels" in spots(found(("a", 1), ("a", True)))
    assert "several-labels" not in spots(found(("a", 1), ("a", 1)))


def test_punctuation_alone_may_tell_labels_apart():
    told = found(("nice :)", "pos"), ("nice :(", "neg"), (":)", "pos"), (":(", "neg"))
    assert spots(told) == {"copy-folded": [(1, 0)]}
    assert told[0].note == "1 with another label"


def test_empty_texts_are_copies_of_nothing():
    assert found(("", "x"), (" ", "x"), ("\n", "y")) == []


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("It's GREAT!!", "it s great"),
        ("ﬁne  ＡＢＣ", "fine abc"),
        ("?!", "?!"),
        ("5 € + 3", "5 € + 3"),
        ("😀!", "😀"),
    ],
)
def test_words_and_signs_are_what_tells_texts_apart(text, bare):
    assert bare_text(text) == bare
