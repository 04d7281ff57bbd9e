"""Think blocks of today's chat models: whether one stands open where an answer should begin.

A model that thinks writes a block such as ``<think>...</think>`` and then its answer. Whether it
will is settled by its chat template's generation prompt, what the template puts behind the last
message: Qwen3 told not to think writes an empty closed block there, and told to think nothing;
templates in the manner of DeepSeek-R1 open a block whatever they are told. The probability of a
label says something behind a closed block. In an open one, or where the model would first open one,
it says how likely the model is to begin its thoughts with that word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.errors import CapabilityError

#: What opens a block of thoughts and what closes it, in the templates of published models.
MARKERS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
)
#: The names by which templates are told to think.
SWITCHES = ("enable_thinking", "thinking")


def open_block(text: str) -> str:
    r"""The marker of a block that a text opens and does not close; empty where there is none.

    >>> open_block("assistant\n<think>\n"), open_block("<think>\n\n</think>\n\n")
    ('<think>', '')
    """
    opened = [(text.rfind(first), first) for first, last in MARKERS
              if text.rfind(first) > text.rfind(last)]  # fmt: skip
    return max(opened, default=(-1, ""))[1]


def without_thinking(text: str, opened: bool = False) -> str | None:
    r"""An answer without the thoughts before it; None where the thoughts never end.

    Args:
        text: What a model wrote.
        opened: Whether the prompt had opened a block already.

    >>> without_thinking("<think>good, I guess</think>\n\npositive")
    'positive'
    """
    closed = max((text.rfind(last) + len(last) for _, last in MARKERS if last in text), default=0)
    rest = text[closed:]
    if open_block(rest) or (opened and not closed):
        return None
    return rest.lstrip("\n") if closed else text


def check_generation_prompt(tail: str, source: str, told: Mapping[str, Any]) -> None:
    """See that an answer can begin behind a chat template's generation prompt.

    Args:
        tail: What the template puts behind the last message.
        source: The template.
        told: What the user tells the template.

    Raises:
        CapabilityError: A label would be scored as the beginning of a thought.
    """
    marker = open_block(tail)
    asked = next((name for name in SWITCHES if told.get(name)), "")
    if not marker and asked and not any(last in tail for _, last in MARKERS):
        marker = next((first for first, last in MARKERS if first in source or last in source), "")
        if marker:
            raise CapabilityError(
                f"with {asked}={str(told[asked]).lower()} the model writes {marker} first, so that "
                "the probability of a label right behind the prompt says nothing of the answer; "
                f"use --chat-template-kwargs {asked}=false"
            )
    if marker:
        said = f"use --chat-template-kwargs {asked}=false" if asked else (
            "if the template has a switch, tell it so with --chat-template-kwargs; else use "
            "--no-chat or a model that does not think"
        )  # fmt: skip
        raise CapabilityError(
            f"the model's chat template opens a block of thoughts ({marker}) where the answer "
            "should begin, so that the probability of a label says how the thoughts begin; " + said
        )
