"""Frozen features end to end: what is chosen, what is kept, and that the model stays as it is."""

import json
import warnings

import numpy as np
import pytest
import torch

from promptkit.backends.feature_cache import features_home
from promptkit.data import load
from promptkit.errors import CapabilityError, DataError, SpecError, StoreError
from promptkit.prompts.label_rows import rows_about
from promptkit.strategies.feature_heads import CLASSIFIERS
from promptkit.strategies.features import Features, combined
from promptkit.strategies.reading import Reading
from promptkit.types import Example
from tests.tiny import save_masked
from tests.tiny_encoder import tiny_encoder

LABELS = ("bad", "good")
GOOD = ["I love it", "great work", "very nice room", "a lovely day", "the best ever", "so happy"]
BAD = ["I hate it", "poor work", "a dirty room", "an awful day", "the worst ever", "so sad"]
TRAIN = [
    Example(f"{label}{i}", {"text": text}, label)
    for label, texts in (("good", GOOD), ("bad", BAD))
    for i, text in enumerate(texts)
]
ROWS = [Example(f"r{i}", {"text": text}) for i, text in enumerate(["I like it", "bad food", "so"])]
READING = Reading(("text",))


def features(labels=LABELS, model=None, **options):
    model = model or tiny_encoder()
    return Features(labels, READING, model=model, cache=False, **options)


def log_p(strategy, rows=ROWS):
    return np.array([evidence.log_p for evidence in strategy.gather(rows)])


def test_the_in_box_encoder_learns_in_box_rows():
    rows = load("customer_reviews", split="train", fields=("text",)).examples
    test = load("customer_reviews", split="test", fields=("text",)).examples
    labels = ("negative", "neutral", "positive")
    strategy = features(labels, model="minilm").fit(rows)
    predicted = strategy.predict(test)
    right = [p.label == row.label for p, row in zip(predicted, test, strict=True)]
    assert np.mean(right) > 0.6
    assert len(strategy.layers_) == 4
    assert strategy.pooling_ in ("mean", "cls")


def test_statements_are_learned_and_let_a_label_with_one_row_be_chosen_on():
    said = rows_about({"good": ["lovely", "so good"], "bad": ["awful", "so poor"]}, ["text"])
    one_each = [TRAIN[0], TRAIN[-1]]
    assert features().fit(one_each).searched_ == {}  # nothing can be held out
    told = features(label_rows=said).fit(one_each)
    assert told.searched_
    assert not np.allclose(log_p(told), log_p(features().fit(one_each)))
    only_good = [row for row in TRAIN if row.label == "good"]
    assert np.isfinite(log_p(features(label_rows=said).fit(only_good))).all()
    with pytest.raises(DataError, match="no labelled row"):
        features(label_rows=said).fit([])


def test_every_weight_of_the_model_is_the_same_after_a_fit():
    strategy = features(layers="mix")
    before = {name: value.clone() for name, value in strategy.states.network.state_dict().items()}
    strategy.fit(TRAIN).predict(ROWS)
    after = strategy.states.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_order_of_the_training_rows_changes_nothing():
    one, other = features().fit(TRAIN), features().fit(TRAIN[::-1])
    assert one.chosen_ == other.chosen_
    assert np.array_equal(log_p(one), log_p(other))


def test_the_same_seed_gives_the_same_and_another_deals_other_rows():
    assert np.array_equal(log_p(features(seed=3).fit(TRAIN)), log_p(features(seed=3).fit(TRAIN)))
    told = [tuple(features(seed=seed).fit(TRAIN).searched_.values()) for seed in (0, 1)]
    assert told[0] != told[1]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [(0, (0,)), (-1, (2,)), (-3, (0,)), ([0, -1], (0, 2)), ("all", (0, 1, 2)),
     ("mix", (0, 1, 2))],
)  # fmt: skip
def test_layers_are_those_that_were_asked_for(layers, expected):
    strategy = features(layers=layers, pooling="mean").fit(TRAIN)
    assert strategy.layers_ == expected
    width = 32 if layers == "mix" else 32 * len(expected)
    assert strategy.fitted_.head.weights.shape == (2, width)


def test_one_layer_or_a_block_is_chosen():
    assert len(features(layers="one").fit(TRAIN).layers_) == 1
    assert features().fit(TRAIN).layers_ in {(0, 1), (1, 2), (2,)}
    assert len(features(layers="one").fit(TRAIN).searched_) == 6


