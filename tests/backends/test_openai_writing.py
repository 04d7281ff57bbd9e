"""A server's model writes what it writes in this process; faults lose nothing."""

from dataclasses import replace

import pytest

pytest.importorskip("openai")

from promptkit.backends.hf import HFBackend
from promptkit.backends.openai import OpenAIBackend
from promptkit.errors import CapabilityError
from promptkit.types import Candidate, Piece, Prompt, Sampling
from tests.fault_server import EVERYTHING, LATE, FaultServer, HashBrain, ModelBrain, serving

FAST = {"timeout": 5.0, "backoff": 0.001, "retries": 2}
WORDS = ("positive", "negative", "very good indeed")
OWN = [Candidate(word, (Piece(f" {word}"),)) for word in WORDS]
CHAT = {"chat", "models"}


def prompts(n=4, **options):
    return [
        Prompt(f"r{i}", query=(Piece(f"text {i}", True), Piece("\nIt is")), **options)
        for i in range(n)
    ]


def texts(found):
    return [[one.text for one in evidence.generations] for evidence in found]


@pytest.fixture(scope="module")
def folder(causal_folder):
    return str(causal_folder("gpt2"))


@pytest.fixture(scope="module")
def brain(folder):
    return ModelBrain(folder)


@pytest.mark.parametrize("trait", ["penalizes", "strict"])
@pytest.mark.parametrize("by", ["ids", "text"])
def test_a_prompt_is_gone_on_from_as_in_hf(brain, folder, by, trait):
    sampling = Sampling(max_new_tokens=6)
    expected = texts(HFBackend(folder, dtype="float32", device="cpu").generate(prompts(), sampling))
    server = FaultServer(brain, {trait, *EVERYTHING} - ({"ids"} if by == "text" else set()))
    with serving(server) as url:
        served = OpenAIBackend("tiny", url, tokenizer=folder if by == "ids" else None, **FAST)
        found = served.generate(prompts(), sampling)
    assert texts(found) == expected
    assert {one.kind for one in found} == {"generated text"}
    assert {one.generations[0].finish for one in found} == {"length"}
    assert served.cost.new_tokens > 0


def test_what_is_constrained_is_a_word_by_ids_and_by_chat(brain, folder):
    with serving(FaultServer(brain)) as url:
        for tokenizer in (folder, None):
            served = OpenAIBackend("tiny", url, tokenizer=tokenizer, **FAST)
            found = served.generate(prompts(), Sampling(), [OWN] * 4)
            assert {text.strip() for own in texts(found) for text in own} <= set(WORDS)
            assert {one.kind for one in found} == {"generated text, constrained to the labels"}


@pytest.mark.parametrize("holds", [True, False])
def test_a_model_without_chats_is_held_to_a_word_where_its_server_can(brain, folder, holds):
    can = {"ids", "steps", "echo", "models", *({"structured_outputs"} if holds else ())}
    with serving(FaultServer(brain, can)) as url:
        served = OpenAIBackend("tiny", url, tokenizer=folder, **FAST)
        if not holds:
            with pytest.raises(CapabilityError, match="no structured outputs"):
                served.generate(prompts(), Sampling(), [OWN] * 4)
            return
        found = served.generate(prompts(), Sampling(), [OWN] * 4)
    assert {text.strip() for own in texts(found) for text in own} <= set(WORDS)


def test_schemas_hold_a_reply_to_a_word_too():
    with serving(FaultServer(HashBrain(), {*CHAT, "response_format"})) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        found = served.generate(prompts(), Sampling(), [OWN] * 4)
    assert {text for own in texts(found) for text in own} <= set(WORDS)


def test_a_server_that_holds_to_nothing_is_refused():
    with serving(FaultServer(HashBrain(), CHAT)) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        with pytest.raises(CapabilityError, match="no structured outputs"):
            served.generate(prompts(), Sampling(), [OWN] * 4)


@pytest.mark.parametrize("several", [True, False])
def test_as_many_samples_come_as_were_asked_for_from_any_server(several):
    server = FaultServer(HashBrain(), {*CHAT, *({"several"} if several else ())})
    sampling = Sampling(temperature=1.0, samples=3, seed=2)
    with serving(server) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        before = served.cost.requests
        found = served.generate(prompts(), sampling)
        assert served.cost.requests - before == 4 * (1 if several else 3)
        assert texts(served.generate(prompts()[::-1], sampling))[::-1] == texts(found)
    assert {len(own) for own in texts(found)} == {3}
    assert any(len(set(own)) > 1 for own in texts(found))


def test_thoughts_that_a_server_tells_apart_are_a_block_left_open():
    with serving(FaultServer(HashBrain(), {*CHAT, "thoughts apart"})) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        (found,) = served.generate(prompts(1, chat=True), Sampling())
    assert found.generations[0].text.startswith("<think>\n")


def test_a_row_that_may_hold_a_control_token_is_not_sent_as_text(brain):
    nasty = replace(prompts(1)[0], query=(Piece("So <|im_end|>", True), Piece("\nIt is")))
    with serving(FaultServer(brain)) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        bad, good = served.generate([nasty, *prompts(1)], Sampling(max_new_tokens=2))
    assert "'<|im_end|>'" in bad.problem
    assert bad.generations == ()
    assert good.generations


def test_a_begun_turn_cannot_be_sent_as_messages():
    with serving(FaultServer(HashBrain(), CHAT)) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        with pytest.raises(CapabilityError, match="prefill"):
            served.generate(prompts(1, chat=True, prefill=(Piece("It is"),)), Sampling())


def test_every_row_is_written_through_all_kinds_of_faults_and_told_once():
    server = FaultServer(HashBrain(), CHAT, rate=0.3, seed=4)
    told = []
    with serving(server) as url:
        server.faulty = False
        quick = {"timeout": LATE / 4, "backoff": 0.002, "retries": 12, "concurrency": 16}
        served = OpenAIBackend("tiny", url, **quick)
        server.faulty = True
        found = served.generate(
            prompts(60), Sampling(), on_evidence=lambda place, one: told.append((place, one))
        )
    assert all(one.generations and not one.problem for one in found)
    assert sorted(place for place, _ in told) == list(range(60))
    assert dict(told) == dict(enumerate(found))
    assert max(server.answered.values()) == 1
