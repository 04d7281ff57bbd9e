"""Tagging by a strategy that classifies: each word of a row is asked about by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from promptkit.prompts.parts_asked import about_words
from promptkit.protocols import NO_CONTEXT, FitContext, Strategy
from promptkit.strategies.several import joined
from promptkit.types import Cost, Evidence, Example, Prediction

T = TypeVar("T")


class WordByWord:
    """Kind ``tag``: a row once for each of its words, and the answers put together.

    A row is unscored where one of its words is: a tag that is missing would move all behind it.

    Args:
        inner: A strategy over the tags; its rows have the word that is asked about as ``token``.
        words: The field that holds a row's words.
    """

    def __init__(self, inner: Strategy, words: str) -> None:
        self.inner, self.words = inner, words

    @property
    def cost(self) -> Cost:
        """What the strategy has done so far; its rows are words."""
        return self.inner.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Fit the strategy on all words."""
        self.inner.fit([word for row in train for word in self._of(row)], context)
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """A row's evidence about every word, in `Evidence.members`."""
        parts = [self._of(row) for row in examples]
        found = self.inner.gather([word for own in parts for word in own])
        dealt = _dealt(found, list(map(len, parts)))
        return [joined(row.id, own) for row, own in zip(examples, dealt, strict=True)]

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """The tags of each row."""
        parts = [self._of(row) for row in examples]
        said = self.inner.conclude(
            [word for own in parts for word in own],
            [one for own in evidence for one in own.members],
        )
        return [
            tagged(row.id, own)
            for row, own in zip(examples, _dealt(said, list(map(len, parts))), strict=True)
        ]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def describe(self) -> Mapping[str, Any]:
        """The strategy's own, and that it is asked about words."""
        return {**self.inner.describe(), "each_word": True}

    def card_facts(self) -> dict[str, Any]:
        """What the strategy tells of its fit."""
        facts: dict[str, Any] = getattr(self.inner, "card_facts", dict)()
        return facts

    def save(self, folder: Path) -> None:
        """As the strategy does."""
        self.inner.save(folder)

    def restore(self, folder: Path) -> Self:
        """As the strategy does."""
        self.inner.restore(folder)
        return self

    def _of(self, row: Example) -> list[Example]:
        return about_words(row, self.words)


def tagged(example_id: str, own: Sequence[Prediction]) -> Prediction:
    """One prediction of a row from those of its words."""
    unsaid = next((place for place, one in enumerate(own) if one.label is None), None)
    if unsaid is not None:
        why = f"word {unsaid + 1}: {own[unsaid].problem}"
        return Prediction(example_id, None, None, own[0].kind, problem=why)
    return Prediction(
        example_id=example_id,
        label=tuple(one.label for one in own if not isinstance(one.label, tuple | None)),
        log_p=None,
        kind=own[0].kind,
        tied=any(one.tied for one in own),
        dropped_shots=max(one.dropped_shots for one in own),
        cut_chars=max(one.cut_chars for one in own),
    )


def _dealt(found: Sequence[T], counts: Sequence[int]) -> Iterator[Sequence[T]]:
    start = 0
    for count in counts:
        yield found[start : start + count]
        start += count
