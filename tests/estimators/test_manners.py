"""scikit-learn's manners on texts, where its own suite feeds numbers."""

import copy
import inspect

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.utils import get_tags

from promptkit import (
    ContrastiveClassifier,
    FeatureClassifier,
    FineTunedClassifier,
    LayerFeatures,
    PromptClassifier,
)
from promptkit.errors import DataError, PromptkitError, SpecError
from promptkit.estimators.refused import InputRefused, OptionRefused
from tests.tiny_encoder import tiny_encoder

TEXTS = [f"{word} {place}" for word in ("lovely food", "broken parcel") for place in range(8)]
Y = ["good"] * 8 + ["bad"] * 8
NEW = ["lovely staff", "broken engine", "a parcel came", "lovely staff"]
MADE = {
    "prompt": lambda: PromptClassifier(
        "topic_zero_shot", tiny_encoder(), shots=2, selector="random", seed=3
    ),
    "features": lambda: FeatureClassifier(tiny_encoder()),
    "contrastive": lambda: ContrastiveClassifier(tiny_encoder(), epochs=1),
    "head": lambda: FineTunedClassifier("head", tiny_encoder(), epochs=3),
    "lora": lambda: FineTunedClassifier("lora", tiny_encoder(), epochs=1),
}
CLASSES = [
    PromptClassifier,
    FeatureClassifier,
    ContrastiveClassifier,
    FineTunedClassifier,
    LayerFeatures,
]
each = pytest.mark.parametrize("name", MADE)
quick = pytest.mark.parametrize("name", ["prompt", "features", "head"])


def fitted(name):
    return MADE[name]().fit(TEXTS, Y)


# -- arguments


@pytest.mark.parametrize("made", CLASSES)
def test_arguments_are_stored_as_they_are_and_nothing_else(made):
    given = {
        name: object() for name in inspect.signature(made).parameters
    }  # even nonsense is told by fit, and not before
    model = made(**given)
    assert vars(model) == given
    assert model.get_params(deep=False) == given
    model.set_params(model="another")
    assert model.model == "another"
    with pytest.raises(ValueError, match="Invalid parameter 'modell'"):
        model.set_params(modell="x")


@pytest.mark.parametrize("made", CLASSES)
def test_tags_say_texts_and_not_arrays_of_numbers(made):
    tags = get_tags(made())
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
    assert not tags.no_validation
    assert not tags.input_tags.sparse
    assert not tags.input_tags.allow_nan
    assert tags.requires_fit == (made is not LayerFeatures)


@each
def test_a_fit_changes_neither_arguments_nor_rows(name):
    model, frame = MADE[name](), pd.DataFrame({"text": TEXTS})
    params, rows, labels = copy.deepcopy(model.get_params()), frame.copy(), list(Y)
    model.fit(frame, labels)
    assert model.get_params() == params
    assert joblib.hash(model.get_params()) == joblib.hash(params)
    pd.testing.assert_frame_equal(frame, rows)
    assert labels == Y


@each
def test_predicting_changes_nothing_of_the_estimator(name):
    model = fitted(name)
    before = dict(vars(model))
    model.predict(NEW)
    model.predict_proba(NEW)
    assert vars(model) == before


# -- what a prediction depends on


@each
def test_a_second_fit_is_as_a_first_one(name):
    model = MADE[name]().fit(TEXTS[::2], Y[::2]).fit(TEXTS, Y)
    assert model.predict_proba(NEW) == pytest.approx(fitted(name).predict_proba(NEW), abs=1e-6)


@each
def test_a_row_is_answered_the_same_whatever_stands_beside_it(name):
    model = fitted(name)
    proba = model.predict_proba(NEW)
    alone = np.vstack([model.predict_proba([text]) for text in NEW])
    assert alone == pytest.approx(proba, abs=1e-6)
    assert model.predict_proba(NEW[::-1])[::-1] == pytest.approx(proba, abs=1e-6)
    assert np.array_equal(proba[0], proba[3])  # the same text twice


@quick
def test_the_order_of_training_rows_is_of_no_meaning(name):
    if name == "head":
        pytest.skip("rows of a training step are drawn by their place")
    back = MADE[name]().fit(TEXTS[::-1], Y[::-1])
    assert back.predict_proba(NEW) == pytest.approx(fitted(name).predict_proba(NEW), abs=1e-6)


@each
def test_logarithms_agree_with_probabilities(name):
    model = fitted(name)
    proba = model.predict_proba(NEW)
    assert np.exp(model.predict_log_proba(NEW)) == pytest.approx(proba)
    assert proba.sum(axis=1) == pytest.approx(np.ones(4))
    assert (model.classes_[proba.argmax(axis=1)] == model.predict(NEW)).all()


# -- labels


@quick
@pytest.mark.parametrize(
    "values",
    [["a", "b"], [3, -4], [True, False], [1.0, 2.0], [0.5, 1.5], ["", "x"]],
    ids=str,
)
@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_classes_are_sorted_and_of_the_type_that_was_given(name, values, kind):
    if name == "prompt" and "" in values:
        pytest.skip("a prompt cannot ask about a label without a name")
    y = [values[0]] * 8 + [values[1]] * 8
    model = MADE[name]().fit(TEXTS, kind(y))
    assert model.classes_.tolist() == sorted(values)
    assert set(model.predict(NEW).tolist()) <= set(values)
    assert type(model.predict(NEW).tolist()[0]) is type(values[0])


