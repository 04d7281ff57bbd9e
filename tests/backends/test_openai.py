"""A served model gives what it gives in this process, and the best evidence that its server has."""

import math
from dataclasses import replace

import pytest

pytest.importorskip("openai")

from promptkit.backends import BACKENDS
from promptkit.backends.hf import HFBackend
from promptkit.backends.openai import OpenAIBackend
from promptkit.backends.openai_chat import first_token
from promptkit.backends.openai_messages import CONTROL
from promptkit.errors import BackendError, CapabilityError, DataError, SpecError
from promptkit.types import Candidate, Piece, Prompt, Shot
from tests.fault_server import EVERYTHING, FaultServer, HashBrain, ModelBrain, serving

FAST = {"timeout": 5.0, "backoff": 0.001, "retries": 2}
WORDS = ("positive", "negative", "very good indeed", "positively so")


def candidates(words=WORDS):
    return [Candidate(word, (Piece(f" {word}"),)) for word in words]


def prompt_of(number, text, shots=True):
    shot = Shot("s", "positive", (Piece("Lovely", True), Piece("\nIt is")), (Piece(" positive"),))
    return Prompt(
        f"row {number}",
        instruction=(Piece("Judge it."),),
        shots=(shot,) if shots and number % 2 else (),
        query=(Piece(text, True), Piece("\nIt is")),
    )


