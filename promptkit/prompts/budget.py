"""Makes a prompt fit: whole demonstrations go first, then the end of the row's own text.

Instruction, label words and choices never go. Every label of a row is scored with the same prompt,
so none sees more demonstrations than another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from promptkit.errors import DataError
from promptkit.types import Piece, Prompt, Text, flat


def fit(
    prompt: Prompt, length: Callable[[Prompt], int], limit: int, keep: Collection[str] = ()
) -> Prompt:
    """The prompt, shortened until its length is at most ``limit``.

    Args:
        prompt: The prompt.
        length: Tokens of a prompt with its longest answer.
        limit: Tokens that the model reads.
        keep: Row text that must stay whole, such as a row's choices.

    Raises:
        DataError: Instruction and labels alone are too long.
    """
    if length(prompt) <= limit:
        return prompt
    # The first demonstration is the farthest from the query. Halving finds how many must go.
    fewest, most = 1, len(prompt.shots)
    while fewest < most:
        middle = (fewest + most) // 2
        fits = length(_without(prompt, middle)) <= limit
        fewest, most = (fewest, middle) if fits else (middle + 1, most)
    prompt = _without(prompt, most) if prompt.shots else prompt
    if length(prompt) <= limit:
        return prompt
    return _cut(prompt, length, limit, keep)


def _without(prompt: Prompt, n: int) -> Prompt:
    return replace(prompt, shots=prompt.shots[n:], dropped_shots=prompt.dropped_shots + n)


def _cut(
    prompt: Prompt, length: Callable[[Prompt], int], limit: int, keep: Collection[str]
) -> Prompt:
    spare = {
        index: len(piece.text)
        for index, piece in enumerate(prompt.query)
        if piece.row and piece.text not in keep
    }
    for index in sorted(spare, key=lambda i: -spare[i]):
        shortest = _shortened(prompt, index, 0)
        if length(shortest) > limit:
            prompt = shortest
            continue
        low, high = 0, len(prompt.query[index].text)
        while low < high:
            middle = (low + high + 1) // 2
            fits = length(_shortened(prompt, index, middle)) <= limit
            low, high = (middle, high) if fits else (low, middle - 1)
        return _shortened(prompt, index, low)
    raise DataError(
        f"row {prompt.example_id!r}: instruction and labels alone take {length(prompt)} tokens, "
        f"the model reads at most {limit}"
    )


def _shortened(prompt: Prompt, index: int, chars: int) -> Prompt:
    piece = prompt.query[index]
    query: Text = (
        *prompt.query[:index],
        Piece(piece.text[:chars], True),
        *prompt.query[index + 1 :],
    )
    return replace(
        prompt, query=query, cut_chars=prompt.cut_chars + len(flat(prompt.query)) - len(flat(query))
    )
