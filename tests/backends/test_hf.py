"""Scores of the hf backend equal the plain computation, one sequence at a time."""

import json
import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM

from promptkit.backends.hf import HFBackend
from promptkit.errors import BackendError, CapabilityError
from promptkit.prompts import find_template
from promptkit.types import Candidate, Example, Piece, Prompt
from tests.tiny import CAUSAL

TEXTS = [
    "Fine.",
    "The room was noisy, the bed was hard and nobody came.",
    "So so [SEP] </s>",
    "ok " * 40,
]
ANSWERS = (" good", " not good at all", " not", " bad", "\nneutral")


def asked():
    prompts = [
        Prompt(
            str(i), instruction=(Piece("Judge it."),), query=(Piece(text, True), Piece("\nIt is"))
        )
        for i, text in enumerate(TEXTS)
    ]
    return prompts, [[Candidate(a, (Piece(a),)) for a in ANSWERS]] * len(prompts)


def plain_scores(folder, requests):
    """log P of each answer: one forward pass a sequence, nothing shared, nothing padded."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    scores = []
    for request in requests:
        row = []
        for answer in request.answers:
            ids = torch.tensor([[*request.context, *answer]])
            with torch.inference_mode():
                log_p = model(input_ids=ids).logits[0].double().log_softmax(-1)
            start = len(request.context)
            row.append(sum(log_p[start + i - 1, t].item() for i, t in enumerate(answer)))
        scores.append(row)
    return scores


@pytest.mark.parametrize("family", CAUSAL)
def test_scores_equal_the_plain_computation(family, causal_folder):
    backend = HFBackend(str(causal_folder(family)))
    prompts, candidates = asked()
    found = backend.score(prompts, candidates)
    requests = [backend.tokens.request(p, c) for p, c in zip(prompts, candidates, strict=True)]
    for evidence, expected in zip(
        found, plain_scores(causal_folder(family), requests), strict=True
    ):
        assert evidence.log_p == pytest.approx(expected, abs=1e-5)
    assert any(n > 1 for n in found[0].n_tokens)


@pytest.mark.parametrize("family", CAUSAL)
def test_scores_depend_neither_on_batches_nor_on_the_order_of_rows_and_candidates(
    family, causal_folder
):
    folder = str(causal_folder(family))
    prompts, candidates = asked()
    whole = HFBackend(folder).score(prompts, candidates)
    one = HFBackend(folder, batch_size=1)
    back = one.score(prompts[::-1], [row[::-1] for row in candidates])[::-1]
    for there, here in zip(whole, back, strict=True):
        assert there.example_id == here.example_id
        assert there.log_p == pytest.approx(here.log_p[::-1], abs=1e-5)


def test_a_label_that_begins_another_is_scored_at_its_own_end(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    prompt = Prompt("1", query=(Piece("It is"),))
    both = backend.score([prompt], [[Candidate(a, (Piece(a),)) for a in (" not", " not good")]])[0]
    alone = backend.score([prompt], [[Candidate("x", (Piece(" not"),))]])[0]
    assert both.log_p[0] == pytest.approx(alone.log_p[0], abs=1e-5)
    assert both.log_p[1] < both.log_p[0]


def test_labels_of_one_token_cost_one_pass_a_row(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    prompt = Prompt("1", query=(Piece("It is"),))
    candidates = [Candidate(a, (Piece(a),)) for a in (" a", " b", " c")]
    length = len(backend.tokens.request(prompt, candidates).context)
    backend.score([prompt], [candidates])
    assert backend.cost.computed_tokens == length
    assert backend.cost.rows == 1


def test_a_long_prompt_loses_demonstrations_first_then_the_rows_own_text(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    template = find_template("sentiment_zero_shot")
    shots = [
        Example(f"s{i}", {"text": f"number {i} " + "was fine " * 12}, "neutral") for i in range(40)
    ]
    long = Example("q", {"text": "the end " * 600}, None)
    short = Example("q", {"text": "the end"}, None)
    for example, cut in ((short, False), (long, True)):
        found = backend.score(
            [template.prompt(example, shots)], [template.candidates(example, "text")]
        )[0]
        assert len(found.log_p) == 3
        assert found.dropped_shots == 40 - len(found.shots)
        assert (found.cut_chars > 0) == cut
        assert found.shots == (() if cut else tuple(s.id for s in shots[40 - len(found.shots) :]))
    assert 0 < len(backend.score([template.prompt(short, shots)],
                                 [template.candidates(short, "text")])[0].shots) < 40  # fmt: skip


def test_a_prompt_whose_labels_do_not_fit_is_unscored_and_says_why(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    prompt = Prompt("q", query=(Piece("x", True), Piece(" word" * 900)))
    found = backend.score([prompt], [[Candidate(a, (Piece(a),)) for a in (" a", " b")]])[0]
    assert found.log_p == ()
    assert "instruction and labels alone take" in found.problem


def test_a_folder_without_weights_is_refused(causal_folder, tmp_path):
    folder = tmp_path / "empty"
    shutil.copytree(causal_folder("gpt2"), folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(BackendError, match="holds no weights"):
        HFBackend(str(folder))


def test_pickled_weights_are_refused(causal_folder, tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(causal_folder("gpt2"), folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BackendError, match="pickled weights"):
        HFBackend(str(folder))


def test_weights_that_lack_tensors_are_refused_rather_than_filled_at_random(
    causal_folder, tmp_path
):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "torn"
    shutil.copytree(causal_folder("llama"), folder)
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("model.layers.1.mlp.up_proj.weight")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(BackendError, match="1 tensors are missing"):
        HFBackend(str(folder))


def test_a_model_of_another_kind_is_refused_with_the_backend_that_takes_it():
    with pytest.raises(CapabilityError, match="--backend embedding"):
        HFBackend("minilm")


def test_code_in_a_model_folder_is_not_run(causal_folder, tmp_path):
    folder = tmp_path / "evil"
    shutil.copytree(causal_folder("gpt2"), folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoModelForCausalLM": "evil.Model",
                                                  "AutoConfig": "evil.Config"}}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(BackendError):
        HFBackend(str(folder))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_bfloat16_is_scored_through_a_float32_softmax(family, causal_folder):
    prompts, candidates = asked()
    exact = HFBackend(str(causal_folder(family))).score(prompts, candidates)
    rough = HFBackend(str(causal_folder(family)), dtype="bfloat16").score(prompts, candidates)
    assert rough[0].log_p != exact[0].log_p
    assert rough[0].log_p == pytest.approx(exact[0].log_p, rel=0.1)
