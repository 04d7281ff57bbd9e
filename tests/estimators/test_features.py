"""Frozen features in scikit-learn's terms."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from promptkit import FeatureClassifier
from promptkit.errors import SpecError
from tests.tiny_encoder import tiny_encoder

TEXTS = ["lovely food", "kind staff", "quick and kind", "lovely", "awful food", "rude staff"] * 2
Y = ["good", "good", "good", "good", "bad", "bad"] * 2


def built(**options):
    return FeatureClassifier(**{"model": tiny_encoder(), **options})


def test_it_fits_and_predicts():
    model = built(regularisation=0.01).fit(TEXTS, Y)
    assert model.classes_.tolist() == ["bad", "good"]
    assert model.predict_proba(TEXTS).sum(axis=1) == pytest.approx(np.ones(12))
    assert model.score(TEXTS, Y) > 0.9
    assert model.cost_.trained_parameters == 2 * (32 * len(model.strategy_.layers_) + 1)
    assert model.strategy_.chosen_.startswith("layer")


def test_it_writes_nothing_unless_asked_to(home):
    built().fit(TEXTS, Y).predict(TEXTS)
    assert list(home.iterdir()) == []
    built(cache=True).fit(TEXTS, Y)
    assert (home / ".promptkit" / "features").is_dir()


@pytest.mark.parametrize("as_rows", [np.array, pd.Series, lambda t: [{"text": x} for x in t]])
def test_rows_may_come_in_many_shapes(as_rows):
    expected = built().fit(TEXTS, Y).predict_proba(TEXTS)
    assert np.array_equal(built().fit(as_rows(TEXTS), Y).predict_proba(as_rows(TEXTS)), expected)


def test_fields_and_templates_are_read():
    frame = pd.DataFrame({"title": ["on food"] * 12, "body": TEXTS})
    assert built(fields=["title", "body"]).fit(frame, Y).predict(frame).shape == (12,)
    assert built(template="sentiment_zero_shot").fit(TEXTS, Y).predict(TEXTS).shape == (12,)


def test_statements_about_labels_are_learned_like_rows():
    told = built(statements={"good": ["kind"], "bad": ["rude"]}).fit(TEXTS, Y)
    assert [row.label for row in told.strategy_.label_rows] == ["good", "bad"]
    assert not np.allclose(told.predict_proba(TEXTS), built().fit(TEXTS, Y).predict_proba(TEXTS))


def test_it_can_be_cloned_searched_and_cross_validated():
    model = clone(built(layers=[0, -1], pooling="mean"))
    assert model.get_params()["layers"] == [0, -1]
    assert len(cross_val_score(model, TEXTS, Y, cv=2)) == 2
    grid = {"layers": [0, -1], "regularisation": [0.1, 1.0]}
    found = GridSearchCV(built(pooling="mean"), grid, cv=2).fit(TEXTS, Y)
    assert found.best_params_["layers"] in (0, -1)


def test_cross_validation_computes_a_text_once():
    model = built()
    model.fit(TEXTS, Y)
    before = model.strategy_.states.cost.computed_tokens
    cross_val_score(model, TEXTS, Y, cv=3)
    assert model.strategy_.states.cost.computed_tokens == before


def test_a_fitted_one_survives_a_copy_to_another_process():
    model = built().fit(TEXTS, Y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_labels_of_any_type():
    for values in ([0, 1], [False, True], [1.5, -2.0]):
        y = [values[label == "good"] for label in Y]
        assert built().fit(TEXTS, y).predict(TEXTS).dtype == np.asarray(y).dtype


def test_an_option_that_cannot_be_is_refused_by_fit_and_not_before():
    model = built(classifier="logit")
    with pytest.raises(SpecError, match="no classifier named 'logit'"):
        model.fit(TEXTS, Y)