@quick
def test_a_column_of_labels_is_laid_flat_with_a_warning(name):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        model = MADE[name]().fit(TEXTS, np.array(Y)[:, None])
    assert np.array_equal(model.predict(NEW), fitted(name).predict(NEW))


NOT_LABELS = [
    ([1, "a"] * 8, "types int and str"),
    ([1, True] * 8, "types bool and int"),
    ([None, "a"] * 8, "Input y contains NaN: y row 1: no label"),
    ([0.0, float("inf")] * 8, "y contains infinity"),
    ([1j, 2j] * 8, "Complex data not supported"),
    ([b"a", b"b"] * 8, "Unknown label type: y row 1 is a bytes"),
    (np.linspace(0.1, 2, 16), "Unknown label type: continuous"),
    (np.ones((16, 2)), "y should be a 1d array"),
    (sparse.eye(16), "y is a sparse matrix"),
    (Y[:-1], "X has 16 rows and y has 15"),
    (["good"] * 16, "1 class, 'good'"),
    ("good", "y is one str"),
    (7, "y is a int; give a list"),
]


@quick
@pytest.mark.parametrize(("y", "said"), NOT_LABELS, ids=[said for _, said in NOT_LABELS])
def test_what_cannot_be_labels_is_refused(name, y, said):
    with pytest.raises(InputRefused, match=said):
        MADE[name]().fit(TEXTS, y)


@pytest.mark.parametrize("name", ["features", "head"])
def test_a_classifier_that_learns_needs_labels(name):
    with pytest.raises(InputRefused, match="requires y to be passed"):
        MADE[name]().fit(TEXTS, None)


# -- rows

NOT_ROWS = [
    ("a text", "X is one str; give a list of rows"),
    ({"text": TEXTS}, "X is one dict"),
    (sparse.csr_array(np.eye(16)), "X is a sparse matrix"),
    (np.ones((16, 1), complex), "Complex data not supported"),
    (np.array("a text"), "dim 0"),
    (np.full((16, 1, 1), "a"), "dim 3"),
    (np.empty((16, 0)), r"0 feature\(s\)"),
    ([["a"], ["b", "c"], *[["d"]] * 14], "X row 2: 2 values, and row 1 has 1"),
    (["a", ["b"], *["c"] * 14], "X row 2: a list of values, and row 1 is a single one"),
    ([{"text": "a"}, "b", *["c"] * 14], "X row 2: a str, and others are mappings"),
    ([{"text": "a"}] * 3 + [{"txt": "b"}] * 13, "X row 4 has no 'text'"),
    (["a", "  ", *["c"] * 14], "X row 2: 'text' is only white space"),
    (["a", float("nan"), *["c"] * 14], "X contains NaN: X row 2"),
    (["a", float("-inf"), *["c"] * 14], "X contains infinity: X row 2, 'text', is -inf"),
    (["a", "half \ud83d", *["c"] * 14], "half a character"),
    ([b"bytes"] * 16, "X row 1: 'text' holds a bytes"),
    (None, "X is a NoneType|needs labelled rows|X has 0 rows"),
    (7, "X is a int"),
    ([], "X has 0 rows and y has 16"),
]


@quick
@pytest.mark.parametrize(("X", "said"), NOT_ROWS, ids=[said for _, said in NOT_ROWS])
def test_what_cannot_be_rows_is_refused(name, X, said):
    with pytest.raises(InputRefused, match=said):
        MADE[name]().fit(X, Y)


@pytest.mark.parametrize(("X", "said"), NOT_ROWS[:-3], ids=[said for _, said in NOT_ROWS[:-3]])
def test_features_refuse_them_too(X, said):
    with pytest.raises(InputRefused, match=said):
        LayerFeatures(tiny_encoder()).fit(X)
    with pytest.raises(InputRefused, match=said):
        LayerFeatures(tiny_encoder()).transform(X)


def test_one_row_is_enough_to_predict_and_none_gives_none():
    model = fitted("features")
    assert model.predict(["lovely"]).shape == (1,)
    assert model.predict([]).shape == (0,)
    assert model.predict_log_proba([]).shape == (0, 2)


@each
def test_what_is_not_fitted_says_so(name):
    for method in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(NotFittedError):
            getattr(MADE[name](), method)(TEXTS)
    with pytest.raises(NotFittedError):
        MADE[name]().strategy_  # noqa: B018
    assert not hasattr(clone(fitted(name)), "classes_")


def test_a_refusal_is_of_promptkits_kind_and_of_pythons():
    with pytest.raises(ValueError, match="no label") as caught:
        MADE["features"]().fit(TEXTS, [None] * 16)
    assert isinstance(caught.value, DataError | PromptkitError)
    with pytest.raises(ValueError, match="no pooling") as caught:
        FeatureClassifier(tiny_encoder(), pooling="maen").fit(TEXTS, Y)
    assert isinstance(caught.value, SpecError)
    assert isinstance(caught.value, OptionRefused)
