"""What every backend keeps to, whatever it serves."""

import importlib.util
import math
from dataclasses import astuple, replace
from itertools import pairwise

import pytest

from promptkit.backends import BACKENDS
from promptkit.backends.response_cache import CachedBackend
from promptkit.backends.response_store import Responses
from promptkit.errors import CapabilityError
from promptkit.types import Candidate, Piece, Prompt, Shot

BUILT_IN = {"hf", "embedding", "nli", "fake", "openai", "vllm"}
#: Backends whose models read no demonstrations, and that say so.
READS_NO_SHOTS = {"nli"}
VLLM = (
    pytest.mark.vllm,
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed"),
)
TEXTS = ["Fine.", "The room was noisy and the bed was hard.", "So so", "ok " * 30, "Fine.", "é 😀"]
WORDS = {
    "good": ("It is good.", "I like it."),
    "bad": ("It is bad.",),
    "not bad": ("It is not bad.", "It could be worse."),
    "neutral": ("It is neither.",),
}
NASTY = "So so [SEP] [MASK] </s> <|endoftext|> <s> <pad> [CLS]"


def _kind(name):
    return pytest.param(name, marks=VLLM if name == "vllm" else ())


@pytest.fixture(scope="session", params=[_kind(name) for name in sorted(BUILT_IN)])
def make(request):
    """Builds a backend of one kind with the options given."""
    name = request.param
    if name == "vllm":
        return request.getfixturevalue("vllm_on_engines")
    if name == "openai":
        return request.getfixturevalue("openai_on_loopback")
    folder = {"embedding": "minilm", "fake": "fake"}.get(name)
    if name == "hf":
        folder = str(request.getfixturevalue("causal_folder")("gpt2"))
    if name == "nli":
        from tests.tiny_nli import save_nli

        folder = str(save_nli("bert", request.getfixturevalue("tmp_path_factory").mktemp("nli")))

    def build(**options):
        batched = options if name != "fake" else {}
        return BACKENDS.build(name, {"model": folder, **batched})

    return build


@pytest.fixture(scope="session")
def vllm_on_engines(trained_folder):
    """Backends of vLLM; those of like options share an engine, which takes long to start."""
    from promptkit.backends import vllm as module

    usual, engines = module._started, {}

    def started(**options):
        key = repr(sorted(options.items()))
        if key not in engines:
            engines[key] = usual(**options)
        return engines[key]

    def build(batch_size="auto"):
        sized = {} if batch_size == "auto" else {"max_num_seqs": batch_size}
        return BACKENDS.build("vllm", {"model": str(trained_folder), **sized})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_started", started)
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield build


@pytest.fixture(scope="session")
def openai_on_loopback(causal_folder):
    """Backends of one server, which serves a tiny model."""
    from tests.fault_server import FaultServer, ModelBrain, serving

    folder = str(causal_folder("gpt2"))

    def build(batch_size="auto"):
        at_once = {} if batch_size == "auto" else {"concurrency": batch_size}
        options = {"model": "tiny", "base_url": url, "tokenizer": folder, **at_once}
        return BACKENDS.build("openai", options)

    with serving(FaultServer(ModelBrain(folder))) as url:
        yield build


@pytest.fixture(scope="session")
def backend(make):
    return make()


def test_every_backend_is_under_this_contract():
    assert set(BACKENDS) == BUILT_IN


def candidates():
    return [Candidate(word, (Piece(f" {word}"),), statements) for word, statements in WORDS.items()]


def prompt_of(number, text, shots=True):
    shown = Shot(
        "s", "good", (Piece("Lovely", True), Piece("\nIt is")), (Piece(" good"),), "Lovely"
    )
    return Prompt(
        f"row {number}",
        instruction=(Piece("Judge it."),),
        shots=(shown,) if shots and number % 2 else (),
        query=(Piece(text, True), Piece("\nIt is")),
        encoded=(Piece(text, True),),
    )


def asked(texts=TEXTS):
    return [prompt_of(number, text) for number, text in enumerate(texts)]


def readable(backend, prompts):
    """The prompts, without demonstrations where the backend's models read none."""
    if backend.name not in READS_NO_SHOTS:
        return prompts
    return [replace(prompt, shots=()) for prompt in prompts]


def scores(backend, prompts, own=None):
    prompts = readable(backend, prompts)
    return [found.log_p for found in backend.score(prompts, own or [candidates()] * len(prompts))]


def assert_same(one, other):
    for left, right in zip(one, other, strict=True):
        assert left == pytest.approx(right, abs=1e-5)


def test_scores_do_not_depend_on_the_size_of_a_batch(make, backend):
    assert_same(scores(make(batch_size=1), asked()), scores(backend, asked()))


