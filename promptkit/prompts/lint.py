"""Advice about a template that is right, but may not do what its author thinks."""

from __future__ import annotations

import re

from promptkit.prompts.template import Template
from promptkit.types import Scalar, label_key

_CONTROL = re.compile(r"<\|[^|]*\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|\[(?:CLS|SEP)\]")


def advice(template: Template) -> list[str]:
    """What to mind, a sentence each; empty when there is nothing."""
    keys = template.keys
    found: list[str] = []
    if not keys.chat and keys.query[-1:].isspace():
        found.append(
            "query ends in white space: most tokenizers join it with the answer; end it without, "
            "and begin the answer form with the blank"
        )
    if (keys.prefill or not keys.chat) and not keys.answer[:1].isspace():
        found.append(
            "answer begins without white space: most vocabularies have ' word', not 'word'"
        )
    for key in ("system", "instruction", "query", "shot", "prefill"):
        text = getattr(keys, key) or ""
        match = _CONTROL.search(text)
        if match:
            found.append(
                f"{key} holds {match.group()!r}: use 'chat: true', which takes the model's own "
                "chat template"
            )
    unused = [f for f in keys.task.fields if f not in template.uses and f != keys.task.choices]
    found += [f"field {field!r} is used nowhere" for field in unused]
    if keys.encoder is None and not template.writing:
        found.append("no encoder text: sentence encoders read the fields, one a line")
    found += _about_words(template)
    if _stem(template) != template.name:
        found.append(f"its file is not called {template.name}.yaml")
    return found


def _stem(template: Template) -> str:
    return template.path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]


def _about_words(template: Template) -> list[str]:
    if template.keys.labels == "open":
        return []
    found: list[str] = []
    seen: dict[str, Scalar] = {}
    for label, said in template.keys.labels.items():
        if not said.statements:
            found.append(f"label {label!r} has no statements: encoders compare with its words")
        for word in said.words:
            if word != word.strip():
                found.append(f"word {word!r}: white space belongs into the answer form")
            other = seen.setdefault(word.strip().lower(), label)
            if label_key(other) != label_key(label):
                found.append(f"the word {word!r} stands for {other!r} and for {label!r}")
    return found
