"""A template as YAML text and back, so that it can be kept beside what was learned with it."""

from __future__ import annotations

from typing import Any

import yaml

from promptkit.prompts.form import TemplateKeys
from promptkit.prompts.template import Template
from promptkit.prompts.yamlfile import parse_yaml, validate


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


def template_from(text: str, where: str) -> Template:
    """The template that a text holds; ``where`` names it in messages.

    Raises:
        SpecError: Not a template.
    """
    file = parse_yaml(text, where)
    return Template(validate(TemplateKeys, file), file)
