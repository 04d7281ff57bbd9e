"""A LoRA adapter is put into a model, changes what it says, and names the run."""

import json

import peft
import pytest
import torch

from promptkit.backends.adapter import with_adapter
from promptkit.backends.hf import HFBackend
from promptkit.errors import BackendError, CapabilityError, SpecError
from promptkit.runs import EvalSpec, build, run
from promptkit.types import Candidate, Piece, Prompt
from tests.tiny import causal_model, tokenizer_of

LABELS = [Candidate(word, (Piece(f" {word}"),)) for word in ("good", "not good")]
PROMPT = Prompt("r", (Piece("Fine.", row=True), Piece("\nIt is")))


def saved(folder, scale):
    """An adapter whose products are this large; peft begins with none."""
    vocabulary = len(tokenizer_of("llama"))
    wrapped = peft.get_peft_model(
        causal_model("llama", vocabulary),
        peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"),
    )
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0.0, scale) if scale else parameter.zero_()
    wrapped.save_pretrained(str(folder))
    return str(folder)


@pytest.fixture
def adapter(tmp_path):
    return saved(tmp_path / "adapter", 0.5)


def test_scores_are_those_of_peft_and_tokens_are_still_shared(causal_folder, adapter):
    folder = str(causal_folder("llama"))
    plain, adapted = HFBackend(folder), HFBackend(folder, adapter=adapter)
    (found,) = adapted.score([PROMPT], [LABELS])
    assert found.log_p != pytest.approx(plain.score([PROMPT], [LABELS])[0].log_p, abs=1e-3)
    assert found.kind == "log-probability"
    wrapped = peft.PeftModel.from_pretrained(HFBackend(folder)._model, adapter).eval()
    request = adapted.tokens.request(PROMPT, LABELS)
    for value, answer in zip(found.log_p, request.answers, strict=True):
        ids = torch.tensor([(*request.context, *answer)])
        with torch.inference_mode():
            log_p = wrapped(input_ids=ids).logits[0].log_softmax(-1)
        start = len(request.context) - 1
        expected = sum(float(log_p[start + i, token]) for i, token in enumerate(answer))
        assert value == pytest.approx(expected, abs=5e-5)


def test_one_that_changes_nothing_is_refused(causal_folder, tmp_path):
    idle = saved(tmp_path / "idle", 0.0)
    with pytest.raises(BackendError, match="changes nothing"):
        HFBackend(str(causal_folder("llama")), adapter=idle)


def test_one_of_another_model_is_refused(causal_folder, adapter):
    with pytest.raises(BackendError, match="does not fit the model"):
        HFBackend(str(causal_folder("gpt2")), adapter=adapter)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "adapter_model.safetensors").unlink(), "is missing"),
        (lambda folder: (folder / "adapter_config.json").write_text("{"), "configuration"),
        (
            lambda folder: (folder / "adapter_config.json").write_text('{"peft_type": "IA3"}'),
            "of kind 'IA3'",
        ),
    ],
)
def test_what_is_no_adapter_is_told_before_weights_are_loaded(damage, said, adapter, tmp_path):
    damage(tmp_path / "adapter")
    with pytest.raises((BackendError, CapabilityError), match=said):
        with_adapter(None, adapter, None)


def test_a_run_is_named_by_what_the_adapter_holds(causal_folder, adapter, tmp_path, home):
    asked = EvalSpec(
        template="sentiment_zero_shot", model=str(causal_folder("llama")), limit=4, adapter=adapter
    )
    first = run(build(asked)).spec.fingerprint()
    moved = (tmp_path / "adapter").rename(tmp_path / "moved").rename(tmp_path / "adapter")
    assert build(asked).spec.fingerprint() == first
    saved(moved, 0.6)
    assert build(asked).spec.fingerprint() != first
    bare = build(asked.model_copy(update={"adapter": None}))
    assert "adapter" not in json.dumps(dict(bare.spec.backend["options"]))


def test_a_backend_that_takes_none_says_so(adapter, home):
    with pytest.raises(SpecError, match="backend 'embedding'"):
        build(EvalSpec(template="sentiment_zero_shot", adapter=adapter))