def test_scores_do_not_depend_on_how_rows_are_dealt_out(backend):
    whole = scores(backend, asked())
    assert_same(whole, [scores(backend, [prompt])[0] for prompt in asked()])


def test_scores_do_not_depend_on_the_order_of_rows(backend):
    assert_same(scores(backend, asked()[::-1])[::-1], scores(backend, asked()))


def test_scores_do_not_depend_on_the_order_of_candidates(backend):
    turned = [candidates()[::-1]] * len(TEXTS)
    found = [log_p[::-1] for log_p in scores(backend, asked(), turned)]
    assert_same(found, scores(backend, asked()))


def test_scores_do_not_depend_on_the_other_candidates(backend):
    # a blank starts each word, so that none changes how the prompt's end is split
    found = scores(backend, asked(), [candidates()[:2]] * len(TEXTS))
    assert_same(found, [log_p[:2] for log_p in scores(backend, asked())])


def test_scores_do_not_depend_on_earlier_calls(make):
    fresh = make()
    first = scores(fresh, asked())
    scores(fresh, asked([text.upper() for text in TEXTS]))
    assert_same(scores(fresh, asked()), first)


def test_scores_do_not_depend_on_the_cache(backend, tmp_path):
    responses = Responses(tmp_path, print)
    scores(CachedBackend(backend, responses, {}, "some"), asked()[:3])
    cached = CachedBackend(backend, responses, {}, "some")
    assert_same(scores(cached, asked()), scores(backend, asked()))
    assert cached.cost.cached_rows == 4  # the fifth row asks what the first one does, no more
    responses.close()


def test_each_row_may_have_candidates_of_its_own(backend):
    own = [candidates()[: 2 + number % 3] for number in range(len(TEXTS))]
    found = scores(backend, asked(), own)
    assert [len(log_p) for log_p in found] == [len(some) for some in own]
    together = scores(backend, asked())
    assert_same(found, [log_p[: len(some)] for log_p, some in zip(together, own, strict=True)])


def test_a_rows_own_text_and_its_demonstrations_count(backend):
    one, same, other, bare = (
        prompt_of(1, "Fine."),
        prompt_of(1, "Fine."),
        prompt_of(1, "Awful."),
        prompt_of(1, "Fine.", shots=False),
    )
    found = scores(backend, [one, same, other, bare])
    assert found[0] == pytest.approx(found[1], abs=1e-5)
    assert found[0] != pytest.approx(found[2], abs=1e-5)
    if backend.name in READS_NO_SHOTS:
        with pytest.raises(CapabilityError, match="demonstrations"):
            backend.score([one], [candidates()])
    else:
        assert found[0] != pytest.approx(found[3], abs=1e-5)


def test_evidence_names_its_row_and_has_a_finite_value_for_each_candidate(backend):
    prompts = readable(backend, asked())
    for prompt, found in zip(
        prompts, backend.score(prompts, [candidates()] * len(prompts)), strict=True
    ):
        assert found.example_id == prompt.example_id
        assert found.shots == tuple(one.example_id for one in prompt.shots)
        assert found.problem == ""
        assert found.kind
        assert len(found.log_p) == len(found.n_tokens) == len(found.n_bytes) == len(WORDS)
        assert all(math.isfinite(value) for value in found.log_p)
        assert all(type(value) is float for value in found.log_p)
        assert min(found.n_tokens) > 0
        assert min(found.n_bytes) > 0


def test_the_meter_counts_every_row_and_never_runs_backwards(make):
    backend = make()
    assert backend.cost.rows == 0
    readings = [backend.cost]
    for size in (1, 3, 0, 2):
        prompts = readable(backend, asked()[:size])
        backend.score(prompts, [candidates()] * size)
        readings.append(backend.cost)
    assert [reading.rows for reading in readings] == [0, 1, 4, 4, 6]
    for earlier, later in pairwise(readings):
        assert all(a <= b for a, b in zip(astuple(earlier), astuple(later), strict=True))
    assert readings[-1].prompt_tokens > 0
    assert readings[-1].computed_tokens > 0
    assert readings[-1].seconds > 0


def test_no_rows_give_no_evidence(backend):
    assert backend.score([], []) == []


def test_prompts_and_candidates_must_be_as_many(backend):
    with pytest.raises(ValueError, match=r"zip|argument"):
        backend.score(readable(backend, asked()[:2]), [candidates()])


def test_a_row_that_holds_control_tokens_is_scored(backend):
    (found,) = backend.score([prompt_of(0, NASTY)], [candidates()])
    assert len(found.log_p) == len(WORDS)
    assert all(math.isfinite(value) for value in found.log_p)


def test_it_says_by_which_name_it_is_known_and_what_it_reads(backend):
    assert BACKENDS.load(backend.name) is type(backend)
    assert backend.reads in {"text", "statements"}
