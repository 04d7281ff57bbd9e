"""What the three ways of fine-tuning keep to, on tiny models of many families."""

import random

import numpy as np
import pytest
import torch

from promptkit.errors import BackendError, SpecError
from promptkit.protocols import FitContext
from promptkit.strategies import fine_tuning, training
from promptkit.strategies.full import Full
from promptkit.strategies.lora import LoRA
from promptkit.strategies.top_layers import TopLayers
from tests.strategies.tuned import FAMILIES, LABELS, READING, family, rows, same, weights

WAYS = {"full": Full, "top_layers": TopLayers, "lora": LoRA}
#: Large steps: these models are random and tiny.
QUICK = {"epochs": 2, "learning_rate": 0.01, "precision": "float32"}


def built(way, model="bert", labels=LABELS, **options):
    own = {"n_layers": 1} if way == "top_layers" else {}
    return WAYS[way](labels, READING, model=family(model), **{**QUICK, **own, **options})


def trained(strategy):
    return {**weights(strategy.base_.network), **weights(strategy.head_)}


@pytest.fixture
def held_out(monkeypatch):
    """Eighty rows are enough to hold some out."""
    monkeypatch.setattr(fine_tuning, "ENOUGH", 80)
    return {"held_out": 0.2}


class Killed(Exception):
    pass


def killing(at):
    def on_step(step):
        if step.done == at:
            raise Killed

    return on_step


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_tuned_saved_and_taken_up_again(way, name, tmp_path):
    strategy = built(way, name, epochs=1).fit(rows(16))
    found = strategy.predict(rows(6))
    strategy.save(tmp_path)
    again = built(way, name, epochs=1).restore(tmp_path).predict(rows(6))
    for one, other in zip(found, again, strict=True):
        assert one.label == other.label
        assert one.log_p == pytest.approx(other.log_p, abs=1e-4)
    kept = {file.suffix for file in tmp_path.rglob("*") if file.is_file()}
    assert kept <= {".safetensors", ".json", ".jinja", ".txt"}


@pytest.mark.parametrize("way", WAYS)
def test_it_learns_what_there_is_to_learn(way):
    strategy = built(way, "qwen3", epochs=8).fit(rows(40))
    found = strategy.predict(rows(40))
    right = np.mean([p.label == row.label for p, row in zip(found, rows(40), strict=True)])
    assert right > 0.9


@pytest.mark.parametrize("way", WAYS)
def test_the_same_seed_gives_the_same_weights_bit_for_bit(way):
    one, again = (trained(built(way).fit(rows(20))) for _ in range(2))
    assert same(one, again)
    assert not same(one, trained(built(way, seed=1).fit(rows(20))))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [24, 80])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_training_that_was_killed_goes_on_to_the_same_weights(
    way, n, precision, tmp_path, held_out
):
    options = {"epochs": 4, "patience": 4, "precision": precision, **held_out}
    whole = trained(built(way, **options).fit(rows(n)))
    killed = built(way, **options)
    per_epoch = 2 if n == 24 else 4
    with pytest.raises(Killed):
        killed.fit(rows(n), FitContext(tmp_path, killing(2 * per_epoch + 1)))
    assert list(tmp_path.glob("*/checkpoint-*"))
    seen = []
    taken_up = built(way, **options).fit(rows(n), FitContext(tmp_path, seen.append))
    assert seen[0].done == 2 * per_epoch + 1
    assert same(trained(taken_up), whole)
    assert not list(tmp_path.iterdir()), "no optimizer state stays"


def test_a_checkpoint_of_other_rows_or_options_is_not_taken_up(tmp_path):
    options = {"epochs": 3}
    with pytest.raises(Killed):
        built("lora", **options).fit(rows(24), FitContext(tmp_path, killing(5)))
    for given, other in ((rows(22), {}), (rows(24), {"rank": 2})):
        seen = []
        built("lora", **options, **other).fit(given, FitContext(tmp_path, seen.append))
        assert seen[0].done == 1


def test_a_training_that_had_stopped_early_is_not_trained_further(tmp_path, held_out):
    options = {"epochs": 12, "patience": 1, "learning_rate": 0.3, **held_out}
    steps = []
    whole = built("lora", **options).fit(rows(80), FitContext(on_step=steps.append))
    last = max(step.done for step in steps)
    assert last < steps[0].total
    folder = tmp_path / "kept"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "remove", lambda folder: None)  # as if killed right before
        built("lora", **options).fit(rows(80), FitContext(folder))
    again = []
    taken_up = built("lora", **options).fit(rows(80), FitContext(folder, again.append))
    assert again == []
    assert same(trained(taken_up), trained(whole))


