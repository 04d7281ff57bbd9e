"""What is left out of a prompt that is too long, and what never is."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from promptkit.errors import DataError
from promptkit.prompts.budget import fit
from promptkit.prompts.flatten import flatten
from promptkit.types import Piece, Prompt, Shot, flat


def length(prompt):
    return len(flat(flatten(prompt).text)) + 5  # five for the answer


TEXT = st.text(alphabet="abc ", max_size=20)
KEPT = "{kept}"
PROMPTS = st.builds(
    lambda head, shots, parts, kept: Prompt(
        "1",
        instruction=(Piece(head),),
        shots=tuple(
            Shot(str(i), "a", (Piece("Q"), Piece(said, True)), (Piece(" a"),))
            for i, said in enumerate(shots)
        ),
        query=(
            Piece("Text:"),
            *(Piece(part, i % 2 == 0) for i, part in enumerate(parts)),
            *([Piece(KEPT, True)] if kept else []),
            Piece("\nIt is"),
        ),
    ),
    TEXT, st.lists(TEXT, max_size=6), st.lists(TEXT, max_size=5), st.booleans(),
)  # fmt: skip


def fitted(prompt, limit):
    try:
        return fit(prompt, length, limit, {KEPT})
    except DataError:
        return None


@given(prompt=PROMPTS, limit=st.integers(0, 150))
def test_a_result_fits_and_keeps_what_must_stay(prompt, limit):
    found = fitted(prompt, limit)
    assume(found is not None)
    assert length(found) <= limit
    assert found.instruction == prompt.instruction
    assert [p for p in found.query if not p.row] == [p for p in prompt.query if not p.row]
    assert [p for p in found.query if p.text == KEPT] == [p for p in prompt.query if p.text == KEPT]
    assert found.shots == prompt.shots[len(prompt.shots) - len(found.shots) :]


@given(prompt=PROMPTS, limit=st.integers(0, 150))
def test_no_more_is_left_out_than_has_to_be(prompt, limit):
    found = fitted(prompt, limit)
    assume(found is not None)
    if found.dropped_shots:
        more = replace(prompt, shots=prompt.shots[found.dropped_shots - 1 :])
        assert length(more) > limit
    if found.cut_chars:
        assert not found.shots
        assert length(found) == limit  # a character is a token here


@given(prompt=PROMPTS, limit=st.integers(0, 150))
def test_what_is_left_out_is_counted_and_fitting_again_changes_nothing(prompt, limit):
    found = fitted(prompt, limit)
    assume(found is not None)
    assert found.dropped_shots == len(prompt.shots) - len(found.shots)
    assert found.cut_chars == len(flat(prompt.query)) - len(flat(found.query))
    assert fit(found, length, limit, {KEPT}) == found


@given(prompt=PROMPTS, limit=st.integers(0, 150))
def test_only_a_prompt_whose_fixed_parts_are_too_long_is_refused(prompt, limit):
    bare = replace(
        prompt, shots=(), query=tuple(p for p in prompt.query if not p.row or p.text == KEPT)
    )
    assert (fitted(prompt, limit) is None) == (length(bare) > limit)


def test_the_farthest_demonstration_goes_first():
    shots = tuple(Shot(str(i), "a", (Piece("x" * 10),), ()) for i in range(4))
    prompt = Prompt("1", query=(Piece("Q"),), shots=shots)
    found = fit(prompt, length, length(replace(prompt, shots=shots[2:])))
    assert [shot.example_id for shot in found.shots] == ["2", "3"]


def test_the_longest_text_of_a_row_is_cut_at_its_end():
    prompt = Prompt("1", query=(Piece("ab", True), Piece("-"), Piece("abcdefgh", True)))
    found = fit(prompt, length, length(prompt) - 3)
    assert flat(found.query) == "ab-abcde"
    assert found.cut_chars == 3


def test_the_error_names_row_and_sizes():
    with pytest.raises(
        DataError,
        match=r"row '1': instruction and labels alone take 8 tokens, the model reads at most 4",
    ):
        fit(Prompt("1", query=(Piece("abc"), Piece("d", True))), length, 4)
