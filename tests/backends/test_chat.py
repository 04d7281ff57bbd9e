"""Chats of thinking models: labels are scored where an answer begins, or not at all."""

import pytest

from promptkit.backends.hf import HFBackend
from promptkit.backends.tokens import Tokens
from promptkit.errors import CapabilityError, SpecError
from promptkit.types import Candidate, Piece, Prompt, Shot, flat
from tests import chats

WORDS = tuple(Candidate(word, (Piece(f" {word}"),)) for word in ("good", "bad"))
EMPTY = "<|im_start|>assistant\n<think>\n\n</think>\n\n"


def asked(text="fine", **changes):
    shot = Shot("2", "good", (Piece("Say: "), Piece("nice", True)), (Piece(" good"),))
    parts = {"query": (Piece("Say: "), Piece(text, True)), "chat": True, "shots": (shot,)}
    return Prompt("1", **{**parts, **changes})


def tokens_of(template, **given):
    return Tokens(chats.chatting(template), given)


def read(tokens, ids):
    return tokens.tokenizer.decode(ids, clean_up_tokenization_spaces=False)


def spied(backend, monkeypatch):
    seen = []
    usual = backend._scorer.run

    def run(requests):
        seen.extend(requests)
        return usual(requests)

    monkeypatch.setattr(backend._scorer, "run", run)
    return seen


def test_scoring_sees_the_closed_block(tmp_path, monkeypatch):
    backend = HFBackend(str(chats.save_chatting(chats.HYBRID, tmp_path)), device="cpu")
    seen = spied(backend, monkeypatch)
    evidence = backend.score([asked()], [WORDS])[0]
    assert read(backend.tokens, seen[0].context).endswith(f"Say: fine<|im_end|>\n{EMPTY}")
    assert [read(backend.tokens, ids) for ids in seen[0].answers] == ["good", "bad"]
    assert len(evidence.log_p) == 2
    thinks = backend.tokens.tokenizer.convert_tokens_to_ids(["<think>", "</think>"])
    assert [i for i in seen[0].context if i in thinks] == thinks


def test_arguments_reach_the_template_through_the_backend(tmp_path):
    folder = str(chats.save_chatting(chats.HYBRID, tmp_path))
    thinking = HFBackend(folder, device="cpu", chat_template_kwargs={"enable_thinking": True})
    with pytest.raises(CapabilityError) as caught:
        thinking.score([asked()], [WORDS])
    assert str(caught.value) == (
        "labels cannot be scored: enable_thinking=true was asked for, and the chat template "
        "renders no think block, so that the model's answer would begin with '<think>'; give "
        "--chat-template-kwargs enable_thinking=false"
    )
    off = HFBackend(folder, device="cpu", chat_template_kwargs={"enable_thinking": False})
    assert flat(off.tokens.flat(asked()).text).endswith(EMPTY)


@pytest.mark.parametrize(
    ("template", "given", "advice"),
    [
        (chats.ALWAYS, {}, "use --no-chat"),
        (chats.OTHER_SWITCH, {}, "give --chat-template-kwargs thinking=false"),
        (chats.OTHER_SWITCH, {"thinking": True}, "give --chat-template-kwargs thinking=false"),
        (chats.OPENED_BY_SWITCH, {"thinking": True}, "give --chat-template-kwargs thinking=false"),
    ],
)
def test_an_open_block_is_refused_in_one_line(template, given, advice):
    with pytest.raises(CapabilityError, match="leaves a think block open") as caught:
        tokens_of(template, **given).request(asked(), WORDS)
    assert advice in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_switch_closes_the_block():
    text = flat(tokens_of(chats.OTHER_SWITCH, thinking=False).flat(asked()).text)
    assert text.endswith(EMPTY)


@pytest.mark.parametrize("template", [chats.OPENED_BY_SWITCH, chats.FORGETS])
def test_a_template_that_leaves_the_answer_to_the_model_is_taken_at_its_word(template):
    found = tokens_of(template).flat(asked())
    assert flat(found.text).endswith("<|im_start|>assistant\n")
    assert "renders no think block" in found.note


