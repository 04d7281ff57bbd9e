"""The estimators in scikit-learn's own hands: ensembles, searches, calibration, thresholds."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import AdaBoostClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
    permutation_test_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline, make_union

from promptkit import FeatureClassifier, LayerFeatures, PromptClassifier, find_template
from promptkit.errors import SpecError
from promptkit.estimators.refused import InputRefused, OptionRefused
from tests.tiny_encoder import tiny_encoder

WORDS = {"negative": "broken parcel", "neutral": "parcel came", "positive": "lovely food"}
LABELS = list(WORDS)
TEXTS = [f"{WORDS[label]} number {number}" for number in range(10) for label in LABELS]
Y = LABELS * 10
BINARY = [text for text, label in zip(TEXTS, Y, strict=True) if label != "neutral"]
SIDES = [label for label in Y if label != "neutral"]


def asked(**options):
    return PromptClassifier(
        **{"model": tiny_encoder(), "shots": 2, "label_names": LABELS, **options}
    )


def featured(**options):
    plain = {"model": tiny_encoder(), "layers": -1, "pooling": "mean", "regularisation": 0.1}
    return FeatureClassifier(**plain | options)


def tfidf():
    return make_pipeline(TfidfVectorizer(), LogisticRegression())


BOTH = pytest.mark.parametrize("model", [asked(), featured()], ids=["prompt", "features"])


# -- ensembles


@BOTH
@pytest.mark.parametrize("voting", ["soft", "hard"])
def test_it_votes_with_a_bag_of_words(model, voting):
    vote = VotingClassifier([("model", model), ("words", tfidf())], voting=voting).fit(TEXTS, Y)
    assert set(vote.predict(TEXTS)) <= set(LABELS)
    if voting == "soft":
        parts = [part.predict_proba(TEXTS) for part in vote.estimators_]
        assert vote.predict_proba(TEXTS) == pytest.approx(np.mean(parts, axis=0))


@BOTH
def test_it_is_stacked(model):
    stack = StackingClassifier([("model", model), ("words", tfidf())], cv=2).fit(TEXTS, Y)
    assert stack.transform(TEXTS).shape == (30, 6)
    assert stack.score(TEXTS, Y) > 0.8


def test_numbers_stand_for_the_names_that_were_given_and_the_model_is_asked_about_those():
    numbered = asked().fit(TEXTS, [LABELS.index(label) for label in Y])
    named = asked().fit(TEXTS, Y)
    assert numbered.classes_.tolist() == [0, 1, 2]
    assert numbered.strategy_.template.task.labels == tuple(LABELS)
    assert np.array_equal(numbered.predict_proba(TEXTS), named.predict_proba(TEXTS))
    own = {7: "positive", 3: "negative"}
    mapped = asked(label_names=own).fit(BINARY, [7 if s == "positive" else 3 for s in SIDES])
    assert mapped.classes_.tolist() == [3, 7]
    assert mapped.strategy_.template.task.labels == ("negative", "positive")


def test_an_open_template_is_asked_about_names_and_not_about_numbers():
    model = asked(template="topic_zero_shot", label_names=["food", "parcels", "trains"])
    fitted = model.fit(TEXTS, [LABELS.index(label) for label in Y])
    assert fitted.strategy_.template.task.labels == ("food", "parcels", "trains")


def test_numbers_without_names_are_not_guessed():
    vote = VotingClassifier([("model", asked(label_names=None)), ("words", tfidf())])
    with pytest.raises(
        SpecError, match=r"no label 0;.*label_names=\['negative', 'neutral', 'positive'\]"
    ):
        vote.fit(TEXTS, Y)


@pytest.mark.parametrize(
    ("options", "y", "said"),
    [
        ({"label_names": ["positive"]}, [0, 1], "no name for the label 1 of y; it names 0"),
        ({"label_names": ["positive", "positive"]}, [0, 1], "one name to two labels"),
        ({"labels": ["positive", "negative"]}, [0, 1], "not both"),
        ({"label_names": {0: "positive", 1: "bad"}}, [0, 1], "has no label 'bad'"),
    ],
)
def test_names_that_do_not_fit_are_refused(options, y, said):
    with pytest.raises(OptionRefused, match=said):
        asked(**options).fit(["lovely", "broken"], y)


def test_one_against_the_rest_and_several_questions_at_once():
    rest = OneVsRestClassifier(featured()).fit(TEXTS, Y)
    assert rest.predict_proba(TEXTS).shape == (30, 3)
    assert rest.score(TEXTS, Y) > 0.8
    kinds = np.column_stack([np.array(Y) == "positive", ["parcel" in text for text in TEXTS]])
    several = OneVsRestClassifier(featured()).fit(TEXTS, kinds.astype(int))
    assert several.predict(TEXTS).shape == (30, 2)
    two = MultiOutputClassifier(featured()).fit(np.array(TEXTS)[:, None], kinds)
    assert two.predict(np.array(TEXTS)[:, None]).shape == (30, 2)


@pytest.mark.parametrize("y", [np.eye(3)[[0, 1, 2] * 10], [["a", "b"], ["a"]] * 15, [{"a"}] * 30])
def test_several_labels_a_row_are_refused_with_the_way_round(y):
    with pytest.raises(InputRefused, match=r"one label a row; .*OneVsRestClassifier\(model\)"):
        featured().fit(TEXTS, y)


# -- validation, searches, curves


@BOTH
def test_probabilities_are_cross_validated(model):
    proba = cross_val_predict(model, TEXTS, Y, cv=2, method="predict_proba")
    assert proba.sum(axis=1) == pytest.approx(np.ones(30))
    found = cross_validate(
        model, TEXTS, Y, cv=2, scoring=["accuracy", "neg_log_loss", "roc_auc_ovr"]
    )
    assert np.isfinite(found["test_neg_log_loss"]).all()


def test_a_permutation_test_tells_signal_from_chance():
    score, shuffled, p = permutation_test_score(featured(), TEXTS, Y, cv=2, n_permutations=10)
    assert score > shuffled.max()
    assert p < 0.1


def test_a_learning_curve_is_drawn():
    sizes, _, scores = learning_curve(featured(), TEXTS, Y, cv=3, train_sizes=[9, 18])
    assert scores.shape == (2, 3)
    assert sizes.tolist() == [9, 18]


def test_shots_calibration_and_selector_are_searched_together():
    grid = {
        "shots": [0, 2],
        "calibration": ["none", "contextual"],
        "selector": ["balanced", "nearest"],
    }
    search = GridSearchCV(asked(label_names=None), grid, cv=2, scoring="neg_log_loss")
    search.fit(TEXTS, Y)
    assert len(search.cv_results_["params"]) == 8
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.get_params()["shots"] in (0, 2)


@BOTH
@pytest.mark.parametrize("ensemble", [True, False])
def test_its_probabilities_are_calibrated(model, ensemble):
    found = CalibratedClassifierCV(model, cv=2, ensemble=ensemble).fit(TEXTS, Y)
    assert found.predict_proba(TEXTS).sum(axis=1) == pytest.approx(np.ones(30))


def test_what_is_fitted_already_is_calibrated_without_another_fit():
    fitted = featured().fit(TEXTS[:15], Y[:15])
    found = CalibratedClassifierCV(FrozenEstimator(fitted), cv=2).fit(TEXTS[15:], Y[15:])
    assert found.calibrated_classifiers_[0].estimator.estimator is fitted
    assert found.predict_proba(TEXTS).shape == (30, 3)


def test_its_threshold_is_tuned():
    tuned = TunedThresholdClassifierCV(
        featured(), cv=2, scoring="balanced_accuracy", response_method="predict_proba"
    )
    tuned.fit(BINARY, SIDES)
    assert 0 <= tuned.best_threshold_ <= 1
    assert set(tuned.predict(BINARY)) <= set(SIDES)


# -- in pipelines, and for people


def test_features_stand_beside_others():
    frame = pd.DataFrame({"body": TEXTS, "stars": range(30)})
    columns = ColumnTransformer(
        [
            ("text", make_union(LayerFeatures(tiny_encoder()), TfidfVectorizer()), "body"),
            ("layer", LayerFeatures(tiny_encoder(), layers=0), ["body"]),
            ("stars", "passthrough", ["stars"]),
        ]
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(frame, Y)
    assert model.score(frame, Y) > 0.9
    names = columns.fit(frame).get_feature_names_out()
    assert {"text__layerfeatures__layer2_0", "layer__layer0_31", "stars__stars"} <= set(names)


@pytest.mark.parametrize(
    "model",
    [asked(), featured(), LayerFeatures(), asked(template=find_template("sentiment_zero_shot"))],
    ids=lambda model: type(model).__name__,
)
def test_notebooks_show_it_before_and_after_the_fit(model):
    assert type(model).__name__ in model._repr_html_()
    fitted = model.fit(TEXTS, Y) if hasattr(model, "predict") else model
    assert type(model).__name__ in fitted._repr_html_()
    assert "Pipeline" in make_pipeline(fitted)._repr_html_()


# -- weights of rows


def test_weights_of_rows_are_no_argument_and_whoever_gives_them_hears_of_it():
    weights = np.ones(30)
    with pytest.raises(TypeError, match="sample_weight"):
        featured().fit(TEXTS, Y, sample_weight=weights)
    with pytest.raises(TypeError, match="does not support sample weights"):
        VotingClassifier([("a", featured()), ("b", tfidf())]).fit(TEXTS, Y, sample_weight=weights)
    with pytest.raises(ValueError, match="doesn't support sample_weight"):
        AdaBoostClassifier(featured()).fit(np.array(TEXTS)[:, None], Y)


def test_weights_cannot_be_routed_to_it():
    with sklearn.config_context(enable_metadata_routing=True):
        assert not hasattr(featured(), "set_fit_request")
        assert featured().set_score_request(sample_weight=True)
        scores = cross_validate(
            featured().set_score_request(sample_weight=True),
            TEXTS,
            Y,
            cv=2,
            params={"sample_weight": np.linspace(0, 1, 30)},
        )
    assert len(scores["test_score"]) == 2
