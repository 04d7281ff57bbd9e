"""A prompt as a server reads it that tokenizes for itself: messages, and text without traps."""

from __future__ import annotations

import re
from collections.abc import Sequence

from promptkit.errors import DataError
from promptkit.prompts.flatten import flatten, messages_of
from promptkit.prompts.sandbox import pieces_of
from promptkit.types import Candidate, Piece, Prompt, flat

#: What servers that tokenize for themselves may read as a control token, in common families.
CONTROL = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|<｜[^｜<>\n]{1,40}｜>|</?s>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS)\]"
    r"|<</?SYS>>|<(?:start|end)_of_(?:turn|image)>|<(?:bos|eos|pad|unk|mask)>"
    r"|</?(?:think|tool_call|tool_response)>|\[(?:CLS|SEP|PAD|UNK|MASK)\]"
)


def messages(prompt: Prompt) -> list[dict[str, str]]:
    """A prompt as chat messages in plain text; one that is no chat is one turn of the user."""
    if not prompt.chat:
        return [{"role": "user", "content": flat(flatten(prompt).text)}]
    return [
        {"role": one["role"], "content": flat(pieces_of(one["content"]))}
        for one in messages_of(prompt)
    ]


def check_control(prompt: Prompt, candidates: Sequence[Candidate] = ()) -> None:
    """Refuse row text that a server which tokenizes for itself may take for a control token.

    Raises:
        DataError: There is some.
    """
    texts = [prompt.system, prompt.instruction, prompt.query]
    texts += [part for shot in prompt.shots for part in (shot.query, shot.answer)]
    texts += [candidate.text for candidate in candidates]
    for text in texts:
        # neighbouring pieces may hold one together
        whole = flat(tuple(Piece(p.text if p.row else "\n", p.row) for p in text))
        found = CONTROL.search(whole)
        if found:
            raise DataError(
                f"the text holds {found.group()!r}, which the server may read as a control token; "
                "give the model's tokenizer (--tokenizer) to a server of token ids, or take it out"
            )
