"""Chat templates written for the tests, each in the manner of a family of thinking models."""

from __future__ import annotations

from pathlib import Path

from tests.tiny import save_causal, tokenizer_of

_TURNS = (
    "{%- for turn in messages %}{%- set said = turn.content %}"
    "{%- if turn.role == 'assistant' and '</think>' in said %}"
    "{%- set said = said.split('</think>')[-1].lstrip('\\n') %}{%- endif %}"
    "{{- '<|im_start|>' + turn.role + '\\n' + said + '<|im_end|>\\n' }}{%- endfor %}"
)


def _ending(inner: str) -> str:
    return (
        f"{_TURNS}{{%- if add_generation_prompt %}}{{{{- '<|im_start|>assistant\\n' }}}}"
        f"{inner}{{%- endif %}}"
    )


#: As Qwen3: a closed block when thinking is off, and nothing when the model is to think.
HYBRID = _ending(
    "{%- if enable_thinking is defined and not enable_thinking %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
)
#: As QwQ and DeepSeek-R1: always an open block.
ALWAYS = _ending("{{- '<think>\\n' }}")
#: The same with a switch of another name.
OTHER_SWITCH = _ending(
    "{%- if thinking is defined and not thinking %}{{- '<think>\\n\\n</think>\\n\\n' }}"
    "{%- else %}{{- '<think>\\n' }}{%- endif %}"
)
#: Thinks when its other switch says so, and otherwise leaves the answer to the model.
OPENED_BY_SWITCH = _ending("{%- if thinking %}{{- '<think>\\n' }}{%- endif %}")
#: Opens a block after some messages only, and has no way to close one.
SOMETIMES = _ending(
    "{%- if messages[-1].content.endswith('/think') %}{{- '<think>\\n' }}{%- endif %}"
)
#: Takes old thoughts out of past turns, and says nothing about the next one.
FORGETS = _ending("")
#: No word about thinking, and no system role.
PLAIN = (
    "{%- for turn in messages %}{%- if turn.role == 'system' %}"
    "{{- raise_exception('no system role') }}{%- endif %}"
    "{{- '<|im_start|>' + turn.role + '\\n' + turn.content + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def chatting(template: str) -> object:
    """The tokenizer in the manner of Qwen3 with this chat template."""
    tokenizer = tokenizer_of("qwen3")
    tokenizer.chat_template = template
    return tokenizer


def save_chatting(template: str, folder: Path) -> Path:
    """A tiny model in the manner of Qwen3 with this chat template."""
    save_causal("qwen3", folder)
    chatting(template).save_pretrained(folder)
    return folder
