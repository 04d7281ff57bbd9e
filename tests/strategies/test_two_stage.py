"""A model learns the texts of a task first: less surprised by them, and still of the same kind."""

import pytest
import torch

from promptkit.backends.weights import locate
from promptkit.errors import CapabilityError, SpecError, StoreError
from promptkit.protocols import FitContext
from promptkit.strategies.two_stage import TwoStage
from promptkit.types import Example
from tests.strategies.tuned import LABELS, READING, family, rows

UNLABELLED = [Example(f"u{i}", {"text": f"The waiter was kind indeed {i % 7}"}) for i in range(40)]


def strategy(name, **options):
    model = name if name == "minilm" else family(name)
    options = {"of": "head", "epochs": 8, "learning_rate": 2e-3, "batch_size": 8} | options
    return TwoStage(LABELS, READING, model=model, unlabelled=UNLABELLED, seed=1, **options)


@pytest.mark.parametrize("name", ["bert", "roberta", "modernbert", "llama", "gpt2"])
def test_the_texts_surprise_it_less_and_it_is_taken_up_again(name, tmp_path):
    losses = []
    one = strategy(name).fit(rows(12), FitContext(on_step=lambda step: losses.append(step)))
    # 40 unlabelled texts of which 7 are different, and 12 of training rows, each once
    assert one.learned_["rows"] == 7 + len({row.fields["text"] for row in rows(12)})
    first = [step.loss for step in losses[: one.learned_["steps"]] if step.loss is not None]
    assert sum(first[-3:]) < 0.9 * sum(first[:3])
    assert locate(str(one._adapted)).kind() == locate(family(name)).kind()
    one.save(tmp_path)
    again = strategy(name).restore(tmp_path)
    assert again.predict(rows(6)) == one.predict(rows(6))
    assert one.cost.seconds > 0


def test_a_sentence_encoder_stays_one(tmp_path):
    one = strategy("minilm", of="features", epochs=1).fit(rows(12))
    located = locate(str(one._adapted))
    assert located.kind() == "sentence-encoder"
    assert located.hash() != locate("minilm").hash()
    from safetensors.torch import load_file

    before, after = (
        load_file(locate(model).path / "model.safetensors")
        for model in ("minilm", str(one._adapted))
    )
    name = "encoder.layer.0.output.dense.weight"
    assert not torch.equal(before[name], after[name].to(before[name].dtype))
    assert (after[name].float() - before[name].float()).abs().max() < 0.1


def test_the_same_seed_gives_the_same_model_in_whatever_order_texts_come():
    one, other = strategy("bert"), strategy("bert")
    other.unlabelled = UNLABELLED[::-1]
    assert one.describe() == other.describe()
    found = [each.fit(rows(12)).gather(rows(4)) for each in (one, other)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"unlabelled": ()}, SpecError, "--option unlabelled=FILE"),
        ({"mask": 1.0}, SpecError, "must be below 1"),
        ({"epochs": 0}, SpecError, "'epochs'"),
        ({"of": "instruct"}, SpecError, "learns no labels upon a model"),
        ({"of": "tfidf"}, SpecError, "learns no labels upon a model"),
        ({"of_options": {"seed": 3}}, SpecError, "'seed' is said to two_stage itself"),
    ],
)
def test_what_cannot_be_is_refused(options, error, said):
    given = {"unlabelled": UNLABELLED, **options}
    with pytest.raises(error, match=said):
        TwoStage(LABELS, READING, model=family("bert"), **given).fit(rows(4))


def test_an_encoder_decoder_is_refused_and_an_empty_folder_too(tmp_path):
    with pytest.raises(CapabilityError, match="encoder-decoder"):
        strategy("t5").fit(rows(4))
    with pytest.raises(StoreError):
        strategy("bert").restore(tmp_path)
    with pytest.raises(StoreError, match="was not fitted"):
        strategy("bert").save(tmp_path)
