"""Premise and hypothesis as one sequence, as the model's own tokenizer joins them.

A tokenizer encodes the two apart and puts its own tokens before, between and behind them:
``[CLS] premise [SEP] hypothesis [SEP]``, or ``<s> premise </s></s> hypothesis </s>``. What these
are is seen once. Then texts are encoded by themselves, each of them once however many pairs it is
part of, and by `Tokens`, so that a ``[SEP]`` within a row separates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from promptkit.backends.tokens import Encoded, Tokens
from promptkit.errors import BackendError


@dataclass(frozen=True)
class Pair:
    """A premise and a hypothesis that fit into the model together.

    Args:
        premise: Token ids, perhaps without the end.
        hypothesis: Token ids, all of them.
        cut: Characters of the premise that were too many.
    """

    premise: tuple[int, ...]
    hypothesis: tuple[int, ...]
    cut: int = 0


class PairFrame:
    """What a tokenizer puts around a premise and a hypothesis.

    Args:
        tokens: The tokenizer.

    Raises:
        BackendError: It does not join two texts one behind the other.
    """

    def __init__(self, tokens: Tokens) -> None:
        seen: Any = tokens.tokenizer("a", "b", return_token_type_ids=True)
        ids, types, origin = seen["input_ids"], seen["token_type_ids"], seen.sequence_ids(0)
        parts: list[tuple[int | None, list[int], list[int]]] = []
        for token, kind, own in zip(ids, types, origin, strict=True):
            if not parts or parts[-1][0] != own:
                parts.append((own, [], []))
            parts[-1][1].append(token)
            parts[-1][2].append(kind)
        places = {own: place for place, (own, _, _) in enumerate(parts) if own is not None}
        texts = [own for own, _, _ in parts if own is not None]
        if texts != [0, 1]:
            raise BackendError(
                f"tokenizer {type(tokens.tokenizer).__name__} does not join a premise and a "
                "hypothesis one behind the other",
                hint="use a model that was trained on pairs of sentences",
            )
        first, second = places[0], places[1]
        gaps = [parts[:first], parts[first + 1 : second], parts[second + 1 :]]
        self._ids = [[token for _, own, _ in gap for token in own] for gap in gaps]
        self._types = [[kind for _, _, own in gap for kind in own] for gap in gaps]
        self._of_text = parts[first][2][0], parts[second][2][0]
        self.size = sum(map(len, self._ids))

    def fitted(self, premise: Encoded, hypothesis: Encoded, n_chars: int, room: int) -> Pair | None:
        """The two, a premise that is too long without its end; None if nothing of it fits.

        Args:
            premise: The row.
            hypothesis: A statement, which is never cut: it would say something else.
            n_chars: Characters of the row.
            room: Tokens that the model reads at once.
        """
        left = room - self.size - len(hypothesis.ids)
        if left >= len(premise.ids):
            return Pair(premise.ids, hypothesis.ids)
        if left < 1:
            return None
        return Pair(premise.ids[:left], hypothesis.ids, n_chars - premise.spans[left - 1][1])

    @property
    def around(self) -> tuple[list[int], list[int], list[int]]:
        """The tokenizer's own tokens before, between and behind the two."""
        before, between, behind = self._ids
        return before, between, behind

    def length(self, pair: Pair) -> int:
        """Tokens of the whole sequence."""
        return self.size + len(pair.premise) + len(pair.hypothesis)

    def ids(self, pair: Pair) -> list[int]:
        """The whole sequence."""
        before, between, behind = self._ids
        return [*before, *pair.premise, *between, *pair.hypothesis, *behind]

    def types(self, pair: Pair) -> list[int]:
        """Which text each token belongs to, for models that are told."""
        before, between, behind = self._types
        first, second = self._of_text
        told = [second] * len(pair.hypothesis)
        return [*before, *[first] * len(pair.premise), *between, *told, *behind]