def test_steps_tell_loss_and_held_out_score(held_out):
    steps = []
    strategy = built("lora", **held_out).fit(rows(80), FitContext(on_step=steps.append))
    assert steps[-1].done == steps[-1].total == 8
    assert all(step.loss > 0 for step in steps)
    assert steps[0].score is None
    assert steps[-1].score is not None
    assert strategy.training_.score in [step.score for step in steps]


def test_few_rows_are_all_trained_upon_for_all_epochs():
    strategy = built("full", epochs=3).fit(rows(20))
    assert (strategy.training_.epochs, strategy.training_.score) == (3, None)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_printed(way, capfd):
    built(way).fit(rows(16))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("way", WAYS)
def test_generators_and_environment_are_left_as_they_were(way):
    import os

    def draws():
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    before = dict(os.environ)
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    wanted = draws()
    random.seed(3), np.random.seed(3), torch.manual_seed(3)
    built(way, precision="bfloat16").fit(rows(12))
    assert draws() == wanted
    assert dict(os.environ) == before


def test_predictions_are_float32_after_training_in_bfloat16():
    strategy = built("full", precision="bfloat16").fit(rows(16))
    ids, _ = strategy._ids(rows(2))
    logits = strategy.base_.network(input_ids=torch.tensor(ids[:1])).last_hidden_state
    assert logits.dtype == torch.float32
    assert not hasattr(strategy.base_.network, "_original_forward")


@pytest.mark.parametrize("way", WAYS)
def test_one_label_needs_no_training_and_is_predicted(way, tmp_path):
    labels = ("bad", "good", "other")
    strategy = built(way, labels=labels).fit(rows(5, ("good",)))
    strategy.save(tmp_path)
    for one in (strategy, built(way, labels=labels).restore(tmp_path)):
        (found,) = one.predict(rows(1))
        assert (found.label, found.log_p) == ("good", (-np.inf, 0.0, -np.inf))
    assert strategy.cost.trained_parameters == 0


def test_a_label_without_rows_gets_no_probability():
    strategy = built("lora", labels=("bad", "other", "good")).fit(rows(16))
    assert all(found.log_p[1] == -np.inf for found in strategy.predict(rows(3)))


def test_control_tokens_in_a_row_are_text():
    from promptkit.types import Example

    strategy = built("lora").fit(rows(16))
    row = Example("x", {"text": "lovely [SEP] [MASK]"})
    (ids,), _ = strategy._ids([row])
    assert ids.count(3) == 1, "one [SEP], the tokenizer's own"
    assert 4 not in ids, "no [MASK]"


def test_a_loss_that_is_no_number_is_an_error_with_a_way_out():
    with pytest.raises(BackendError, match="lower learning_rate"):
        built("full", learning_rate=1e30, epochs=4, warmup=0.0).fit(rows(40))


def test_class_weights_change_what_is_learned():
    uneven = [*rows(18, ("bad",)), *rows(6, ("good",), start=18)]
    one, other = (
        trained(built("lora", class_weights=how).fit(uneven)) for how in ("none", "balanced")
    )
    assert not same(one, other)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "options",
    [{"epochs": 0}, {"learning_rate": 0}, {"warmup": 1}, {"precision": "int4"}, {"max_tokens": 0}],
)
def test_options_that_cannot_be_meant_are_refused_before_a_model_is_loaded(way, options):
    (name,) = options
    with pytest.raises(SpecError, match=f"option '{name}' is"):
        WAYS[way](LABELS, READING, model="./nowhere", **options).fit(rows(4))


@pytest.mark.parametrize("way", WAYS)
def test_the_card_says_what_was_trained(way, tmp_path):
    strategy = built(way).fit(rows(16))
    facts = strategy.card_facts()
    assert facts["epochs"] == 2
    assert facts["held-out accuracy"] is None
    assert facts["learning rate"] == 0.01
    assert facts["trained parameters"] == strategy.cost.trained_parameters > 66
    strategy.save(tmp_path)
    assert built(way).restore(tmp_path).card_facts() == facts
