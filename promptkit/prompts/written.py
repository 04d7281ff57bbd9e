"""A template as YAML text and back, so that it can be kept beside what was learned with it."""

from __future__ import annotations

from typing import Any

import yaml

from promptkit.prompts.form import TemplateKeys
from promptkit.prompts.template import Template
from promptkit.prompts.yamlfile import parse_yaml, validate
from promptkit.types import Scalar


class _Dumper(yaml.SafeDumper):
    """Quotes every text: whether a bare 1e5 or 'no' is one depends on the YAML version."""


_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


def template_text(template: Template) -> str:
    """YAML that `template_from` reads to a template of the same hash; labels in use are left out.

    ASCII only, with everything else escaped, so that it survives any editor and any file.
    """
    content: dict[str, Any] = template.keys.model_dump(exclude_unset=True)
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=100)


def labels_text(template: Template) -> str:
    """The ``labels:`` block of a template that declares them: YAML to be pasted into its file."""
    assert template.keys.labels != "open"
    lines = ["labels:"]
    for label, said in template.keys.labels.items():
        lines += [f"  {label_as_key(label)}:"]
        lines += [f"    words: [{', '.join(map(quoted, said.words))}]"]
        lines += ["    statements:"] if said.statements else []
        lines += [f"      - {quoted(one)}" for one in said.statements]
    return "\n".join(lines) + "\n"


def label_as_key(label: Scalar) -> str:
    """A label as a YAML key; a text is always in quotes, so that "1" stays one."""
    if isinstance(label, str):
        return quoted(label)
    return str(label).lower() if isinstance(label, bool) else repr(label)


def quoted(text: str) -> str:
    """A YAML string on one line, whatever stands in it."""
    return yaml.dump(text, default_style='"', allow_unicode=True, width=2**31).strip()


def template_from(text: str, where: str) -> Template:
    """The template that a text holds; ``where`` names it in messages.

    Raises:
        SpecError: Not a template.
    """
    file = parse_yaml(text, where)
    return Template(validate(TemplateKeys, file), file)
