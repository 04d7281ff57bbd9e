"""What the model reads of a row, for whoever asks to see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.backends.openai_messages import messages
from promptkit.prompts.flatten import flatten
from promptkit.prompts.parts_asked import about_label, about_words
from promptkit.protocols import Backend, Strategy
from promptkit.strategies.binary_relevance import BinaryRelevance
from promptkit.strategies.ensemble import Ensemble
from promptkit.strategies.generate import Generate
from promptkit.strategies.in_context import InContext
from promptkit.strategies.rated import Rated
from promptkit.strategies.reading import Reading
from promptkit.strategies.word_by_word import WordByWord
from promptkit.types import Example, Prompt, flat


def shown_prompt(strategy: Strategy, reading: Reading, example: Example) -> Mapping[str, Any]:
    """The first thing that is asked about a row, before it is cut to fit.

    Args:
        strategy: Who answers.
        reading: How a strategy that learned from text reads a row.
        example: The row.

    Returns:
        ``text``, or of a chat whose template is not at hand ``messages``; and ``question``, which
        question of how many it is, empty where a row is asked about once.

    Raises:
        PromptkitError: The row cannot be put.
    """
    asker, example, told = _first(strategy, example)
    if isinstance(asker, InContext | Generate):
        (prompt,) = asker.prompts([example])
        return {**_rendered(prompt, asker.backend, isinstance(asker, Generate)), "question": told}
    return {"text": flat(reading(example)), "question": told}


def _first(strategy: Any, example: Example) -> tuple[Any, Example, str]:
    """Who is asked first where a row is asked about several times, and about what."""
    told: list[str] = []
    while True:
        if isinstance(strategy, Rated):
            strategy = strategy.inner
        elif isinstance(strategy, WordByWord):
            own = about_words(example, strategy.words)
            told.append(f"word 1 of {len(own)}")
            strategy, example = strategy.inner, own[0]
        elif isinstance(strategy, BinaryRelevance):
            label, member = next(iter(strategy.members.items()))
            if not isinstance(member, InContext | Generate | Ensemble):
                return member, example, ""  # a classifier for each label reads the same text
            told.append(f"label 1 of {len(strategy.members)}: {label}")
            strategy, example = member, about_label(example, label)
        elif isinstance(strategy, Ensemble):
            told.append(f"prompt 1 of {len(strategy.members)}")
            strategy = strategy.members[0]
        else:
            return strategy, example, ", ".join(told)


def _rendered(prompt: Prompt, backend: Backend, writes: bool) -> dict[str, Any]:
    if backend.reads == "statements":  # an encoder compares this text with what is said of labels
        return {"text": flat(prompt.encoded)}
    tokens = getattr(backend, "tokens", None)
    if prompt.cloze and getattr(getattr(tokens, "tokenizer", None), "mask_token", None):
        from promptkit.backends.hf_masked import masked_text

        prompt = masked_text(prompt, tokens)  # type: ignore[arg-type]
    if tokens is not None and hasattr(tokens, "flat"):
        return {"text": flat(tokens.flat(prompt, answering=not writes).text)}
    if prompt.chat:
        return {"messages": messages(prompt)}
    return {"text": flat(flatten(prompt).text)}
