"""`promptkit.label_next` and `promptkit.label_errors`, with rows as scikit-learn has them."""

import json

import numpy as np
import pandas as pd
import pytest

import promptkit
from promptkit.errors import DataError, SpecError

GOOD, BAD = ("lovely", "great", "superb", "charming"), ("awful", "broken", "dreadful", "poor")
TEXTS = [f"The {thing} was {word}." for thing in ("soup", "bus", "film", "hotel")
         for word in (*GOOD, *BAD)]  # fmt: skip
LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0] * 4)


def test_places_in_the_pool_come_back_whatever_kind_of_rows_they_are(home):
    found = promptkit.label_next(TEXTS[8:], TEXTS[:8], LABELS[:8], n=4)
    assert len(found) == len(set(found.indices)) == 4
    assert [TEXTS[8:][place] for place in found.indices] == [row.text for row in found.found.rows]
    assert {row.label for row in found.found.rows} <= {0, 1}
    frame = pd.DataFrame({"review": TEXTS, "shop": "web"})
    same = promptkit.label_next(frame[8:], frame[:8], LABELS[:8], n=4, fields="review")
    assert same.indices == found.indices
    line = json.loads(same.to("jsonl").splitlines()[0])
    assert list(line) == ["review", "shop", "label", "suggested", "probability", "why"]
    assert "informative" in str(found)
    assert repr(found) == "<NextLabels of 4 rows, informative>"


def test_nothing_labelled_yet_is_a_draw(home):
    assert promptkit.label_next(TEXTS, n=3).found.by == "random"
    named = promptkit.label_next(TEXTS, n=4, labels=["bad", "good"])
    assert (named.found.by, len(named)) == ("balanced", 4)
    told = promptkit.label_next(TEXTS, n=4, template="sentiment_binary_zero_shot")
    assert {row.label for row in told.found.rows} == {"negative", "positive"}


def test_planted_errors_come_first(home):
    wrong = LABELS.copy()
    wrong[[2, 13]] = 1 - wrong[[2, 13]]
    found = promptkit.label_errors(TEXTS, wrong)
    assert set(found.indices[:2]) == {2, 13}
    assert len(found) == len(found.indices)
    assert "each is a suspicion" in str(found)
    assert repr(found).startswith("<SuspectLabels: ")
    assert json.loads(found.to("json"))["n"] == 32


def test_what_does_not_go_together_is_said(home):
    with pytest.raises(SpecError, match="give X and y"):
        promptkit.label_next(TEXTS, TEXTS)
    with pytest.raises(SpecError, match="labels= leaves out"):
        promptkit.label_next(TEXTS, ["a", "b"], ["bad", "odd"], labels=["bad", "good"])
    with pytest.raises(SpecError, match="X has 1 rows and y has 2"):
        promptkit.label_next(TEXTS, ["a"], ["bad", "good"])
    with pytest.raises(SpecError, match="not both"):
        promptkit.label_errors(TEXTS, LABELS, fields="text", template="sentiment_zero_shot")
    with pytest.raises(DataError, match="no row is left to label"):
        promptkit.label_next(TEXTS[:2], TEXTS[:2], ["bad", "good"])
    with pytest.raises(SpecError, match="format 'html'"):
        promptkit.label_next(TEXTS, n=1).to("html")
