"""A template for rows that come without one: what strategies that learn from text need no more of.

Prompting needs a template too when it is compared with them, so the best that can be had without
being told is made: an in-box one whose labels these are, or one that leaves the labels open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from promptkit.data import match_label
from promptkit.errors import SpecError
from promptkit.prompts import Template, find_template
from promptkit.prompts.form import RESERVED, TemplateKeys
from promptkit.prompts.yamlfile import YamlFile, validate
from promptkit.types import Scalar, label_key

#: In-box templates over one text, and whether fewer labels than all of theirs will do.
IN_BOX = (("sentiment_binary_zero_shot", False), ("sentiment_zero_shot", True))
TEXT = "text"


def template_for(labels: Sequence[Scalar], fields: Sequence[str]) -> Template:
    """A template over these labels and fields.

    Labels over the one field ``text`` that are called like those of an in-box sentiment template,
    but perhaps for their case, get that one and keep their spelling.

    Args:
        labels: The labels in canonical order; none leaves them open.
        fields: The template's fields, such as `field_names` makes of columns.

    Raises:
        SpecError: No field, one that no form can hold, or fewer than two different labels.
    """
    if labels and tuple(fields) == (TEXT,):
        for name, some_will_do in IN_BOX:
            found = _respelled(find_template(name), labels, some_will_do)
            if found is not None:
                return found
    made = plain_template(fields)
    return made.with_labels(labels) if labels else made


def plain_template(fields: Sequence[str]) -> Template:
    """A template with open labels over these fields."""
    if not fields:
        raise SpecError("a row needs at least one column of text; say which with --text-field")
    shown = "\n".join(f"{_title(name)}: {{{{ {name} }}}}" for name in fields)
    content: dict[str, Any] = {
        "name": "plain",
        "description": "The row's text and the labels' names, and nothing more.",
        "task": {"kind": "classify", "fields": list(fields)},
        "instruction": "Choose the label that fits.\nLabels: {{ words | join(', ') }}",
        "query": f"{shown}\nLabel:",
        "labels": "open",
        "any_label": {
            "words": ["{{ label }}"],
            "statements": ["{{ label }}", "This text is about {{ label }}."],
        },
    }
    file = YamlFile("plain template", content)
    return Template(validate(TemplateKeys, file), file)


def field_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Names that may stand in a form: ``text`` for one column, else the columns' own, mended.

    >>> field_names(["body"]), field_names(["sentence 1", "label", "2"])
    (('text',), ('sentence_1', 'label_', 'field_2'))
    """
    if len(columns) == 1:
        return (TEXT,)
    names: list[str] = []
    for column in columns:
        name = re.sub(r"\W", "_", column).strip("_") or "field"
        name = name if name.isidentifier() else f"field_{name}"
        while name in RESERVED or name in names:
            name += "_"
        names.append(name)
    return tuple(names)


def _respelled(template: Template, labels: Sequence[Scalar], some_will_do: bool) -> Template | None:
    """The template over these labels, each said like its own label of that name; or None."""
    declared = template.declared
    own = [match_label(label, declared) for label in labels]
    found = {label_key(label) for label in own if label is not None}
    if None in own or len(found) < max(2, len(labels)):
        return None
    if len(found) < len(declared) and not some_will_do:
        return None
    assert not isinstance(template.keys.labels, str)
    said: Mapping[Scalar, Any] = template.keys.labels
    renamed = {
        label: said[known] for label, known in zip(labels, own, strict=True) if known is not None
    }
    if list(labels) == own and len(found) == len(declared):
        return template.with_labels(labels)
    keys = template.keys.model_copy(update={"labels": renamed})
    return Template(keys, template.file)


def _title(column: str) -> str:
    return column.replace("_", " ").strip().capitalize() or column