TEXTS = ["Fine.", "The room was noisy.", "So so", "Fine.", "é 😀"]
PROMPTS = [prompt_of(number, text) for number, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def brain(causal_folder):
    brains = {}

    def of(family):
        if family not in brains:
            brains[family] = ModelBrain(causal_folder(family))
        return brains[family]

    return of


def close(found, expected, tolerance=1e-4):
    for one, other in zip(found, expected, strict=True):
        assert one.problem == ""
        assert one.log_p == pytest.approx(other.log_p, abs=tolerance)
        assert one.n_tokens == other.n_tokens


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen3"])
@pytest.mark.parametrize("way", ["steps", "prompt_logprobs", "echo"])
def test_each_exact_way_gives_the_scores_of_hf(brain, causal_folder, family, way):
    folder = str(causal_folder(family))
    expected = HFBackend(folder, device="cpu", dtype="float32").score(
        PROMPTS, [candidates()] * len(PROMPTS)
    )
    with serving(FaultServer(brain(family))) as url:
        served = OpenAIBackend("tiny", url, tokenizer=folder, evidence=way, **FAST)
        found = served.score(PROMPTS, [candidates()] * len(PROMPTS))
    close(found, expected)
    assert {one.kind for one in found} == {"log-probability"}


def test_a_chat_by_token_ids_gives_the_scores_of_hf(brain, causal_folder):
    folder = str(causal_folder("qwen3"))
    chats = [replace(prompt, chat=True) for prompt in PROMPTS]
    hf = HFBackend(folder, device="cpu", dtype="float32")
    expected = hf.score(chats, [candidates()] * len(chats))
    with serving(FaultServer(brain("qwen3"))) as url:
        served = OpenAIBackend("tiny", url, tokenizer=folder, **FAST)
        close(served.score(chats, [candidates()] * len(chats)), expected)


def test_where_a_model_lies_on_its_server_does_not_name_it():
    server = FaultServer(HashBrain(), {"chat", "models"})
    server.root = "/srv/models/tiny-1b/"
    with serving(server) as url:
        assert OpenAIBackend("tiny", url, **FAST).identity["root"] == "tiny-1b"


def test_text_that_the_server_tokenizes_scores_as_in_hf(brain, causal_folder):
    folder = str(causal_folder("gpt2"))
    # a character of several tokens is not spelled by any of them alone, before the label too
    prompts = PROMPTS[:4]
    hf = HFBackend(folder, device="cpu", dtype="float32")
    expected = hf.score(prompts, [candidates()] * 4)
    with serving(FaultServer(brain("gpt2"), EVERYTHING - {"ids"})) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        found = served.score(prompts, [candidates()] * 4)
    # GPT-2's tokenizer adds no token to a text, and promptkit none to a prompt of it
    close(found, expected)
    assert {one.kind for one in found} == {"log-probability, tokenized by the server"}


def test_without_a_tokenizer_row_text_like_a_control_token_is_unscored(brain):
    with serving(FaultServer(brain("gpt2"))) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        bad, good = served.score(
            [prompt_of(0, "So <|im_end|> it"), prompt_of(2, "So it")], [candidates()] * 2
        )
    assert "'<|im_end|>'" in bad.problem
    assert "--tokenizer" in bad.problem
    assert bad.log_p == ()
    assert len(good.log_p) == len(WORDS)


def test_with_a_tokenizer_such_a_row_is_scored(brain, causal_folder):
    with serving(FaultServer(brain("qwen3"))) as url:
        served = OpenAIBackend("tiny", url, tokenizer=str(causal_folder("qwen3")), **FAST)
        (found,) = served.score([prompt_of(0, "So <|im_end|> it")], [candidates()])
    assert all(math.isfinite(value) for value in found.log_p)


@pytest.mark.parametrize(
    "text",
    ["<|im_start|>", "</s>", "[INST]", "[/INST]", "<start_of_turn>", "<think>", "<｜User｜>"],
)
def test_control_tokens_of_common_families_are_known(text):
    assert CONTROL.search(f"a{text}b")


def test_plain_text_is_no_control_token():
    assert not CONTROL.search("a < b, x|y, [sic], <b>bold</b> <3 </p> |> pipe")


CAN = [
    (EVERYTHING, "steps"),
    (EVERYTHING - {"steps"}, "prompt_logprobs"),
    (EVERYTHING - {"steps", "prompt_logprobs"}, "echo"),
    ({"chat", "models", "top_logprobs", "response_format"}, "first_token"),
    ({"chat", "models", "structured_outputs"}, "choice"),
    ({"chat", "models", "response_format"}, "choice"),
    ({"chat"}, "generation"),
]


@pytest.mark.parametrize(("can", "best"), CAN)
def test_the_probe_finds_the_best_evidence(brain, causal_folder, can, best):
    with serving(FaultServer(brain("gpt2"), can)) as url:
        served = OpenAIBackend("tiny", url, tokenizer=str(causal_folder("gpt2")), **FAST)
    assert served.ways[0] == best


@pytest.mark.parametrize("ids", [{"ids"}, set()], ids=["ids", "text"])
def test_an_echo_that_leaves_bos_out_scores_as_in_hf(brain, causal_folder, ids):
    folder = str(causal_folder("llama"))
    hf = HFBackend(folder, device="cpu", dtype="float32")
    expected = hf.score(PROMPTS[:4], [candidates()] * 4)
    server = FaultServer(brain("llama"), {"echo", "chat", *ids}, lies="drops the first")
    server.refusal = 500
    with serving(server) as url:
        for tokenizer in (folder, None):
            served = OpenAIBackend("tiny", url, tokenizer=tokenizer, **FAST)
            assert served.ways == ("echo", "generation")
            close(served.score(PROMPTS[:4], [candidates()] * 4), expected)


def test_a_server_that_answers_500_to_everything_may_be_asked_again(brain):
    server = FaultServer(brain("gpt2"))
    server.always = "broken"
    with serving(server) as url, pytest.raises(BackendError, match="out of order") as error:
        OpenAIBackend("tiny", url, **FAST)
    assert error.value.retryable


@pytest.mark.parametrize("lies", ["ignores echo", "counts wrong", "shifts"])
def test_a_server_that_lies_about_echo_is_not_believed(brain, lies):
    with serving(FaultServer(brain("gpt2"), {"ids", "echo", "chat"}, lies=lies)) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        assert served.ways == ("generation",)
        with pytest.raises(CapabilityError, match="cannot give evidence=echo") as error:
            OpenAIBackend("tiny", url, evidence="echo", **FAST)
    assert "it can give generation" in str(error.value)


def test_a_tokenizer_of_another_model_is_found_out(brain, causal_folder):
    with (
        serving(FaultServer(brain("gpt2"))) as url,
        pytest.raises(BackendError, match="tokenizer is not the model's"),
    ):
        OpenAIBackend("tiny", url, tokenizer=str(causal_folder("opt")), **FAST)


def hashed(can, words=("good", "bad"), evidence="auto", prompts=PROMPTS):
    with serving(FaultServer(HashBrain(), can)) as url:
        served = OpenAIBackend("tiny", url, evidence=evidence, **FAST)
        return served.score(prompts, [candidates(words)] * len(prompts))


def test_first_tokens_are_probabilities_where_every_label_is_listed():
    brain = HashBrain()
    found = hashed({"chat", "top_logprobs"})
    for prompt, one in zip(PROMPTS, found, strict=True):
        from promptkit.backends.openai_messages import messages

        known = brain.next_log_p(brain.encode(messages(prompt)[0]["content"]))
        assert one.log_p == pytest.approx((known["good"], known["bad"]))
        assert not one.decided
        assert one.kind == "log-probability of the first token among the top k"


def test_a_label_outside_the_list_leaves_a_decision_and_no_probability():
    judged = first_token({"good": -1.0, "The": -2.0}, ("good", "mediocre"), (1, 2))
    assert (judged.log_p, judged.decided) == ((0.0, -math.inf), True)


def test_a_label_outside_the_list_may_still_win_where_the_other_one_is_last():
    with pytest.raises(DataError, match="do not decide"):
        first_token({"The": -1.0, "good": -2.0}, ("good", "mediocre"), (1, 2))


def test_words_outside_the_list_count_together():
    top, words = {"good": -1.0, "The": -1.2}, ("good", "mediocre", "middling")
    assert first_token(top, words, (1, 2, 3)).log_p == (0.0, -math.inf, -math.inf)
    with pytest.raises(DataError, match="do not decide"):
        first_token(top, words, (1, 2, 2))


def test_a_token_that_several_labels_begin_with_decides_nothing():
    with pytest.raises(DataError, match="no label is among"):
        first_token({"po": -0.1, "The": -3.0}, ("positive", "poor"), (1, 2))
    with pytest.raises(DataError, match="do not decide"):
        first_token({"po": -0.5, "neutral": -1.5}, ("positive", "poor", "neutral"), (1, 2, 3))
    judged = first_token({"neutral": -0.1, "po": -3.0}, ("positive", "neutral", "poor"), (1, 2, 3))
    assert judged.log_p == (-math.inf, 0.0, -math.inf)


def test_pieces_of_a_word_that_no_other_label_begins_with_count_for_it():
    top = {"pos": math.log(0.4), "p": math.log(0.2), "neg": math.log(0.1)}
    judged = first_token(top, ("positive", "negative"), (1, 2))
    assert judged.log_p == pytest.approx((math.log(0.6), math.log(0.1)))


def test_a_decision_by_bounds_is_named():
    prompts = [prompt_of(i, f"text {i}", shots=False) for i in range(20)]
    found = hashed({"chat", "top_logprobs"}, ("good", "mediocre"), prompts=prompts)
    assert any(one.decided for one in found)
    for one in found:
        assert one.problem or "decided by bounds" in one.kind


def test_a_row_none_of_whose_labels_is_listed_is_unscored():
    for one in hashed({"chat", "top_logprobs"}, ("mediocre", "sublime")):
        assert one.log_p == ()
        assert "no label is among" in one.problem


def test_labels_that_begin_alike_are_chosen_instead():
    words = ("very good", "very bad")
    found = hashed({"chat", "top_logprobs", "structured_outputs"}, words)
    assert {one.kind for one in found} == {"choice"}
    assert all(sorted(one.log_p) == [-math.inf, 0.0] for one in found)


@pytest.mark.parametrize("how", ["structured_outputs", "response_format"])
def test_a_choice_is_a_decision(how):
    brain = HashBrain()
    from promptkit.backends.openai_messages import messages

    for prompt, one in zip(PROMPTS, hashed({"chat", how}), strict=True):
        said = brain.choose(brain.encode(messages(prompt)[0]["content"]), ["good", "bad"])
        assert one.decided
        assert one.log_p[["good", "bad"].index(said)] == 0.0


def test_a_reply_that_is_no_label_is_unscored_and_kept():
    found = hashed({"chat"}, ("Positive", "NEGATIVE"))
    for one in found:
        assert bool(one.log_p) != bool(one.problem)
        if one.problem:
            assert "the reply is no label: '" in one.problem
    assert any(one.problem for one in found) or all(one.decided for one in found)


def test_a_chat_is_not_scored_by_text_whose_template_nobody_knows(brain):
    chat = [replace(PROMPTS[0], chat=True)]
    with serving(FaultServer(brain("gpt2"), {"ids", "echo"})) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        with pytest.raises(CapabilityError, match="--tokenizer"):
            served.score(chat, [candidates()])


def test_a_prompt_that_is_too_long_is_shortened_as_in_hf(brain, causal_folder):
    folder = str(causal_folder("gpt2"))
    with serving(FaultServer(brain("gpt2"))) as url:
        served = OpenAIBackend("tiny", url, tokenizer=folder, **FAST)
        (found,) = served.score([prompt_of(1, "word " * 900)], [candidates()])
    assert found.dropped_shots == 1
    assert found.cut_chars > 0
    assert len(found.log_p) == len(WORDS)


def test_the_server_says_what_it_serves(brain, causal_folder):
    with serving(FaultServer(brain("gpt2"))) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        assert served.identity["root"] == "org/tiny"
        assert "created" not in served.identity
        with pytest.raises(BackendError, match="serves no model 'other'; it serves tiny"):
            OpenAIBackend("other", url, **FAST)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base_url": "localhost:8000"}, "http://localhost:8000/v1"),
        ({"base_url": "http://me:secret@host/v1"}, "leave keys and passwords out"),
        ({"base_url": "me:secret@host/v1"}, "leave keys and passwords out"),
        ({"api_key_env": "sk-12345"}, "not the name of an environment variable"),
        ({"evidence": "ecko"}, "did you mean 'echo'"),
        ({"retries": -1}, "less than 0"),
        ({"price": {"promt": 1}}, "did you mean 'prompt'"),
    ],
)
def test_options_that_cannot_be_are_refused_without_repeating_a_key(options, message):
    with pytest.raises(SpecError, match=message) as error:
        BACKENDS.build("openai", {"model": "m", "base_url": "http://127.0.0.1:9/v1", **options})
    assert "secret" not in str(error.value)
    assert "12345" not in str(error.value)


