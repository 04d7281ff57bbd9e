"""What every strategy keeps to: rows in, predictions out, in the same order and by the same ids."""

import tempfile
from functools import cache
from pathlib import Path

import pytest

from promptkit.backends.fake import FakeBackend
from promptkit.errors import DataError
from promptkit.prompts import find_template
from promptkit.selectors import SELECTORS
from promptkit.strategies import STRATEGIES
from promptkit.strategies.reading import Reading
from promptkit.types import Example
from promptkit.verbalizers import VERBALIZERS
from tests.tiny import save_causal, save_masked
from tests.tiny_encoder import tiny_encoder

LABELS = ("negative", "neutral", "positive")
TRAIN = [Example(f"t{i}", {"text": f"training text {i}"}, LABELS[i % 3]) for i in range(9)]
ROWS = [Example(f"r{i}", {"text": f"some text {i * 7 % 5}"}, None) for i in range(7)]
NAMES = list(STRATEGIES)
#: Those whose answers are among the labels that they were shown; a language model knows all words.
LANGUAGE = ("in_context", "generate", "instruct", "preference", "prompt_based")
LEARNED = [name for name in NAMES if name not in LANGUAGE]


def in_context(shots=2, selector="balanced", backend=None):
    return STRATEGIES.build(
        "in_context",
        {
            "template": find_template("sentiment_zero_shot"),
            "backend": backend or FakeBackend(),
            "selector": SELECTORS.build(selector, {}) if isinstance(selector, str) else selector,
            "verbalizer": VERBALIZERS.build("words", {}),
            "shots": shots,
        },
    )


def generate(backend=None, **options):
    return STRATEGIES.build(
        "generate",
        {
            "template": find_template("sentiment_zero_shot"),
            "backend": backend or FakeBackend(),
            "selector": SELECTORS.build("balanced", {}),
            "shots": 2,
            **options,
        },
    )


def learned(name, **options):
    """A maker of a strategy that learns from rows."""
    return lambda: STRATEGIES.build(
        name, {"labels": LABELS, "reading": Reading(("text",)), **options}
    )


def nearest_neighbour():
    return learned("nearest_neighbour", model=tiny_encoder())()


def on_a_tiny_encoder(name, **options):
    """A maker of a strategy that loads a model."""
    return lambda: learned(name, model=tiny_encoder(), **options)()


@cache
def tiny_llama():
    """The folder of a tiny Llama."""
    return str(save_causal("llama", Path(tempfile.mkdtemp(prefix="tiny-llama-"))))


def on_a_tiny_llama(name):
    """A maker of a strategy that tunes a language model."""
    template = find_template("sentiment_zero_shot")
    options = {"epochs": 1, "precision": "float32"}
    return lambda: STRATEGIES.build(name, {"template": template, "model": tiny_llama(), **options})


@cache
def tiny_bert():
    """The folder of a tiny BERT."""
    return str(save_masked("bert", Path(tempfile.mkdtemp(prefix="tiny-bert-"))))


def on_a_tiny_bert():
    """A strategy that tunes a masked language model."""
    options = {"template": find_template("sentiment_cloze"), "model": tiny_bert()}
    return STRATEGIES.build("prompt_based", options | {"epochs": 1, "precision": "float32"})


MAKERS = {
    "bitfit": on_a_tiny_encoder("bitfit", epochs=1),
    "contrastive": on_a_tiny_encoder("contrastive", epochs=1),
    "features": on_a_tiny_encoder("features", cache=False),
    "full": on_a_tiny_encoder("full", epochs=1),
    "generate": generate,
    "head": on_a_tiny_encoder("head", epochs=2),
    "in_context": in_context,
    "instruct": on_a_tiny_llama("instruct"),
    "lora": on_a_tiny_encoder("lora", epochs=1),
    "majority": learned("majority"),
    "nearest_neighbour": nearest_neighbour,
    "peft": on_a_tiny_encoder("peft", method="vera", epochs=1),
    "preference": on_a_tiny_llama("preference"),
    "prompt_based": on_a_tiny_bert,
    "random": learned("random"),
    "two_stage": learned("two_stage", of="head", unlabelled=ROWS, epochs=1),
    "self_training": learned("self_training", of="tfidf", unlabelled=ROWS, threshold=0.3, rounds=1),
    "tfidf": learned("tfidf"),
    "top_layers": on_a_tiny_encoder("top_layers", epochs=1, n_layers=1),
}


def alike(one, other):
    """Whether two lists of predictions agree, up to the rounding of other batches."""
    same = [(p.example_id, p.label, p.problem, p.text) for p in one] == [
        (p.example_id, p.label, p.problem, p.text) for p in other
    ]
    pairs = zip(one, other, strict=True)
    return same and all(a.log_p == pytest.approx(b.log_p, abs=1e-4) for a, b in pairs)


@pytest.fixture(params=NAMES)
def strategy(request):
    return MAKERS[request.param]()


def test_every_strategy_is_under_this_contract():
    assert set(MAKERS) == set(NAMES)


