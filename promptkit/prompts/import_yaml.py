"""YAML files of other tools, read with a safe loader; aliases, which can explode, are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from promptkit.errors import SpecError


def load_yaml(path: Path, loader: type[yaml.SafeLoader]) -> dict[str, Any]:
    """The mapping that a file holds, its scalars as YAML 1.1 has them.

    Args:
        path: The file.
        loader: A safe loader; a tag that it does not know is an error.

    Raises:
        SpecError: No such file, not UTF-8, not YAML, an alias, or no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                start: Any = event.start_mark
                raise SpecError(f"{path} line {start.line + 1}: write it out, no YAML alias")
        found = yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line_told = f" line {mark.line + 1}" if mark else ""
        raise SpecError(f"{path}{line_told}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SpecError(f"{path}: not YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(found, dict):
        raise SpecError(f"{path}: must hold a mapping of keys to values")
    return found
