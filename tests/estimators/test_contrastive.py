"""`ContrastiveClassifier`: the strategy behind scikit-learn's manners."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from promptkit.backends.weights import locate
from promptkit.errors import SpecError
from promptkit.estimators.contrastive import ContrastiveClassifier
from promptkit.strategies.contrastive import Contrastive
from promptkit.strategies.sentence_encoders import encoder_copy
from tests.tiny_encoder import tiny_encoder

TEXTS = [f"{word} {place}" for word in ("lovely", "broken") for place in range(6)]
Y = ["good"] * 6 + ["bad"] * 6


def built(**options):
    return ContrastiveClassifier(**{"model": tiny_encoder(), "epochs": 1} | options)


def test_probabilities_are_those_of_the_strategy():
    model = built().fit(TEXTS, Y)
    assert model.classes_.tolist() == ["bad", "good"]
    assert isinstance(model.strategy_, Contrastive)
    proba = model.predict_proba(TEXTS)
    assert proba.sum(axis=1) == pytest.approx(np.ones(12))
    assert (model.predict(TEXTS) == model.classes_[proba.argmax(axis=1)]).all()
    assert model.cost_.trained_parameters > 0


def test_arguments_are_stored_untouched_and_reach_the_strategy():
    options = {
        "loss": "cosine_pairs", "learning_rate": 1e-3, "epochs": 2, "batch_size": 6, "head_c": 2.0,
        "precision": "float32", "seed": 4, "device": "cpu", "dtype": "float32",
    }  # fmt: skip
    model = clone(built(**options))
    assert model.get_params() == {
        "model": tiny_encoder(), "fields": None, "template": None, "statements": None, **options
    }  # fmt: skip
    strategy = model.fit(TEXTS, Y).strategy_
    assert {name: getattr(strategy, name) for name in options} == options
    assert strategy.model == tiny_encoder()


def test_defaults_are_those_of_the_strategy():
    from inspect import signature

    ours = signature(ContrastiveClassifier).parameters
    theirs = signature(Contrastive).parameters
    for name in set(ours) - {"fields", "template", "statements"}:
        assert ours[name].default == theirs[name].default


def test_cross_validation_and_searches_fit_it_many_times_and_leave_the_model_alone():
    before = encoder_copy(locate(tiny_encoder())).state_dict()
    assert len(cross_val_score(built(), np.array(TEXTS), Y, cv=3)) == 3
    search = GridSearchCV(built(), {"learning_rate": [1e-5, 1e-3]}, cv=2).fit(TEXTS, Y)
    assert search.best_params_["learning_rate"] in (1e-5, 1e-3)
    after = encoder_copy(locate(tiny_encoder())).state_dict()
    assert all((tensor == after[name]).all() for name, tensor in before.items())


def test_it_reads_the_column_that_it_is_told_to():
    frame = pd.DataFrame({"body": TEXTS, "other": ["same"] * 12})
    proba = built(fields="body").fit(frame, Y).predict_proba(frame)
    assert proba == pytest.approx(built().fit(TEXTS, Y).predict_proba(TEXTS), abs=1e-2)
    assert len(np.unique(built(fields="other").fit(frame, Y).predict_proba(frame)[:, 0])) == 1


def test_an_option_that_makes_no_sense_is_refused():
    with pytest.raises(SpecError, match="'epochs' is 0"):
        built(epochs=0).fit(TEXTS, Y)


def test_statements_about_labels_are_learned_like_rows():
    said = {"good": ["lovely thing"], "bad": ["broken thing"]}
    told = built(statements=said).fit(TEXTS, Y)
    assert [row.label for row in told.strategy_.label_rows] == ["good", "bad"]
    assert not np.allclose(told.predict_proba(TEXTS), built().fit(TEXTS, Y).predict_proba(TEXTS))
    with pytest.raises(SpecError, match="'nice' is none of the labels"):
        built(statements={"nice": ["lovely thing"]}).fit(TEXTS, Y)
