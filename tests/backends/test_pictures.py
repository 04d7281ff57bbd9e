"""Language models that read pictures as well (Gemma 3, Qwen-VL): texts alone are put to them."""

import pytest
import torch
import transformers as tf

from promptkit.backends.hf import HFBackend
from promptkit.backends.hidden import HiddenStates
from promptkit.backends.weights import locate
from promptkit.data import load
from promptkit.runs import EvalSpec
from promptkit.runs.predictor import of_saved
from promptkit.runs.saved import load_model
from promptkit.runs.tune import tune
from promptkit.types import Sampling
from tests.causal_families import MORE
from tests.trained_prompts import FEELINGS, labels, prompts


@pytest.fixture(scope="module", params=["gemma3_pictures", "qwen2_5_pictures"])
def folder(request, tmp_path_factory, causal_folder):
    path = tmp_path_factory.mktemp(request.param)
    tokenizer = tf.AutoTokenizer.from_pretrained(causal_folder("llama"))
    config = MORE[request.param]()
    config.text_config.vocab_size = len(tokenizer)
    torch.manual_seed(0)
    tf.AutoModelForImageTextToText.from_config(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def test_they_are_causal_models_as_long_as_the_part_that_reads_texts(folder):
    assert locate(str(folder)).kind() == "causal"
    assert locate(str(folder)).reads_pictures()
    assert HFBackend(str(folder), device="cpu").max_tokens == 512


def test_labels_are_scored_alike_in_batches_and_alone_and_texts_are_written(folder):
    asked = prompts()[:6], labels(FEELINGS, 6)
    together = HFBackend(str(folder), device="cpu", dtype="float32")
    alone = HFBackend(str(folder), device="cpu", dtype="float32", batch_size=1)
    for one, other in zip(together.score(*asked), alone.score(*asked), strict=True):
        assert one.log_p == pytest.approx(other.log_p, abs=1e-4)
    written = together.generate(asked[0], Sampling(max_new_tokens=3))
    assert all(one.generations[0].n_tokens for one in written)


def test_features_are_the_states_of_the_part_that_reads_texts(folder):
    states = HiddenStates(str(folder), device="cpu")
    assert (states.n_layers, states.width) == (3, 32)
    assert "vision" not in " ".join(name for name, _ in states.network.named_modules())


@pytest.mark.parametrize("strategy", ["lora", "instruct"])
def test_they_are_tuned_saved_and_taken_up_again(folder, home, strategy):
    options = {"epochs": 1, "learning_rate": 0.01}
    tune(
        EvalSpec(strategy=strategy, template="sentiment_zero_shot", model=str(folder),
                 strategy_options=options, data="customer_reviews", limit=24),
        "made",
    )  # fmt: skip
    rows = load("customer_reviews").examples[:4]
    found = of_saved(load_model("made")).strategy.predict(rows)
    assert all(one.log_p is not None for one in found)
