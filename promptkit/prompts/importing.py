"""Files of other tools as template files: what each holds, and how it is written down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from promptkit.errors import PromptkitError, SpecError
from promptkit.prompts.import_lm_eval import lm_eval_template
from promptkit.prompts.import_promptsource import promptsource_templates
from promptkit.prompts.template import Template
from promptkit.prompts.written import template_from

Tool = Literal["auto", "promptsource", "lm-eval"]
HEADER = "# Imported from {tool}: the forms below are read by its rules, not by promptkit's.\n"


@dataclass(frozen=True)
class Imported:
    """One template of a file.

    Args:
        name: Its name.
        text: The template file; empty where it could not be imported.
        template: The same, read again.
        problem: Why it could not be imported.
        notes: What of it is left out.
        files: Python files that it needs beside it.
    """

    name: str
    text: str = ""
    template: Template | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def import_file(path: str | Path, tool: Tool = "auto", *, truncate: bool = False) -> list[Imported]:
    """All templates of a file; one that cannot be imported says why and holds up no other.

    Args:
        path: promptsource's ``templates.yaml``, or a task file of lm-evaluation-harness.
        tool: Whose file it is; ``auto`` tells by what it holds.
        truncate: Whether values are cut as promptsource does by default; its files only.

    Raises:
        SpecError: No such file, or one of neither tool.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise SpecError(f"{path}: is a folder; give its YAML files one by one")
    if tool == "auto":
        tool = _tool_of(path)
    if tool == "promptsource":
        found = promptsource_templates(path, truncate=truncate)
        return [_imported(name, one, "promptsource", path) for name, one in found]
    content, notes = lm_eval_template(path)
    return [_imported(content["name"], content, "lm-evaluation-harness", path, tuple(notes))]


def content_text(content: Mapping[str, Any]) -> str:
    """A template file: texts of several lines as blocks where YAML can hold them so."""
    return yaml.dump(
        dict(content), Dumper=_Blocks, sort_keys=False, width=2**31, allow_unicode=True
    )


class _Blocks(yaml.SafeDumper):
    """Texts bare where any version of YAML reads them as texts, in blocks where they have lines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if _BARE.fullmatch(text) and text not in _NOT_TEXTS else '"'
    if "\n" in text.strip():
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    short = all(isinstance(one, str | int | float) and len(str(one)) < 60 for one in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=short)


_BARE = re.compile(r"[a-z_][a-z0-9_]*")
_NOT_TEXTS = frozenset("y n yes no on off true false null".split())
_Blocks.add_representer(str, _text)
_Blocks.add_representer(list, _list)


def _tool_of(path: Path) -> Tool:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    if "!Template" in text or "\ntemplates:" in text:
        return "promptsource"
    marks = ("task:", "doc_to_", "include:", "output_type:", "group:", '"task"', '"include"')
    if any(mark in text for mark in marks):
        return "lm-eval"
    raise SpecError(
        f"{path}: is neither a templates.yaml of promptsource nor a task of lm-evaluation-harness"
    )


def _imported(
    name: str,
    content: Mapping[str, Any] | PromptkitError,
    tool: str,
    path: Path,
    notes: tuple[str, ...] = (),
) -> Imported:
    if isinstance(content, PromptkitError):
        return Imported(name, problem=str(content))
    text = HEADER.format(tool=tool) + content_text(content)
    functions = content.get("lm_eval", {}).get("functions", {})
    files = {path.parent / told.partition(":")[0] for told in functions.values()}
    try:
        # read from beside the Python files that it may name
        template = template_from(text, str(path.parent / f"{name}.yaml"))
    except PromptkitError as error:
        return Imported(name, problem=str(error))
    return Imported(name, text, template, notes=notes, files=tuple(sorted(files)))
