"""The same on a GPU where there is one: its attention kernel, padded batches, half precision."""

import pytest
import torch

from promptkit.backends.cached_passes import cached_passes
from promptkit.backends.hf import HFBackend, with_exact_attention
from promptkit.backends.hf_loading import QUANTIZATIONS
from promptkit.backends.hf_passes import Passes
from promptkit.backends.memory import free_bytes
from promptkit.backends.meter import Meter
from promptkit.backends.shared_passes import SharedPasses, shared_passes
from promptkit.backends.tokens import Request
from promptkit.types import Sampling
from tests.backends import test_hf_masked, test_hf_seq2seq
from tests.causal_families import FAMILIES, REFUSED, asked, built, gap, plainly
from tests.tiny import MASKED, save_masked, save_seq2seq
from tests.trained_prompts import FEELINGS, labels, prompts

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("shared", [0, 1, 30, 200])
@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_the_plain_computation(family, shared, dtype):
    model = with_exact_attention(built(family)).to("cuda")
    requests = asked(9, shared)
    requests += [Request((*request.context, 3), ((5,), (7,))) for request in asked(5, shared, 1)]
    expected = plainly_there(model, requests)
    model = model.to(getattr(torch, dtype))
    rounding = gap(plainly_there(model, requests), expected)
    made, why = shared_passes(model, Passes(torch.device("cuda"), "auto", Meter()))
    assert made, why
    assert gap(made.run(requests), expected) < max(5e-5, 2 * rounding)


def plainly_there(model, requests):
    torch.set_default_device("cuda")
    try:
        return plainly(model, requests)
    finally:
        torch.set_default_device("cpu")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", REFUSED)
def test_families_with_attention_of_their_own_go_on_from_kept_keys_and_values(family, dtype):
    model = built(family).to("cuda")
    requests = asked(9, 60)
    expected = plainly_there(model, requests)
    model = model.to(getattr(torch, dtype))
    rounding = gap(plainly_there(model, requests), expected)
    made, why = cached_passes(model, Passes(torch.device("cuda"), "auto", Meter()))
    assert made, why
    assert gap(made.run(requests), expected) < max(5e-5, 2 * rounding)


def test_free_memory_is_that_of_the_gpu():
    before = free_bytes(torch.device("cuda"))
    held = torch.zeros(2**28, dtype=torch.uint8, device="cuda")
    taken = before - free_bytes(torch.device("cuda"))
    assert taken == pytest.approx(held.numel(), rel=0.1)


@pytest.mark.parametrize("family", ["t5", "bart", *MASKED])
def test_other_kinds_of_models_score_as_on_a_cpu(family, tmp_path):
    masked = family in MASKED
    folder = str((save_masked if masked else save_seq2seq)(family, tmp_path))
    prompts, candidates = (test_hf_masked if masked else test_hf_seq2seq).asked()
    there = HFBackend(folder, device="cuda", dtype="float32")
    here = HFBackend(folder, device="cpu")
    pairs = zip(there.score(prompts, candidates), here.score(prompts, candidates), strict=True)
    for one, other in pairs:
        assert one.log_p == pytest.approx(other.log_p, abs=5e-5)
        assert one.kind == other.kind
    if not masked:
        assert HFBackend(folder, device="cuda", dtype="bfloat16")._scorer.cached


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("way", QUANTIZATIONS)
def test_quantized_weights_score_as_on_a_cpu(way, dtype, trained_folder):
    def scores(**options):
        made = HFBackend(str(trained_folder), quantization=way, **options)
        assert isinstance(made._scorer.reuse, SharedPasses)
        found = made.score(prompts(), labels(FEELINGS, 60))
        return torch.tensor([one.log_p for one in found])

    moved = scores(device="cuda", dtype=dtype) - scores(device="cpu")
    assert moved.abs().mean() < (0.5 if dtype == "bfloat16" else 0.05)


def test_a_model_writes_as_on_a_cpu(trained_folder):
    there, here = (HFBackend(str(trained_folder), device=name) for name in ("cuda", "cpu"))
    exact = HFBackend(str(trained_folder), device="cuda", dtype="float32")
    sampling, own = Sampling(max_new_tokens=8), labels(FEELINGS, 60)
    assert texts(exact.generate(prompts(), sampling)) == texts(here.generate(prompts(), sampling))
    for backend in (there, exact):
        assert texts(backend.generate(prompts(), sampling, own)) == texts(
            here.generate(prompts(), sampling, own)
        )
    drawn = Sampling(max_new_tokens=5, temperature=1.0, top_p=0.9, samples=3, seed=1)
    together = texts(exact.generate(prompts()[:9], drawn))
    assert texts(exact.generate(prompts()[8::-1], drawn))[::-1] == together


def texts(found):
    return [[one.text for one in evidence.generations] for evidence in found]
