"""What estimators over learned strategies share, shown with a strategy that counts letters."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from promptkit.errors import DataError, SpecError
from promptkit.estimators.learned import LearnedClassifier
from promptkit.strategies.classified import conclude, evidence_of, targets_of
from promptkit.types import Cost, flat

TEXTS = ["a", "aa", "aaa", "bbbb" * 4, "bbb" * 5, "bb" * 9]
Y = ["short"] * 3 + ["long"] * 3


class Nearest:
    """Learns the mean length of each label's texts."""

    def __init__(self, labels, reading):
        self.labels, self.reading, self.seen = labels, reading, []

    @property
    def cost(self):
        return Cost(rows=len(self.seen))

    def fit(self, train):
        targets = targets_of(train, self.labels)
        sizes = np.array([self.size(row) for row in train])
        self.means = np.array([sizes[targets == k].mean() for k in range(len(self.labels))])
        return self

    def size(self, row):
        self.seen.append(flat(self.reading(row)))
        return len(self.seen[-1])

    def predict(self, rows):
        far = np.array([[-abs(self.size(row) - mean) for mean in self.means] for row in rows])
        log_p = far - np.log(np.exp(far).sum(axis=1, keepdims=True))
        return conclude(rows, evidence_of(rows, log_p, "length"), self.labels)


class ByLength(LearnedClassifier):
    def __init__(self, fields=None, template=None):
        self.fields = fields
        self.template = template

    def _strategy(self, labels, reading):
        return Nearest(labels, reading)


def test_it_fits_and_predicts():
    model = ByLength().fit(TEXTS, Y)
    assert model.classes_.tolist() == ["long", "short"]
    assert model.n_features_in_ == 1
    assert model.cost_.rows == 6
    assert model.predict(["aa", "b" * 17]).tolist() == ["short", "long"]
    assert model.predict_proba(TEXTS).sum(axis=1) == pytest.approx(np.ones(6))
    assert model.score(TEXTS, Y) == 1.0


def test_fit_returns_itself_and_predicting_needs_it():
    model = ByLength()
    with pytest.raises(NotFittedError):
        model.predict(TEXTS)
    assert model.fit(TEXTS, Y) is model
    assert isinstance(clone(model), BaseEstimator)
    assert not hasattr(clone(model), "classes_")


@pytest.mark.parametrize("values", [[True, False], [0, 1], [0.5, 1.5], ["x", ""], [7, -7]])
def test_it_takes_labels_of_any_type(values):
    y = [values[0]] * 3 + [values[1]] * 3
    model = ByLength().fit(TEXTS, y)
    assert model.classes_.tolist() == sorted(values)
    assert model.predict(TEXTS).tolist() == y


SHAPES = {
    "list": lambda: TEXTS,
    "tuple": lambda: tuple(TEXTS),
    "array": lambda: np.array(TEXTS),
    "objects": lambda: np.array(TEXTS, dtype=object),
    "column": lambda: np.array(TEXTS)[:, None],
    "series": lambda: pd.Series(TEXTS, index=range(100, 106)),
    "frame": lambda: pd.DataFrame({"text": TEXTS, "stars": 5, "id": "same"}),
    "only column": lambda: pd.DataFrame({"body": TEXTS}),
    "mappings": lambda: [{"text": text, "other": 1} for text in TEXTS],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_may_come_in_many_shapes(shape):
    model = ByLength().fit(SHAPES[shape](), Y)
    expected = ByLength().fit(TEXTS, Y).predict_proba(TEXTS)
    assert np.array_equal(model.predict_proba(SHAPES[shape]()), expected)


def test_several_fields_are_read_one_to_a_line():
    frame = pd.DataFrame({"title": ["t"] * 6, "body": TEXTS})
    model = ByLength(fields=["title", "body"]).fit(frame, Y)
    assert model.strategy_.seen[1] == "t\naa"
    assert model.n_features_in_ == 2
    with pytest.warns(UserWarning, match="was fitted with feature names: .*title, body"):
        assert model.predict(frame.to_numpy()).tolist() == Y


def test_a_template_renders_the_row():
    model = ByLength(template="sentiment_zero_shot").fit(TEXTS, Y)
    assert "aaa" in model.strategy_.seen[2]
    assert len(model.strategy_.seen[2]) > 20


def test_a_template_with_open_labels_speaks_of_those_of_y():
    model = ByLength(template="topic_zero_shot").fit(TEXTS, Y)
    assert "short" in model.strategy_.seen[0]


def test_cross_validation_works():
    assert cross_val_score(ByLength(), TEXTS, Y, cv=3).tolist() == [1.0] * 3


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        (TEXTS, Y[:5], {}, "X has 6 rows and y has 5"),
        (TEXTS, [None, *Y[1:]], {}, "y row 1: no label"),
        (["", *TEXTS[1:]], Y, {}, "row 1: 'text' is empty"),
        ("one text", ["a"], {}, "X is one str; give a list of rows"),
        (pd.DataFrame({"a": TEXTS, "b": TEXTS}), Y, {}, "none is called 'text'.*fields="),
        ([{"a": "x", "b": "y"}], ["a"], {}, "none is called 'text'"),
        (pd.DataFrame({"body": TEXTS}), Y, {"fields": "bodi"}, "did you mean 'body'"),
        (np.array([TEXTS, TEXTS]).T, Y, {}, "2 columns without names.*fields="),
        ([], [], {}, "y holds no label"),
    ],
)
def test_what_cannot_be_used_is_said(X, y, options, message):
    with pytest.raises(DataError, match=message):
        ByLength(**options).fit(X, y)


def test_fields_and_a_template_contradict_each_other():
    with pytest.raises(SpecError, match="not both"):
        ByLength(fields="text", template="sentiment_zero_shot").fit(TEXTS, Y)


def test_no_rows_give_no_predictions():
    assert ByLength().fit(TEXTS, Y).predict([]).shape == (0,)