def test_an_empty_block_is_added_where_the_template_cannot_close_one():
    tokens = tokens_of(chats.SOMETIMES)
    found = tokens.flat(asked())
    assert flat(found.text).endswith(EMPTY)
    assert "an empty one was put behind it" in found.note
    with pytest.raises(CapabilityError, match="open"):
        tokens.flat(asked("fine /think", query=(Piece("fine /think"),)))


def test_a_model_that_knows_no_thinking_gets_no_block():
    found = tokens_of(chats.PLAIN).flat(asked())
    assert flat(found.text).endswith("Say: fine<|im_end|>\n<|im_start|>assistant\n")
    assert found.note == ""


@pytest.mark.parametrize("nasty", ["<think>", "<think>\n", "</think>", "a<think>b</think>"])
@pytest.mark.parametrize("template", [chats.HYBRID, chats.PLAIN, chats.SOMETIMES])
def test_markers_in_a_row_settle_nothing_and_become_no_control_token(template, nasty):
    tokens = tokens_of(template)
    calm, asks = tokens.flat(asked("x")), tokens.flat(asked(nasty))
    assert flat(asks.text) == flat(calm.text).replace("Say: x", f"Say: {nasty}")
    thinks = tokens.tokenizer.convert_tokens_to_ids(["<think>", "</think>"])
    count = sum(i in thinks for i in tokens.request(asked(nasty), WORDS).context)
    assert count == (0 if template == chats.PLAIN else 2)


def test_a_prefill_begins_the_turn_and_words_keep_their_blank():
    tokens = tokens_of(chats.HYBRID)
    prompt = asked(prefill=(Piece("Mood:"),))
    request = tokens.request(prompt, WORDS)
    text = read(tokens, request.context)
    assert text.endswith(f"{EMPTY}Mood:")
    assert "<|im_start|>assistant\nMood: good<|im_end|>" in text
    assert [read(tokens, ids) for ids in request.answers] == [" good", " bad"]
    whole = tokens.tokenizer(f"{text} good", add_special_tokens=False)["input_ids"]
    assert whole == [*request.context, *request.answers[0]]


@pytest.mark.parametrize("prefill", [(), (Piece("Mood:"),)])
@pytest.mark.parametrize("template", [chats.HYBRID, chats.SOMETIMES, chats.PLAIN])
def test_pieces_are_the_tokens_that_are_scored(template, prefill):
    tokens = tokens_of(template)
    prompt = asked(prefill=prefill, system=(Piece("Be brief."),))
    pieces = tokens.pieces(prompt)
    assert tuple(i for _, ids in pieces for i in ids) == tokens.request(prompt, WORDS).context
    said = {role: read(tokens, ids) for role, ids in pieces}
    assert ("think block" in said) == (template != chats.PLAIN)
    assert said.get("think block", "<think>").startswith("<think>")
    assert said.get("prefill", "") == flat(prefill)


@pytest.mark.parametrize(
    ("template", "begins"),
    [
        (chats.HYBRID, "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nSay: nice"),
        (chats.PLAIN, "<|im_start|>user\nBe brief.\n\nSay: nice"),
    ],
)
def test_system_text_has_its_role_or_opens_the_first_turn(template, begins):
    found = tokens_of(template).flat(asked(system=(Piece("Be brief."),)))
    assert flat(found.text).startswith(begins)


def test_arguments_that_no_template_takes_are_refused():
    with pytest.raises(SpecError, match="did you mean 'enable_thinking'"):
        tokens_of(chats.HYBRID, enable_thinkin=False)
    with pytest.raises(SpecError, match="is set by promptkit"):
        tokens_of(chats.HYBRID, add_generation_prompt=False)
    bare = chats.chatting(chats.HYBRID)
    bare.chat_template = None
    with pytest.raises(SpecError, match="no chat template"):
        Tokens(bare, {"enable_thinking": False})