def test_fit_returns_itself(strategy):
    assert strategy.fit(TRAIN) is strategy


def test_predictions_keep_the_order_and_the_ids_of_the_rows(strategy):
    strategy.fit(TRAIN)
    for rows in (ROWS, ROWS[::-1], ROWS[3:4], []):
        assert [p.example_id for p in strategy.predict(rows)] == [row.id for row in rows]


def test_a_rows_prediction_does_not_depend_on_the_rows_beside_it(strategy):
    strategy.fit(TRAIN)
    together = {p.example_id: p for p in strategy.predict(ROWS[::-1])}
    for row in ROWS:
        assert alike(strategy.predict([row]), [together[row.id]])


def test_conclusions_from_stored_evidence_are_the_predictions(strategy):
    strategy.fit(TRAIN)
    assert strategy.conclude(ROWS, strategy.gather(ROWS)) == strategy.predict(ROWS)


def test_gathering_in_parts_is_gathering(strategy):
    strategy.fit(TRAIN)
    parts = [*strategy.gather(ROWS[:3]), *strategy.gather(ROWS[3:])]
    assert alike(strategy.conclude(ROWS, parts), strategy.predict(ROWS))


def test_probabilities_sum_to_one_and_the_label_has_the_highest(strategy):
    import numpy as np

    for prediction in strategy.fit(TRAIN).predict(ROWS):
        assert prediction.label in LABELS
        if prediction.text:  # what is written has none
            assert prediction.log_p is None
            continue
        assert np.exp(prediction.log_p).sum() == pytest.approx(1)
        assert LABELS[int(np.argmax(prediction.log_p))] == prediction.label


def test_it_describes_itself_in_json_values(strategy):
    import json

    described = strategy.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["name"] in NAMES


def test_fitting_again_forgets_the_rows_before(strategy):
    fresh = strategy.fit(TRAIN).predict(ROWS)
    strategy.fit(TRAIN[:2])
    assert alike(strategy.fit(TRAIN).predict(ROWS), fresh)


def test_what_was_saved_and_taken_up_again_predicts_the_same(strategy, tmp_path):
    strategy.fit(TRAIN).save(tmp_path)
    again = MAKERS[strategy.describe()["name"]]().restore(tmp_path)
    assert alike(again.predict(ROWS), strategy.predict(ROWS))


def test_what_is_saved_holds_no_pickle(strategy, tmp_path):
    strategy.fit(TRAIN).save(tmp_path)
    suffixes = {file.suffix for file in tmp_path.rglob("*") if file.is_file()}
    assert suffixes <= {".json", ".jsonl", ".safetensors", ".txt"}


def test_what_it_has_done_only_grows(strategy):
    before = strategy.cost
    after = strategy.fit(TRAIN).cost
    strategy.predict(ROWS)
    assert before.seconds <= after.seconds <= strategy.cost.seconds
    assert strategy.cost.rows - after.rows == len(ROWS)


@pytest.mark.parametrize("name", LEARNED)
def test_a_label_that_no_training_row_has_is_never_said(name):
    strategy = MAKERS[name]()
    for seen in (LABELS[:2], LABELS[:1]):
        for prediction in strategy.fit([row for row in TRAIN if row.label in seen]).predict(ROWS):
            assert prediction.label in seen
            assert prediction.log_p[2] == -float("inf")


@pytest.mark.parametrize("name", [*LEARNED, "instruct", "preference", "prompt_based"])
def test_a_training_row_of_another_task_is_an_error(name):
    with pytest.raises(DataError, match=r"'t9'.*none of the task's labels"):
        MAKERS[name]().fit([*TRAIN, Example("t9", {"text": "x"}, "angry")])


def test_a_training_row_is_never_its_own_demonstration():
    strategy = in_context(shots=len(TRAIN)).fit(TRAIN)
    for row, evidence in zip(TRAIN, strategy.gather(TRAIN), strict=True):
        assert row.id not in evidence.shots
        assert len(evidence.shots) == len(TRAIN) - 1


@pytest.mark.parametrize("name", ["in_context", "generate"])
def test_a_selector_that_returns_the_query_is_caught(name):
    class Careless:
        def fit(self, pool):
            self.pool = list(pool)
            return self

        def select(self, query, k):
            return self.pool[:k]

    strategy = MAKERS[name](selector=Careless())
    with pytest.raises(DataError, match=r"its own demonstration: selector Careless"):
        strategy.fit(TRAIN).predict(TRAIN[:1])


def test_a_row_that_does_not_fit_is_unscored_and_never_guessed():
    strategy = in_context(shots=0, selector="none", backend=FakeBackend(max_words=3))
    (prediction,) = strategy.fit([]).predict(ROWS[:1])
    assert (prediction.label, prediction.log_p) == (None, None)
    assert "at most 3" in prediction.problem


def test_zero_shot_needs_no_training_rows():
    assert len(in_context(shots=0, selector="none").fit([]).predict(ROWS)) == len(ROWS)
