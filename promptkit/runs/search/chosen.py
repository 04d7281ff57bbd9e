"""The chosen configuration as an eval spec, and as a command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from promptkit.prompts import Template
from promptkit.runs.search.nouns import Configuration, Part
from promptkit.runs.search.space import NONE, WORDS
from promptkit.runs.search.spec import SHARED, SearchSpec
from promptkit.runs.spec import EvalSpec, flag

#: What stands in place of rows that the search has not seen.
NEW_ROWS = "NEW_ROWS.csv"
#: Keys of a search that say which rows it chose on, and nothing of the rows to come.
_OWN = ("data", "split", "limit", "fresh")


def eval_options(asked: SearchSpec, chosen: Configuration, template: Template) -> dict[str, Any]:
    """The eval spec that asks as the chosen configuration does: only what differs from the usual.

    The rows of the search become training rows; the rows to evaluate are still to be named.
    """
    usual = EvalSpec()
    options: dict[str, Any] = {
        "template": chosen.template,
        "data": NEW_ROWS,
        "train_data": asked.data,
        "shots": chosen.shots,
    }
    for key in SHARED:
        if key not in _OWN and getattr(asked, key) != getattr(usual, key):
            options[key] = getattr(asked, key)
    if template.declared and len(template.task.labels) < len(template.declared):
        options["labels"] = list(template.task.labels)
    for key, part, default in (
        ("selector", chosen.selector, None),
        ("verbalizer", chosen.verbalizer, WORDS),
        ("calibration", chosen.calibration, NONE),
    ):
        options |= _named(key, part, default)
    return options


def _named(key: str, part: Part | None, default: Part | None) -> dict[str, Any]:
    if part is None or part == default:
        return {}
    named = {} if default is not None and part.name == default.name else {key: part.name}
    return named | ({f"{key}_options": dict(part.options)} if part.options else {})


def eval_command(options: Mapping[str, Any]) -> str:
    """The same as one line for a shell."""
    words = ["promptkit", "eval"]
    for key, value in options.items():
        option = {"fields": "--field"}.get(key, f"--{flag(key)}")
        if isinstance(value, Mapping):
            for name, one in value.items():
                told = json.dumps(one) if not isinstance(one, str) else one
                words += [option, f"{name}={told}"]
        else:
            told = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            words += [option, told]
    return shlex.join(words)
