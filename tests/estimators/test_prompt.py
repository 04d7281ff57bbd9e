"""PromptClassifier keeps scikit-learn's manners, and never makes a probability up."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from promptkit.data import load
from promptkit.errors import DataError, PromptkitError, SpecError
from promptkit.estimators import PromptClassifier
from promptkit.prompts import find_template
from promptkit.selectors.copies import copy_key
from promptkit.types import Example

LABELS = ["negative", "neutral", "positive"]
TEXTS = [f"text number {number} says {number * 7}" for number in range(18)]
Y = [LABELS[number % 3] for number in range(18)]
PAIRS = {
    "premise": ["A dog runs.", "It rains.", "He sleeps."],
    "hypothesis": ["An animal moves.", "It is dry.", "He snores."],
}


def fake(**options):
    return PromptClassifier(**{"backend": "fake", **options})


def test_every_parameter_is_read_back_as_it_was_given():
    options = [1, 2]
    model = fake(shots=3, selector="random", labels=options, seed=5)
    assert model.get_params()["labels"] is options
    assert model.set_params(shots=1).shots == 1
    assert set(model.get_params()) == set(PromptClassifier().get_params())


def test_a_clone_has_the_parameters_and_nothing_learned():
    options = {"selector": "nearest", "selector_options": {"order": "nearest_first"}}
    model = fake(shots=3, **options).fit(TEXTS, Y)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "strategy_")


def test_options_of_the_verbalizer_reach_it():
    plain = fake().fit(TEXTS, Y).predict_proba(TEXTS)
    options = {"normalize": "bytes"}
    model = fake(verbalizer="words", verbalizer_options=options).fit(TEXTS, Y)
    assert model.strategy_.verbalizer.normalize == "bytes"
    assert not np.allclose(model.predict_proba(TEXTS), plain)
    assert model.get_params()["verbalizer_options"] is options
    with pytest.raises(SpecError, match="did you mean 'words'"):
        fake(verbalizer="word").fit(TEXTS, Y)


def test_fit_returns_itself_and_changes_no_parameter():
    model = fake(shots=2)
    before = dict(model.get_params())
    assert model.fit(TEXTS, Y) is model
    assert model.get_params() == before


def test_it_is_a_classifier_of_strings_to_scikit_learn():
    tags = get_tags(fake())
    assert is_classifier(fake())
    assert tags.estimator_type == "classifier"
    assert tags.input_tags.string
    assert not tags.target_tags.required
    assert "PromptClassifier(" in repr(fake())


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score"])
def test_what_is_not_fitted_says_so(method):
    arguments = (TEXTS, Y) if method == "score" else (TEXTS,)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(fake(), method)(*arguments)


def test_zero_shot_needs_neither_rows_nor_labels():
    model = fake().fit()
    assert model.classes_.tolist() == LABELS
    assert set(model.predict(TEXTS)) <= set(LABELS)


def test_rows_without_labels_are_taken_for_zero_shot():
    assert fake().fit(TEXTS).classes_.tolist() == LABELS


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(LABELS), texts=st.lists(st.sampled_from(TEXTS), max_size=5))
def test_a_prediction_is_the_label_of_the_highest_probability(order, texts):
    model = fake(labels=order).fit()
    proba = model.predict_proba(texts)
    assert model.classes_.tolist() == sorted(order)
    assert proba.shape == (len(texts), 3)
    assert np.allclose(proba.sum(axis=1), 1)
    assert model.predict(texts).tolist() == [LABELS[i] for i in proba.argmax(axis=1)]


def test_the_columns_belong_to_the_classes_whatever_the_order_of_the_template():
    rows = ["I love it, wonderful!", "I hate it, it broke at once."]
    model = PromptClassifier("sentiment_zero_shot", labels=["positive", "negative"]).fit()
    assert model.classes_.tolist() == ["negative", "positive"]
    assert model.predict(rows).tolist() == ["positive", "negative"]
    assert (model.predict_proba(rows).argmax(axis=1) == [1, 0]).all()


def test_a_label_set_that_is_narrowed_renormalises_and_leaves_other_rows_out():
    model = fake(labels=["positive", "negative"], shots=12).fit(TEXTS, Y)
    assert {shot.label for shot in model.strategy_.selector.pool_.rows} == {"negative", "positive"}
    assert np.allclose(model.predict_proba(TEXTS).sum(axis=1), 1)
    assert set(model.predict(TEXTS)) <= {"negative", "positive"}


def test_labels_written_otherwise_come_back_as_they_were_given():
    model = fake(shots=3).fit(TEXTS, [label.title() for label in Y])
    assert model.classes_.tolist() == ["Negative", "Neutral", "Positive"]
    assert set(model.predict(TEXTS)) <= {"Negative", "Neutral", "Positive"}


@pytest.mark.parametrize("values", [[0, 1, 2], [True, False], [0.5, 1.5]], ids=str)
def test_an_open_template_takes_labels_of_any_type(values):
    y = [values[number % len(values)] for number in range(len(TEXTS))]
    model = fake(template="topic_zero_shot", shots=2).fit(TEXTS, y)
    assert model.classes_.tolist() == sorted(values)
    assert model.predict(TEXTS).dtype == np.asarray(y).dtype


# -- rows of every kind


SHAPES = {
    "list": lambda: TEXTS,
    "tuple": lambda: tuple(TEXTS),
    "array": lambda: np.array(TEXTS),
    "objects": lambda: np.array(TEXTS, dtype=object),
    "column": lambda: np.array(TEXTS)[:, None],
    "series": lambda: pd.Series(TEXTS, index=range(100, 118)),
    "frame": lambda: pd.DataFrame({"text": TEXTS, "stars": 5, "id": "same"}),
    "mappings": lambda: [{"text": text, "other": 1} for text in TEXTS],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_may_come_in_many_shapes(shape):
    model = fake(shots=2).fit(SHAPES[shape](), Y)
    expected = fake(shots=2).fit(TEXTS, Y).predict_proba(TEXTS)
    assert np.array_equal(model.predict_proba(SHAPES[shape]()), expected)


@pytest.mark.parametrize(
    "y",
    [
        Y,
        np.array(Y),
        np.array(Y, dtype=object),
        pd.Series(Y, index=range(50, 68)),
        pd.Categorical(Y),
    ],
    ids=["list", "array", "objects", "series", "categorical"],
)
def test_labels_may_come_in_many_shapes(y):
    expected = fake(shots=2).fit(TEXTS, Y).predict(TEXTS)
    assert fake(shots=2).fit(TEXTS, y).predict(TEXTS).tolist() == expected.tolist()


@pytest.mark.parametrize("rows", [
    pd.DataFrame(PAIRS),
    pd.DataFrame(PAIRS)[["hypothesis", "premise"]].assign(more=1),
    [dict(zip(PAIRS, pair, strict=True)) for pair in zip(*PAIRS.values(), strict=True)],
    list(zip(*PAIRS.values(), strict=True)),
    pd.DataFrame(PAIRS).to_numpy(),
], ids=["frame", "columns swapped", "mappings", "tuples", "array"])  # fmt: skip
def test_a_template_of_two_fields_takes_them_by_name_or_in_order(rows):
    model = fake(template="entailment_zero_shot").fit()
    expected = fake(template="entailment_zero_shot").fit().predict_proba(pd.DataFrame(PAIRS))
    assert model.n_features_in_ == 2
    assert np.array_equal(model.predict_proba(rows), expected)


@pytest.mark.parametrize(
    "rows",
    [[], np.array([]), pd.DataFrame({"text": []}), pd.Series([], dtype=str)],
    ids=["list", "array", "frame", "series"],
)
def test_no_rows_give_no_predictions(rows):
    model = fake().fit()
    assert model.predict_proba(rows).shape == (0, 3)
    assert model.predict(rows).shape == (0,)


# -- in scikit-learn's hands


def test_cross_validation_scores_every_fold():
    assert cross_val_score(fake(shots=2), TEXTS, Y, cv=3).shape == (3,)


def test_cross_validated_predictions_are_labels():
    found = cross_val_predict(fake(shots=2), pd.DataFrame({"text": TEXTS}), Y, cv=3)
    assert set(found) <= set(LABELS)


def test_labels_that_scikit_learn_numbered_are_refused_and_not_guessed():
    # cross_val_predict gives every classifier 0, 1, 2 for its labels when it wants probabilities
    with pytest.raises(SpecError, match="has no label 0; known: negative, neutral, positive"):
        cross_val_predict(fake(), TEXTS, Y, cv=2, method="predict_proba")


def test_a_grid_search_tries_shots_and_selectors():
    grid = {"shots": np.arange(1, 3), "selector": ["random", "balanced"], "seed": [0]}
    search = GridSearchCV(fake(), grid, cv=StratifiedKFold(2)).fit(TEXTS, Y)
    assert len(search.cv_results_["params"]) == 4
    assert set(search.predict(TEXTS)) <= set(LABELS)


def test_it_stands_at_the_end_of_a_pipeline():
    pipe = Pipeline([("lower", FunctionTransformer(lambda rows: [r.lower() for r in rows])),
                     ("ask", fake(shots=2))])  # fmt: skip
    pipe.fit(TEXTS, Y).set_params(ask__shots=1)
    assert pipe.fit(TEXTS, Y).predict_proba(TEXTS).shape == (18, 3)


def test_workers_get_it_by_pickle():
    copy = pickle.loads(pickle.dumps(fake(shots=2, selector_options={})))
    assert copy.get_params() == fake(shots=2, selector_options={}).get_params()
    assert cross_val_score(copy, TEXTS, Y, cv=2, n_jobs=2).shape == (2,)


# -- templates


def test_a_template_may_be_given_by_object_or_path():
    template = find_template("sentiment_zero_shot")
    expected = fake().fit().predict_proba(TEXTS)
    for given_as in (template, template.path):
        assert np.array_equal(fake(template=given_as).fit().predict_proba(TEXTS), expected)


def test_a_template_object_survives_cloning_pickling_and_a_grid():
    template = find_template("sentiment_zero_shot").with_labels(["positive", "negative"])
    model = fake(template=template)
    expected = model.fit().predict_proba(TEXTS)
    for copy in (clone(model), pickle.loads(pickle.dumps(fake(template=template)))):
        assert np.array_equal(copy.fit().predict_proba(TEXTS), expected)
    grid = {"template": [template, find_template("sentiment_few_shot")]}
    assert GridSearchCV(fake(), grid, cv=2).fit(TEXTS, Y).predict(TEXTS).shape == (18,)


def test_labels_that_were_settled_in_a_template_object_are_kept():
    narrowed = find_template("sentiment_zero_shot").with_labels(["positive", "negative"])
    assert fake(template=narrowed).fit().classes_.tolist() == ["negative", "positive"]
    told = find_template("topic_zero_shot").with_labels(["sea", "air"])
    assert fake(template=told).fit().classes_.tolist() == ["air", "sea"]


# -- demonstrations


def shots_of(model, rows):
    """For each row the texts of the demonstrations that it was shown."""
    strategy = model.strategy_
    examples = [Example(f"q{number}", {"text": row}) for number, row in enumerate(rows)]
    pool = {row.id: row for row in strategy.selector.pool_.rows}
    return [[pool[i].fields["text"] for i in found.shots] for found in strategy.gather(examples)]


@pytest.mark.parametrize("selector", ["balanced", "random", "nearest", "bm25"])
def test_a_row_is_never_its_own_demonstration_nor_is_a_copy_of_it(selector):
    texts = [*TEXTS, TEXTS[0], TEXTS[1].upper(), f"  {TEXTS[2]} "]
    model = fake(shots=18, selector=selector).fit(texts, [*Y, *LABELS])
    for text, shots in zip(TEXTS, shots_of(model, TEXTS), strict=True):
        own = copy_key(Example("", {"text": text}))
        assert shots
        assert own not in {copy_key(Example("", {"text": shot})) for shot in shots}


def test_a_rows_prediction_does_not_depend_on_the_rows_beside_it():
    model = fake(shots=3).fit(TEXTS, Y)
    assert np.array_equal(model.predict_proba(TEXTS)[5:6], model.predict_proba(TEXTS[5:6]))


def test_demonstrations_and_their_seed_change_the_probabilities():
    zero, one, two = (
        fake(shots=shots, seed=seed).fit(TEXTS, Y).predict_proba(TEXTS)
        for shots, seed in ((0, 0), (3, 0), (3, 1))
    )
    assert not np.array_equal(zero, one)
    assert not np.array_equal(one, two)


def test_the_nearest_rows_are_chosen_by_the_models_own_vectors():
    pool = ["The soup was cold.", "My parcel never came.", "The gym has new machines."]
    model = PromptClassifier(shots=1, selector="nearest").fit(
        pool, ["negative", "negative", "neutral"]
    )
    found = shots_of(model, ["Where is my delivery?", "There is a treadmill now."])
    assert found == [[pool[1]], [pool[2]]]


def test_the_in_box_model_beats_chance_by_far_on_the_in_box_reviews():
    rows = load("customer_reviews", split="test", fields=("text",)).examples[:90]
    texts, golds = [row.fields["text"] for row in rows], [row.label for row in rows]
    assert PromptClassifier("sentiment_zero_shot").fit().score(texts, golds) > 0.5


# -- what is wrong is said in one line


@pytest.mark.parametrize(
    ("model", "x", "y", "said"),
    [
        ({}, TEXTS, list(range(18)), "'sentiment_zero_shot' has no label 0; .*rename your labels"),
        ({}, TEXTS[:3], ["positive", "negativ", "neutral"], "did you mean 'negative'"),
        ({}, TEXTS[:3], ["Positive", "positive", "neutral"], "are both the label 'positive'"),
        ({}, TEXTS[:3], ["positive"] * 3, "at least two"),
        ({}, TEXTS[:3], ["positive", "neutral"], "X has 3 rows and y has 2"),
        ({}, TEXTS[:3], ["positive", None, "neutral"], "y row 2: no label"),
        ({}, TEXTS[:2], [float("nan"), 1.0], "y row 1: no label"),
        ({"template": "topic_zero_shot"}, TEXTS[:2], np.array([1, "a"], object),
         "types int and str"),
        ({}, TEXTS[:2], np.ones((2, 2)), r"y has the shape \(2, 2\)"),
        ({}, [], [], "no label|no rows"),
        ({"shots": 2}, None, None, "shots=2 needs labelled rows"),
        ({"shots": 2}, TEXTS, None, "shots=2 needs labelled rows"),
        ({"shots": 1, "labels": ["positive", "negative"]}, TEXTS[:2], ["neutral"] * 2,
         "no row of y has one of the labels"),
        ({"shots": -1}, TEXTS, Y, "'shots'.*greater than or equal to 0, got -1"),
        ({"batch_size": "big"}, None, None, "batch_size"),
        ({"selector": "nearst", "shots": 1}, TEXTS, Y, "did you mean 'nearest'"),
        ({"selector": "random", "shots": 1, "selector_options": {"sed": 1}}, TEXTS, Y, "'sed'"),
        ({"labels": ["positive", "bad"]}, None, None, "has no label 'bad'"),
        ({"template": "topic_zero_shot"}, None, None, "leaves its labels open: give labels= or y"),
        ({"template": "multiple_choice"}, None, None, "have no classes"),
        ({"template": "sentiment_zero_shoot"}, None, None, "did you mean 'sentiment_zero_shot'"),
        ({"backend": "fakee"}, None, None, "did you mean 'fake'"),
        ({"shots": 1}, ["a", "", "c"], LABELS, "X row 2: 'text' is empty"),
        ({"shots": 1}, "one text", None, "X is one str; give a list of rows"),
        ({"template": "entailment_zero_shot", "shots": 1}, ["a", "b"], ["neutral", "entailment"],
         r"got 1D array .*2 fields are read \(premise, hypothesis\)\. Reshape your data"),
        ({"template": "entailment_zero_shot"}, np.array([["a"], ["b"]]), None,
         "X has 1 features, but PromptClassifier is expecting 2 features as input: premise"),
        ({"shots": 1}, pd.DataFrame({"review": ["a", "b"]}), LABELS[:2], "no column 'text'"),
    ],
)  # fmt: skip
def test_a_fit_that_cannot_work_says_why(model, x, y, said):
    with pytest.raises(PromptkitError, match=said):
        fake(**model).fit(x, y)


def test_a_row_that_cannot_be_scored_is_an_error_and_not_a_probability(monkeypatch):
    from promptkit.backends.fake import FakeBackend

    model = fake().fit()
    monkeypatch.setattr(model.strategy_, "backend", FakeBackend(max_words=3))
    with pytest.raises(DataError, match=r"cannot be scored: .*at most 3"):
        model.predict_proba(TEXTS[:1])


def test_an_error_is_of_promptkits_own_kind():
    with pytest.raises(SpecError):
        fake(labels=["x", "y"]).fit()


def test_the_order_of_the_training_rows_moves_no_draw():
    texts, labels = [f"text {i}" for i in range(12)], ["negative", "positive"] * 6
    asked = {"shots": 3, "selector": "random", "backend": "fake", "seed": 1}
    one = PromptClassifier(**asked).fit(texts, labels).predict_proba(["a", "b", "c"])
    back = PromptClassifier(**asked).fit(texts[::-1], labels[::-1]).predict_proba(["a", "b", "c"])
    assert np.array_equal(one, back)
