"""YAML read safely, with the line of every key, and pydantic's findings told as one line.

Read with a safe loader, tags refused. Plain words are read as in YAML 1.2: only ``true`` and
``false`` are booleans, so that the labels ``yes``, ``no``, ``on`` and ``off`` stay words, and so do
``1:30``, ``012`` and ``2020-01-01`` (YAML 1.1 makes them 90, 10 and a date). A key that stands
twice is an error, not a silent winner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from promptkit.errors import SpecError, nearest

Model = TypeVar("Model", bound=BaseModel)
Where = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2 scalars."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )
_TAGS = frozenset(f"tag:yaml.org,2002:{t}" for t in "null bool int float str seq map".split())


@dataclass
class YamlFile:
    """A parsed file.

    Args:
        path: Where it was read.
        content: The mapping at its top.
        lines: 1-based line of each key, by path of keys.
        seen: Nodes met while reading.
    """

    path: str
    content: dict[str, Any]
    lines: dict[Where, int] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def at(self, *keys: str | int) -> str:
        """``file line 3, key 'labels.negative'``, for messages."""
        known = next((k for k in _shortened(keys) if k in self.lines), ())
        line = f" line {self.lines[known]}" if known in self.lines else ""
        return f"{self.path}{line}" + (f", key {'.'.join(map(str, keys))!r}" if keys else "")


def _shortened(keys: Where) -> list[Where]:
    return [keys[:size] for size in range(len(keys), -1, -1)]


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML mapping.

    Raises:
        SpecError: No such file, not UTF-8, not YAML, not a mapping, or a key that stands twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, path: str) -> YamlFile:
    """Parse one YAML mapping; ``path`` is for messages."""
    found = YamlFile(path, {})
    loader = None
    try:
        loader = _Loader(text)  # raises at a control character
        root = loader.get_single_node()
        if root is None or not isinstance(root, yaml.MappingNode):
            raise SpecError(f"{path}: must hold a mapping of keys to values")
        _note_lines(root, (), loader, found)
        found.content = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}" if mark else ""
        why = error.problem or error.context or "not YAML"
        if why.startswith("mapping values"):
            why = "a value that holds ': ' must stand in quotes"
        raise SpecError(f"{path}{line}: {why}") from error
    except RecursionError as error:
        raise SpecError(f"{path}: nested too deeply") from error
    except (yaml.YAMLError, ValueError, LookupError) as error:
        raise SpecError(f"{path}: {str(error).splitlines()[0]}") from error
    finally:
        if loader is not None:
            loader.dispose()
    return found


def _note_lines(node: yaml.Node, keys: Where, loader: yaml.SafeLoader, found: YamlFile) -> None:
    found.lines.setdefault(keys, node.start_mark.line + 1)
    if id(node) in found.seen:  # an alias; following aliases of aliases can take forever
        raise SpecError(
            f"{found.path} line {node.start_mark.line + 1}: write it out, no YAML alias"
        )
    found.seen.add(id(node))
    if node.tag not in _TAGS:
        raise SpecError(f"{found.path} line {node.start_mark.line + 1}: tags are not allowed")
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _note_lines(item, (*keys, position), loader, found)
    if isinstance(node, yaml.MappingNode):
        read: dict[str | int | float | bool, int] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node)
            if not isinstance(key, str | int | float | bool):
                raise SpecError(
                    f"{found.path} line {key_node.start_mark.line + 1}: a key must be plain"
                )
            here: Where = (*keys, str(key))
            line = key_node.start_mark.line + 1
            if here in found.lines or key in read:  # Python's 1, 1.0 and True are one key
                raise SpecError(
                    f"{found.path} line {line}: key {key!r} stands twice, first in line "
                    f"{found.lines.get(here) or read[key]}; keep one"
                )
            read[key] = line
            found.lines[here] = line
            _note_lines(value_node, here, loader, found)


def validate(model: type[Model], file: YamlFile) -> Model:
    """Check a file's content against a pydantic model.

    Raises:
        SpecError: The first thing that is wrong: file, line, key, what it got, the nearest name.
    """
    try:
        return model.model_validate(file.content, context=file.content)
    except ValidationError as error:
        raise SpecError(_told(error, model, file)) from error


def _told(error: ValidationError, model: type[BaseModel], file: YamlFile) -> str:
    first = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")[0]
    # pydantic puts the branch of a union into the path, such as "dict[str,LabelKeys]"
    keys: Where = tuple(key for key in first["loc"] if "[" not in str(key))
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, first["loc"][:-1])
        return f"{file.at(*keys)}: unknown key; {nearest(keys[-1], known)}"
    if first["type"] == "missing":
        return f"{file.at(*keys[:-1])}: key {keys[-1]!r} is missing"
    got = repr(first["input"])
    got = got if len(got) <= 60 else f"{got[:57]}..."
    said = first["msg"].removeprefix("Value error, ")
    of_whole = "" if not keys else f", got {got}"
    return f"{file.at(*keys)}: {said[0].lower()}{said[1:]}{of_whole}"


def _fields_at(model: type[BaseModel], keys: Where) -> list[str]:
    """The keys that a model takes at a place, for the nearest name."""
    here: Any = model
    for key in keys:
        fields: Mapping[str, Any] = getattr(here, "model_fields", {})
        if key in fields:
            here = fields[str(key)].annotation
        inner = [a for a in (here, *get_args(here)) if isinstance(a, type)]
        here = next((a for a in inner if issubclass(a, BaseModel)), here)
        for option in get_args(here):
            deeper = [a for a in get_args(option) if isinstance(a, type)]
            here = next((a for a in deeper if issubclass(a, BaseModel)), here)
    return list(getattr(here, "model_fields", {}))
