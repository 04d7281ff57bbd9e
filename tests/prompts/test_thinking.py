"""Think blocks are told from rendered prompts and from the source of chat templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.errors import CapabilityError
from promptkit.prompts.thinking import KNOWN, Source, block_in, closing, state_of, without_thinking
from tests import chats

PLAIN_TEXT = st.text(alphabet="ab \n.:é", max_size=12)
PAIRS = st.sampled_from(KNOWN)
PARTS = st.lists(
    st.one_of(PLAIN_TEXT, st.sampled_from([marker for pair in KNOWN for marker in pair])),
    max_size=8,
)


@given(PLAIN_TEXT, PLAIN_TEXT, PLAIN_TEXT, PAIRS)
def test_a_block_is_open_closed_or_absent(before, inside, after, pair):
    begun = before + pair.opens + inside
    assert state_of(before) == "none"
    assert state_of(begun) == "open"
    assert state_of(begun + pair.closes + after) == "closed"
    assert state_of(before + pair.closes + after) == "closed"
    assert state_of(before + pair.empty) == "closed"


@given(PLAIN_TEXT, PLAIN_TEXT, PLAIN_TEXT, PAIRS)
def test_a_closed_block_is_found_where_it_stands(before, inside, after, pair):
    block = pair.opens + inside + pair.closes
    assert block_in(before + block + after) == (len(before), len(before) + len(block))
    assert block_in(before + pair.opens + inside) is None
    assert block_in(before) is None
    assert block_in(before + pair.closes) == (len(before), len(before) + len(pair.closes))


@given(PLAIN_TEXT, PLAIN_TEXT, PAIRS)
def test_an_answer_is_what_follows_the_thinking(inside, answer, pair):
    said = pair.opens + inside + pair.closes + answer
    assert without_thinking(said) == answer.lstrip()
    # where the prompt began the block, the model only ends it
    assert without_thinking(inside + pair.closes + answer) == answer.lstrip()
    assert without_thinking(pair.opens + inside) is None
    assert without_thinking(said + pair.opens) is None
    assert without_thinking(answer) == answer


@given(PARTS)
def test_no_marker_is_left_in_an_answer(parts):
    text = "".join(parts)
    answer = without_thinking(text)
    if answer is not None:
        assert not any(marker in answer for pair in KNOWN for marker in pair)
        assert text.endswith(answer)
        assert without_thinking(answer) == answer


@given(PARTS)
def test_text_without_an_answer_ends_in_an_open_block(parts):
    text = "".join(parts)
    assert (without_thinking(text) is None) == (state_of(text) == "open")


@pytest.mark.parametrize(
    ("template", "markers", "switches", "generates"),
    [
        (chats.HYBRID, True, ["enable_thinking"], True),
        (chats.ALWAYS, True, [], True),
        (chats.OTHER_SWITCH, True, ["thinking"], True),
        (chats.FORGETS, True, [], False),
        (chats.PLAIN, False, [], False),
        ("{% generation %}{{ messages }}{% endgeneration %}{{ reasoning_effort }}", False,
         ["reasoning_effort"], False),
        ("{% no such tag %}<think></think>", True, [], False),
    ],
)  # fmt: skip
def test_the_source_of_a_template_is_read(template, markers, switches, generates):
    source = Source(template)
    assert (source.markers is not None, source.switches, source.generates) == (
        markers, switches, generates)  # fmt: skip


def test_advice_names_a_switch_that_was_tried():
    def render(given):
        return "<think>\n" if given.get("thinking", True) else "<think></think>"

    source = Source("<think>{{ thinking }}{{ thinking_budget }}")
    with pytest.raises(CapabilityError, match="give --chat-template-kwargs thinking=false"):
        closing("<think>\n", source, {"enable_thinking": False}, render)
    with pytest.raises(CapabilityError, match="use --no-chat"):
        closing("<think>\n", source, {"thinking": False}, lambda given: "<think>\n")
