"""Wrong labels are found by models that have not seen them, and copies that disagree are told."""

import csv
import sys

import numpy as np
import pytest

from promptkit.errors import CapabilityError, DataError, MissingExtra, SpecError
from promptkit.runs import eval_spec
from promptkit.runs.label_errors import Search, label_errors_of
from promptkit.runs.label_errors.confident import suspicious
from promptkit.runs.label_errors.contradictions import contradictions
from promptkit.runs.label_errors.unseen import out_of_fold
from promptkit.runs.plain import template_for
from promptkit.selectors.copies import copy_key
from promptkit.types import Example

GOOD = ("lovely", "great", "superb", "charming")
BAD = ("awful", "broken", "dreadful", "poor")
THINGS = ("soup", "bus", "film", "hotel", "phone")
ROWS = [
    (f"The {thing} was {word}.", label)
    for thing in THINGS
    for label, words in (("good", GOOD), ("bad", BAD))
    for word in words
]
#: Rows whose labels are turned around.
WRONG = (3, 21)


def turned(rows):
    other = {"good": "bad", "bad": "good"}
    return [(text, other[label] if place in WRONG else label)
            for place, (text, label) in enumerate(rows)]  # fmt: skip


def written(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def asked(path, **more):
    return eval_spec(None, {"data": str(path), "strategy": "features", **more})


def test_planted_errors_come_first_whatever_the_order_of_the_rows(home):
    file = written(home / "rows.csv", turned(ROWS))
    found = label_errors_of(asked(file), Search())
    assert {one.text for one in found.suspects[:2]} == {ROWS[place][0] for place in WRONG}
    first = found.suspects[0]
    assert first.suggested != first.label
    assert first.quality == pytest.approx(1 - first.probability)  # of two labels
    qualities = [one.quality for one in found.suspects]
    assert qualities == sorted(qualities)
    assert (found.n, found.labels, found.contradictions) == (40, ("bad", "good"), ())
    again = label_errors_of(asked(written(home / "t.csv", turned(ROWS)[::-1])), Search())
    assert [(one.text, one.quality) for one in again.suspects] == [
        (one.text, one.quality) for one in found.suspects
    ]


def test_how_good_a_label_is_is_its_own_probability():
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.85, 0.15], [0.1, 0.9], [0.2, 0.8], [0.9, 0.1]])
    targets = np.array([0, 0, 0, 1, 1, 1])
    found, quality = suspicious(p, targets)
    assert quality == pytest.approx([0.9, 0.8, 0.85, 0.9, 0.8, 0.1])
    assert np.flatnonzero(found).tolist() == [5]


def test_labels_that_no_row_has_and_rows_without_evidence_do_no_harm():
    p = np.array([[0.9, 0.1, 0.0], [0.0, 0.0, 1.0], [0.2, 0.8, 0.0], [0.1, 0.9, 0.0]])
    found, quality = suspicious(p, np.array([0, 0, 1, 1]))
    assert np.isfinite(quality).all()
    assert not suspicious(p, np.zeros(4, np.int64))[0].any()
    assert len(found) == 4


def test_no_model_has_seen_the_row_that_it_answers_nor_a_copy(monkeypatch):
    """A strategy that learns by heart knows nothing of a row: its copies are left out too."""
    from promptkit.runs.label_errors import unseen
    from promptkit.strategies.classified import Classified, evidence_of, targets_of

    class ByHeart(Classified):
        def __init__(self):
            self.labels = ("bad", "good")

        def fit(self, train, context=None):
            self.known = dict(zip(map(copy_key, train), targets_of(train, self.labels),
                                  strict=True))  # fmt: skip
            return self

        def gather(self, examples):
            log_p = np.full((len(examples), 2), np.log(0.5))
            for place, row in enumerate(examples):
                if copy_key(row) in self.known:
                    log_p[place] = np.log([0.99, 0.01][:: 1 - 2 * self.known[copy_key(row)]])
            return evidence_of(examples, log_p, "by heart")

        def describe(self):
            return {"name": "by heart"}

        @property
        def cost(self):
            from promptkit.types import Cost

            return Cost()

    monkeypatch.setattr(unseen, "make_strategy", lambda *args, **more: ByHeart())
    rows = [Example(str(at), {"text": text}, label) for at, (text, label) in enumerate(ROWS)]
    rows += [Example(f"copy {at}", {"text": text.upper()}, label)
             for at, (text, label) in enumerate(ROWS)]  # fmt: skip
    template = template_for(("bad", "good"), ("text",))
    told = []
    p, _ = out_of_fold(rows, template, Search("tfidf", repeats=2, folds=4),
                       lambda done, total: told.append((done, total)))  # fmt: skip
    assert p == pytest.approx(np.full((80, 2), 0.5))
    assert told == [(done, 10) for done in range(10)]


def test_copies_that_disagree_are_told_with_their_ids():
    rows = [
        Example("a", {"text": "It was fine."}, "good"),
        Example("b", {"text": "it  was FINE."}, "bad"),
        Example("c", {"text": "Other."}, "good"),
        Example("d", {"text": "Other."}, "good"),
    ]
    (one,) = contradictions(rows)
    assert (one.ids, one.labels) == (("a", "b"), ("good", "bad"))


def test_any_classifier_with_probabilities_answers(home):
    file = written(home / "rows.csv", turned(ROWS))
    found = label_errors_of(asked(file, strategy="tfidf"), Search("tfidf", folds=5, repeats=2))
    assert {one.text for one in found.suspects[:4]} >= {ROWS[place][0] for place in WRONG}
    with pytest.raises(CapabilityError, match="learns nothing from the rows"):
        label_errors_of(asked(file), Search("in_context"))


def test_what_cannot_be_is_refused_in_a_line(home):
    with pytest.raises(DataError, match="one label alone"):
        label_errors_of(asked(written(home / "one.csv", [("a", "x"), ("b", "x")]),
                              labels="x,y"), Search())  # fmt: skip
    with pytest.raises(DataError, match="no row has a label in column 'mood'"):
        label_errors_of(asked(home / "one.csv", label_field="mood"), Search())
    with pytest.raises(SpecError, match="folds is 1"):
        Search(folds=1)
    with pytest.raises(SpecError, match="repeats is 0"):
        Search(repeats=0)


def test_rows_without_a_label_are_left_out_and_that_is_said(home):
    file = written(home / "half.csv", [*turned(ROWS), ("It was there.", ""), ("So it was.", " ")])
    found = label_errors_of(asked(file), Search(folds=3))
    assert (found.n, found.labels) == (40, ("bad", "good"))
    assert found.notes == ("2 of 42 rows have no label, and are left out",)


def test_without_cleanlab_the_pip_command_is_said(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(MissingExtra, match=r"pip install 'promptkit\[labels\]'"):
        label_errors_of(asked(written(home / "rows.csv", ROWS)), Search())
