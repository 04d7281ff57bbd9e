"""Blocks of thoughts: found open, found closed, and taken off an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.errors import CapabilityError
from promptkit.prompts.thinking import (
    MARKERS,
    check_generation_prompt,
    open_block,
    without_thinking,
)

words = st.text("ab \n", max_size=12)
markers = st.sampled_from(MARKERS)


@given(words, markers, words, words)
def test_a_block_is_open_until_it_is_closed(before, marker, inside, after):
    first, last = marker
    assert open_block(before) == ""
    assert open_block(before + first + inside) == first
    assert open_block(before + first + inside + last + after) == ""


@given(markers, words, words)
def test_an_answer_is_what_stands_behind_its_thoughts(marker, inside, answer):
    first, last = marker
    kept = answer.lstrip("\n")
    assert without_thinking(first + inside + last + answer) == kept
    assert without_thinking(inside + last + answer, opened=True) == kept
    assert without_thinking(answer) == answer


@given(markers, words)
def test_thoughts_that_never_end_hold_no_answer(marker, inside):
    assert without_thinking(marker[0] + inside) is None
    assert without_thinking(inside, opened=True) is None


def test_thoughts_may_come_in_several_blocks():
    assert without_thinking("<think>a</think> b <think>c</think>\ngood") == "good"
    assert without_thinking("<think>a</think> b <think>c") is None


@pytest.mark.parametrize(
    "tail", ["<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n\n</think>\n\n"]
)
def test_an_answer_may_begin_behind_no_block_or_a_closed_one(tail):
    check_generation_prompt(tail, "{{ '<think>' }}", {"enable_thinking": False})


def test_an_open_block_is_refused():
    with pytest.raises(CapabilityError, match=r"<think>.*--no-chat"):
        check_generation_prompt("assistant\n<think>\n", "", {"enable_thinking": False})
    with pytest.raises(CapabilityError, match=r"<think>.*enable_thinking=false"):
        check_generation_prompt("assistant\n<think>\n", "", {"enable_thinking": True})


def test_a_model_that_is_told_to_think_is_refused_where_its_template_knows_how():
    told = {"enable_thinking": True}
    with pytest.raises(CapabilityError, match="writes <think> first"):
        check_generation_prompt("assistant\n", "{% if x %}<think>{% endif %}", told)
    check_generation_prompt("assistant\n", "{{ nothing of the kind }}", told)