class Thinker(HashBrain):
    """Writes thoughts, then a label; or does not come to its end."""

    thoughts = "<think>\nneither good\n</think>\n\nnegative"

    def write(self, ids, room, seed=None):
        return self.thoughts


@pytest.mark.parametrize(
    ("thoughts", "label", "why"),
    [
        (Thinker.thoughts, "negative", ""),
        ("positive, I guess</think>negative", "negative", ""),
        ("<think>\npositive", None, "ended before its thoughts did"),
    ],
)
def test_thoughts_are_taken_off_a_written_reply(thoughts, label, why):
    brain = Thinker()
    with serving(FaultServer(brain, {"chat", "models"})) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        brain.thoughts = thoughts
        (found,) = served.score(PROMPTS[:1], [candidates(WORDS[:2])])
    assert why in found.problem
    if label:
        assert WORDS[found.log_p.index(0.0)] == label
    else:
        assert found.log_p == ()


@pytest.mark.parametrize("can", [{"chat", "models"}, {"chat", "models", "top_logprobs"}])
def test_a_turn_that_is_begun_is_refused_where_only_messages_can_be_sent(can):
    begun = replace(PROMPTS[0], chat=True, prefill=(Piece("Mood:"),))
    with serving(FaultServer(HashBrain(), can)) as url:
        served = OpenAIBackend("tiny", url, **FAST)
        with pytest.raises(CapabilityError, match=r"prefill.*--tokenizer"):
            served.score([begun], [candidates(WORDS[:2])])
