"""A prompt as one text or as chat turns, each character with its origin."""

import pytest

from promptkit.errors import BackendError
from promptkit.prompts.flatten import answer_text, flatten, merging_system, messages_of
from promptkit.prompts.sandbox import pieces_of
from promptkit.prompts.thinking import Closing
from promptkit.types import Piece, Prompt, Shot, flat


def prompt_of(**changes):
    shot = Shot("2", "pos", (Piece("Q: "), Piece("nice", True)), (Piece(" "), Piece("good", True)))
    parts = {
        "query": (Piece("Q: "), Piece("fine", True)),
        "instruction": (Piece("Say it."),),
        "shots": (shot,),
    }
    return Prompt("1", **{**parts, **changes})


def chatml(messages):
    said = "".join(f"<{m['role']}>{m['content'].strip()}</>" for m in messages)
    return said + "<assistant>"


def test_a_flat_prompt_has_its_parts_in_order_and_its_spans_cover_them():
    found = flatten(prompt_of(system=(Piece("Sys."),)))
    whole = flat(found.text)
    assert whole == "Sys.\n\nSay it.\n\nQ: nice good\n\nQ: fine"
    assert [(role, whole[a:b]) for role, a, b in found.spans] == [
        ("instruction", "Sys."), ("instruction", "Say it."),
        ("demonstration", "Q: nice good"), ("query", "Q: fine")]  # fmt: skip
    assert [p.text for p in found.text if p.row] == ["nice", "good", "fine"]
    assert not found.opens_turn


def test_empty_parts_leave_no_separators():
    assert flat(flatten(prompt_of(instruction=(), shots=())).text) == "Q: fine"


def test_chat_messages_open_with_the_instruction_after_the_system_text():
    turns = messages_of(prompt_of(system=(Piece("Sys."),)))
    assert [(t["role"], flat(pieces_of(t["content"]))) for t in turns] == [
        ("system", "Sys."), ("user", "Say it.\n\nQ: nice"), ("assistant", "good"),
        ("user", "Q: fine")]  # fmt: skip


def test_a_chat_prompt_keeps_origins_and_roles():
    found = flatten(prompt_of(chat=True), chatml)
    whole = flat(found.text)
    assert whole == "<user>Say it.\n\nQ: nice</><assistant>good</><user>Q: fine</><assistant>"
    assert [(role, whole[a:b]) for role, a, b in found.spans] == [
        ("instruction", "Say it."), ("demonstration", "Q: nice</><assistant>good"),
        ("query", "Q: fine")]  # fmt: skip
    assert [p.text for p in found.text if p.row] == ["nice", "good", "fine"]
    assert found.opens_turn


@pytest.mark.parametrize(
    "chat",
    [
        lambda turns: chatml(turns)[::-1],
        lambda turns: chatml([{**t, "content": t["content"][:-1]} for t in turns]),
        lambda turns: chatml(turns[1:]),
        lambda turns: chatml(turns[:-1]),
        lambda turns: chatml([t for t in turns if t["role"] == "user"]),
        lambda turns: chatml([]),
    ],
)
def test_a_chat_template_that_mangles_messages_is_an_error(chat):
    with pytest.raises(BackendError, match="chat: false"):
        flatten(prompt_of(chat=True), chat)


def test_a_chat_prompt_needs_a_chat_template():
    with pytest.raises(BackendError, match="no chat template"):
        flatten(prompt_of(chat=True))


def test_an_answer_loses_its_blank_only_at_the_head_of_a_turn():
    answer = (Piece(" "), Piece(" good one ", True))
    assert answer_text(flatten(prompt_of()), answer) == answer
    at_head = answer_text(flatten(prompt_of(chat=True), chatml), answer)
    assert at_head == (Piece("good one ", True),)


def refusing(messages):
    if messages[0]["role"] == "system":
        raise ValueError("System role not supported")
    return chatml(messages)


def dropping(messages):
    return chatml([m for m in messages if m["role"] != "system"])


@pytest.mark.parametrize("chat", [refusing, dropping])
def test_system_text_opens_the_first_user_turn_where_there_is_no_role(chat):
    found = flatten(prompt_of(chat=True, shots=(), system=(Piece("Sys."),)), merging_system(chat))
    assert flat(found.text) == "<user>Sys.\n\nSay it.\n\nQ: fine</><assistant>"


def test_system_text_keeps_its_role_where_there_is_one():
    found = flatten(prompt_of(chat=True, shots=(), system=(Piece("Sys."),)), merging_system(chatml))
    assert flat(found.text).startswith("<system>Sys.</><user>Say it.")


def test_demonstrations_and_the_asked_turn_begin_with_the_prefill():
    found = flatten(prompt_of(chat=True, prefill=(Piece("Mood:"),)), chatml)
    whole = flat(found.text)
    assert whole == (
        "<user>Say it.\n\nQ: nice</><assistant>Mood: good</><user>Q: fine</><assistant>Mood:"
    )
    assert [(role, whole[a:b]) for role, a, b in found.spans][1:] == [
        ("demonstration", "Q: nice</><assistant>Mood: good"), ("query", "Q: fine"),
        ("prefill", "Mood:")]  # fmt: skip
    answer = (Piece(" "), Piece("good", True))
    assert answer_text(found, answer) == answer


def test_what_closes_a_block_stands_between_the_generation_prompt_and_the_prefill():
    seen = []

    def close(generation):
        seen.append(generation)
        return Closing("<think></think>", "added")

    found = flatten(prompt_of(chat=True, prefill=(Piece("Mood:"),)), chatml, close)
    whole = flat(found.text)
    assert seen == ["</><assistant>"]
    assert whole.endswith("<assistant><think></think>Mood:")
    assert [(role, whole[a:b]) for role, a, b in found.spans][-2:] == [
        ("think block", "<think></think>"), ("prefill", "Mood:")]  # fmt: skip
    assert found.note == "added"
