"""Vectors before every prompt: scored as peft scores them, learned, kept and taken up."""

import json

import peft
import pytest
import torch

from promptkit.backends.hf import HFBackend
from promptkit.backends.shared_passes import SharedPasses
from promptkit.backends.soft_prompt import SoftEmbedding, write_soft
from promptkit.errors import BackendError, CapabilityError, SpecError
from promptkit.prompts import find_template
from promptkit.runs import EvalSpec, build, run
from promptkit.runs.saved import load_model
from promptkit.runs.tune import tune
from promptkit.strategies.instruct import Instruct
from promptkit.strategies.preference import Preference
from promptkit.types import Candidate, Example, Piece, Prompt, Sampling
from tests.strategies.tuned import family

LABELS = [Candidate(word, (Piece(f" {word}"),)) for word in ("good", "not good")]
PROMPT = Prompt("r", (Piece("Fine.", row=True), Piece("\nIt is")))
TEMPLATE = find_template("sentiment_zero_shot")


def soft_folder(folder, name, n=5):
    backend = HFBackend(family(name))
    width = backend._model.get_input_embeddings().weight.shape[1]
    vectors = torch.randn(n, width, generator=torch.Generator().manual_seed(3))
    write_soft(folder, vectors, backend._model, "tiny")
    return str(folder)


@pytest.mark.parametrize("name", ["llama", "qwen3", "gemma", "gpt2", "opt"])
def test_scores_are_those_of_peft(name, tmp_path):
    adapter = soft_folder(tmp_path / "soft", name)
    plain, adapted = HFBackend(family(name)), HFBackend(family(name), adapter=adapter)
    (found,) = adapted.score([PROMPT], [LABELS])
    assert found.log_p != pytest.approx(plain.score([PROMPT], [LABELS])[0].log_p, abs=1e-3)
    wrapped = peft.PeftModel.from_pretrained(HFBackend(family(name))._model, adapter).eval()
    request = plain.tokens.request(PROMPT, LABELS)
    for value, answer in zip(found.log_p, request.answers, strict=True):
        ids = torch.tensor([(*request.context, *answer)])
        with torch.inference_mode():
            log_p = wrapped(input_ids=ids).logits[0].log_softmax(-1)
        start = 5 + len(request.context) - 1
        expected = sum(float(log_p[start + i, token]) for i, token in enumerate(answer))
        assert value == pytest.approx(expected, abs=5e-5)


def test_what_is_shared_is_computed_once_and_a_model_still_writes(tmp_path):
    adapted = HFBackend(family("llama"), adapter=soft_folder(tmp_path / "soft", "llama"))
    assert isinstance(adapted._scorer.reuse, SharedPasses)
    prompts = [Prompt(str(i), (Piece(f"{i} Fine.", True), Piece("\nIt is"))) for i in range(7)]
    together = adapted.score(prompts, [LABELS] * 7)
    alone = [adapted.score([one], [LABELS])[0] for one in prompts]
    for one, other in zip(together, alone, strict=True):
        assert one.log_p == pytest.approx(other.log_p, abs=1e-4)
    (written,) = adapted.generate([PROMPT], Sampling(max_new_tokens=4))
    assert written.generations[0].n_tokens <= 4


def test_only_the_vectors_are_learned_and_they_are_kept_alone(home, trained_folder, tmp_path):
    rows = [Example(str(i), {"text": f"word{i} is so"}, "neutral") for i in range(12)]
    strategy = Instruct(
        TEMPLATE, model=str(trained_folder), way="prompt", virtual_tokens=6, epochs=20,
        precision="float32",
    )  # fmt: skip
    losses = []
    from promptkit.protocols import FitContext

    strategy.fit(rows, FitContext(on_step=lambda step: losses.append(step.loss)))
    seen = [one for one in losses if one is not None]
    assert sum(seen[-4:]) < 0.75 * sum(seen[:4])
    assert isinstance(strategy._backend._model.get_input_embeddings(), SoftEmbedding)
    width = strategy._backend._model.config.hidden_size
    assert strategy.tuned_.trained_parameters == 6 * width
    (tmp_path / "kept").mkdir()
    strategy.save(tmp_path / "kept")
    files = sorted(file.name for file in (tmp_path / "kept" / "adapter").iterdir())
    assert files == ["adapter_config.json", "adapter_model.safetensors"]
    again = Instruct(TEMPLATE, model=str(trained_folder), way="prompt", virtual_tokens=6)
    found = again.restore(tmp_path / "kept").predict(rows)
    assert found == strategy.predict(rows)
    # and any evaluation takes it for an adapter
    asked = EvalSpec(template="sentiment_zero_shot", model=str(trained_folder), limit=4)
    plain, with_it = run(build(asked)), run(build(asked.model_copy(
        update={"adapter": str(tmp_path / "kept" / "adapter")})))  # fmt: skip
    assert plain.spec.fingerprint() != with_it.spec.fingerprint()
    assert [x.log_p for x in plain.predictions] != [x.log_p for x in with_it.predictions]


def test_it_is_tuned_and_used_from_files(home, causal_folder, tmp_path):
    options = {"way": "prompt", "virtual_tokens": 4, "epochs": 1}
    tune(
        EvalSpec(template="sentiment_zero_shot", model=str(causal_folder("llama")), limit=8,
                 strategy="instruct", strategy_options=options),
        tmp_path / "model",
    )  # fmt: skip
    assert len(load_model(tmp_path / "model").predict(["Fine.", "Bad."])) == 2


def test_what_cannot_be_is_refused(tmp_path):
    adapter = soft_folder(tmp_path / "soft", "llama")
    for other in ("t5", "bert"):  # a masked model would read its cloze without the vectors
        with pytest.raises(CapabilityError, match="causal language models read"):
            HFBackend(family(other), adapter=adapter)
    config = json.loads((tmp_path / "soft" / "adapter_config.json").read_text())
    assert config["peft_type"] == "PROMPT_TUNING"
    config["peft_type"] = "IA3"
    (tmp_path / "soft" / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(CapabilityError, match="'IA3'; a LoRA adapter, a soft prompt"):
        HFBackend(family("llama"), adapter=adapter)
    other = tmp_path / "other"
    write_soft(other, torch.ones(2, 3), HFBackend(family("llama"))._model, "tiny")
    with pytest.raises(BackendError, match="vectors of 3 numbers, and the model reads"):
        HFBackend(family("llama"), adapter=str(other))
    with pytest.raises(SpecError, match="preferences are learned by 'full' or 'lora'"):
        Preference(TEMPLATE, model=family("llama"), way="prompt")