def test_the_mean_of_layers_has_weights_with_the_sum_one():
    mix = features(layers="mix").fit(TRAIN).fitted_.mix
    assert mix.shape == (3,)
    assert mix.sum() == pytest.approx(1)
    assert (mix > 0).all()


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_each_classifier_is_taken_up_again(classifier, tmp_path):
    strategy = features(classifier=classifier, layers=-1, pooling="mean").fit(TRAIN)
    assert np.exp(log_p(strategy)).sum(axis=1) == pytest.approx(np.ones(3))
    strategy.save(tmp_path)
    again = features(classifier=classifier, layers=-1, pooling="mean").restore(tmp_path)
    assert np.array_equal(log_p(again), log_p(strategy))
    assert again.chosen_ == strategy.chosen_


@pytest.mark.parametrize("scaling", ["standard", "unit", "none"])
@pytest.mark.parametrize("layers", ["choose", "all", "mix"])
def test_every_way_is_taken_up_again(scaling, layers, tmp_path):
    strategy = features(scaling=scaling, layers=layers).fit(TRAIN)
    strategy.save(tmp_path)
    again = features(scaling=scaling, layers=layers).restore(tmp_path)
    assert np.array_equal(log_p(again), log_p(strategy))


def test_with_a_fixed_regularisation_it_is_plain_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    options = {"layers": -1, "pooling": "mean", "scaling": "unit", "regularisation": 0.5}
    strategy = features(**options).fit(TRAIN)
    texts = [READING(row) for row in [*TRAIN, *ROWS]]
    states = strategy.states.pooled(texts, ["mean"], [-1])["mean"][:, 0]
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    plain = LogisticRegression(C=2.0, max_iter=1000).fit(unit[:12], [row.label for row in TRAIN])
    assert np.exp(log_p(strategy)) == pytest.approx(plain.predict_proba(unit[12:]), abs=1e-3)


def test_one_row_a_label_takes_the_last_layer():
    strategy = features().fit([TRAIN[0], TRAIN[-1]])
    assert strategy.layers_ == (2,)
    assert strategy.searched_ == {}
    assert strategy.predict(TRAIN[:1])[0].label == "good"


def test_a_label_with_one_row_beside_others_is_learned_too():
    rows = [*TRAIN, Example("odd", {"text": "what time is it?"}, "odd")]
    strategy = features((*LABELS, "odd"), regularisation=0.01).fit(rows)
    assert strategy.predict(rows[-1:])[0].label == "odd"


def test_one_label_alone_is_certain():
    strategy = features(layers="mix").fit(TRAIN[:4])
    assert {p.label for p in strategy.predict(ROWS)} == {"good"}
    assert log_p(strategy).tolist() == [[-np.inf, 0.0]] * 3


def test_labels_that_python_holds_equal_are_told_apart():
    rows = [Example(r.id, r.fields, {"good": True, "bad": 1}[r.label]) for r in TRAIN]
    found = [p.label for p in features((1, True), classifier="knn").fit(rows).predict(rows)]
    assert {type(label) for label in found} == {int, bool}


def test_known_texts_cost_no_computation():
    strategy = features().fit(TRAIN)
    before = strategy.cost
    strategy.fit(TRAIN).predict(TRAIN)
    spent = strategy.cost - before
    assert spent.computed_tokens == 0
    assert spent.rows == len(TRAIN)
    assert spent.prompt_tokens > 0
    assert spent.trained_parameters == 2 * (32 * len(strategy.layers_) + 1)
    assert spent.stored_bytes > 0


def test_a_template_stands_around_the_row():
    from promptkit.prompts import find_template

    template = find_template("sentiment_zero_shot")
    strategy = Features(LABELS, Reading(("text",), template), model=tiny_encoder(), cache=False)
    assert strategy.fit(TRAIN).describe()["template"] == "sentiment_zero_shot"
    assert not np.array_equal(log_p(strategy), log_p(features().fit(TRAIN)))


def test_what_is_cut_off_is_counted():
    (evidence,) = features().fit(TRAIN).gather([Example("long", {"text": "word " * 200})])
    assert evidence.cut_chars > 100


