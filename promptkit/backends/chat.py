"""A model's chat template with its arguments, and what it leaves to do before an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from promptkit.errors import SpecError, nearest
from promptkit.prompts.flatten import ChatRenderer, Message, merging_system
from promptkit.prompts.thinking import Closing, Source, closing

#: Set where a user says nothing: labels are scored where an answer begins, not where thinking does.
DEFAULTS: Mapping[str, Any] = {"enable_thinking": False}
#: What promptkit sets itself, and what would change what is rendered behind its back.
RESERVED = frozenset(
    "add_generation_prompt bos_token chat_template continue_final_message conversation documents "
    "eos_token max_length messages padding return_assistant_tokens_mask return_dict return_tensors "
    "tokenize tokenizer_kwargs tools truncation".split()
)
_PROBE = "\x02probe"


class ChatTemplate:
    """Renders messages with a tokenizer's chat template.

    Args:
        tokenizer: A tokenizer of transformers that has one.
        given: Arguments of the template, on top of `DEFAULTS`.

    Raises:
        SpecError: An argument that the template does not use, or one that is not for users.
    """

    def __init__(self, tokenizer: Any, given: Mapping[str, Any]) -> None:
        self.tokenizer, self.given = tokenizer, {**DEFAULTS, **given}
        self._settled: dict[str, Closing] = {}
        for name in given:
            if name in RESERVED:
                raise SpecError(f"--chat-template-kwargs {name}: is set by promptkit; leave it out")
            if self.source.variables is not None and name not in self.source.variables:
                known = sorted(self.source.variables - RESERVED)
                raise SpecError(
                    f"--chat-template-kwargs {name}: the model's chat template has no such "
                    f"argument; {nearest(name, known)}"
                )

    @cached_property
    def source(self) -> Source:
        """What its source says about thinking."""
        return Source(self.tokenizer.get_chat_template())

    @cached_property
    def render(self) -> ChatRenderer:
        """Messages as one string that ends where the model's turn begins."""
        return merging_system(lambda messages: self._render(messages, self.given))

    def close(self, generation: str) -> Closing:
        """What has to follow a generation prompt before labels can be scored.

        Raises:
            CapabilityError: The model would think first.
        """
        if generation not in self._settled:
            found = closing(generation, self.source, self.given, self._generation)
            self._settled[generation] = found
        return self._settled[generation]

    def _generation(self, given: Mapping[str, Any]) -> str:
        """The generation prompt with other arguments."""
        return self._render([{"role": "user", "content": _PROBE}], given).rpartition(_PROBE)[2]

    def _render(self, messages: Sequence[Message], given: Mapping[str, Any]) -> str:
        text: str = self.tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=True, **given
        )
        return text
