"""A head on a frozen model: frozen means frozen."""

import random

import numpy as np
import pytest
import torch

from promptkit.backends.weights import locate
from promptkit.errors import BackendError, SpecError, StoreError
from promptkit.protocols import FitContext
from promptkit.strategies.head import Head
from promptkit.strategies.pretrained import load_located
from tests.strategies.tuned import FAMILIES, LABELS, READING, family, rows, same, weights
from tests.tiny_encoder import tiny_encoder


def built(model="bert", labels=LABELS, **options):
    return Head(labels, READING, model=family(model), **{"epochs": 20, **options})


@pytest.mark.parametrize("name", FAMILIES)
def test_no_weight_of_any_family_is_changed_and_the_head_learns(name):
    before = weights(load_located(locate(family(name)), 512, torch.float32).network)
    strategy = built(name, learning_rate=0.02).fit(rows(24))
    assert same(weights(strategy.base_.network), before)
    found = strategy.predict(rows(24))
    assert np.mean([p.label == row.label for p, row in zip(found, rows(24), strict=True)]) > 0.7


@pytest.mark.parametrize("options", [{}, {"hidden": 5}, {"class_weights": "balanced"}])
def test_the_same_seed_gives_the_same_head_bit_for_bit(options):
    one, again = (built(**options).fit(rows(70)) for _ in range(2))
    assert same(weights(one.head_), weights(again.head_))
    other = built(seed=1, **options).fit(rows(70))
    assert not same(weights(one.head_), weights(other.head_))


def test_with_rows_enough_the_held_out_ones_say_how_long_and_then_all_are_trained_upon():
    steps = []
    strategy = built(patience=2, epochs=30).fit(rows(80), FitContext(on_step=steps.append))
    assert strategy.training_.score is not None
    first = [step for step in steps if step.score is not None]
    second = [step for step in steps if step.score is None]
    assert len(first) >= strategy.training_.epochs
    assert len(second) == strategy.training_.epochs


def test_trained_parameters_and_computed_tokens_are_counted():
    strategy = built()
    strategy.fit(rows(12))
    assert strategy.cost.trained_parameters == 32 * 2 + 2
    assert strategy.cost.computed_tokens >= strategy.cost.prompt_tokens > 0
    assert strategy.cost.rows == 0
    strategy.predict(rows(3))
    assert strategy.cost.rows == 3


def test_a_training_set_of_one_label_predicts_it_for_sure(tmp_path):
    strategy = built(labels=("bad", "good", "other")).fit(rows(6, ("good",)))
    for one in (strategy, strategy.save(tmp_path) or built(labels=("bad", "good", "other"))):
        one = one if one is strategy else one.restore(tmp_path)
        (found,) = one.predict(rows(1))
        assert (found.label, found.log_p) == ("good", (-np.inf, 0.0, -np.inf))


def test_labels_that_python_thinks_equal_are_told_apart():
    labels = (0, False, "", 1)
    strategy = Head(labels, READING, model=tiny_encoder(), epochs=2).fit(rows(12, (0, False, "")))
    (found,) = strategy.predict(rows(1))
    assert found.log_p[3] == -np.inf
    assert np.isfinite(found.log_p[:3]).all()


def test_restoring_needs_the_same_model(tmp_path):
    built().fit(rows(12)).save(tmp_path)
    with pytest.raises(BackendError, match="trained upon"):
        built("roberta").restore(tmp_path)


def test_restoring_needs_the_head(tmp_path):
    built().fit(rows(12)).save(tmp_path)
    (tmp_path / "head.safetensors").unlink()
    with pytest.raises(StoreError, match=r"head\.safetensors"):
        built().restore(tmp_path)


@pytest.mark.parametrize(
    "options",
    [{"epochs": 0}, {"hidden": -1}, {"dropout": 1.0}, {"class_weights": "some"}, {"patience": 0}],
)
def test_options_that_cannot_be_meant_are_refused_before_a_model_is_loaded(options):
    (name,) = options
    with pytest.raises(SpecError, match=f"option '{name}' is"):
        Head(LABELS, READING, model="./nowhere", **options).fit(rows(4))


def test_the_process_finds_its_generators_as_it_left_them():
    def draws():
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    wanted = draws()
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    built().fit(rows(12))
    assert draws() == wanted


def test_the_card_says_what_was_trained():
    facts = built(epochs=3).fit(rows(12)).card_facts()
    assert facts == {
        "epochs": 3,
        "held-out accuracy": None,
        "learning rate": 5e-4,
        "trained parameters": 66,
    }