def test_states_are_kept_on_disk_unless_a_restored_model_predicts(home, tmp_path):
    strategy = Features(LABELS, READING, model=tiny_encoder())
    strategy.fit(TRAIN)
    kept = sorted(features_home().rglob("*.safetensors"))
    assert kept
    strategy.predict(ROWS)
    more = sorted(features_home().rglob("*.safetensors"))
    assert len(more) > len(kept)
    (tmp_path / "saved").mkdir()
    strategy.save(tmp_path / "saved")
    again = Features(LABELS, READING, model=tiny_encoder()).restore(tmp_path / "saved")
    again.predict([Example("new", {"text": "something new"})])
    assert sorted(features_home().rglob("*.safetensors")) == more


def test_a_saved_state_belongs_to_its_weights(tmp_path):
    (tmp_path / "saved").mkdir()
    features().fit(TRAIN).save(tmp_path / "saved")
    other = save_masked("roberta", tmp_path / "other")
    with pytest.raises(StoreError, match="give the same model"):
        features(model=str(other)).restore(tmp_path / "saved")


@pytest.mark.parametrize("file", ["features.safetensors", "features.json"])
def test_a_saved_state_that_is_broken_is_said(file, tmp_path):
    features().fit(TRAIN).save(tmp_path)
    (tmp_path / file).write_text("{")
    with pytest.raises(StoreError, match="save the model again"):
        features().restore(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        features().restore(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": "chose"}, "did you mean 'choose'"),
        ({"layers": 1.5}, "layers"),
        ({"layers": True}, "layers"),
        ({"layers": []}, "layers"),
        ({"layers": [1, "2"]}, "layers"),
        ({"pooling": "maen"}, "did you mean 'mean'"),
        ({"classifier": "logit"}, "no classifier named 'logit'"),
        ({"regularisation": 0}, "above 0"),
        ({"regularisation": "strong"}, "'choose' or a number"),
        ({"regularisation": float("nan")}, "above 0"),
        ({"regularisation": True}, "'choose' or a number"),
        ({"regularisation": 1, "classifier": "centroid"}, "nothing to regularise"),
        ({"regularisation": 1.5, "classifier": "knn"}, "whole number"),
        ({"scaling": "units"}, "did you mean 'unit'"),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_a_model_is_loaded(options, message):
    with pytest.raises(SpecError, match=message):
        Features(LABELS, READING, model="/nowhere", **options)


@pytest.mark.parametrize("layers", [3, -4, [0, 3]])
def test_a_layer_that_the_model_does_not_have_is_refused(layers):
    with pytest.raises(SpecError, match=r"the model has the layers 0 \(embedding\) to 2"):
        features(layers=layers, pooling="mean").fit(TRAIN)


def test_a_layer_twice_is_refused():
    with pytest.raises(SpecError, match="twice"):
        features(layers=[2, -1]).fit(TRAIN)


def test_the_first_token_of_a_causal_model_is_refused(causal_folder):
    model = str(causal_folder("llama"))
    with pytest.raises(CapabilityError, match="use 'last' or 'mean'"):
        features(model=model, pooling="cls").fit(TRAIN)
    assert features(model=model).fit(TRAIN).pooling_ in ("mean", "last")


def test_no_rows_are_an_error():
    with pytest.raises(DataError, match="no labelled row"):
        features().fit([])


def test_it_describes_what_can_change_the_result():
    described = features(layers=[0, -1], pooling="mean", regularisation=1.0).describe()
    assert json.loads(json.dumps(described)) == described
    assert described["layers"] == [0, -1]
    assert "seed" not in described
    assert features(layers="one", pooling="mean", regularisation=1.0).describe()["seed"] == 0


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for classifier in CLASSIFIERS:
            features(classifier=classifier).fit(TRAIN[:7]).predict(ROWS)
            # as many labels as make scikit-learn ask whether they are numbers
            labels = tuple(range(20))
            rows = [Example(f"r{i}", {"text": f"text {i}"}, i // 2) for i in range(39)]
            features(labels, classifier=classifier, pooling="mean").fit(rows)


def test_layers_side_by_side_keep_their_length():
    scaled = np.ones((2, 4, 9)) / 3.0
    assert np.linalg.norm(combined(scaled), axis=1) == pytest.approx([1.0, 1.0])
    assert combined(scaled, np.array([1.0, 0, 0, 0])).shape == (2, 9)
