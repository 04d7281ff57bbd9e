"""Reads promptsource's ``templates.yaml``, and says of each template what task it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from promptkit.errors import DataError, PromptkitError, SpecError
from promptkit.prompts.import_yaml import load_yaml
from promptkit.prompts.peer_keys import PromptsourceKeys
from promptkit.prompts.promptsource import PromptsourceTask
from promptkit.types import flat

#: Numbers that a column is tried with, to see which of them the template knows.
MOST_NUMBERS = 200
#: Numbers that a column which decides whether there is a prompt at all is tried with.
MOST_CASES = 12


class _Loader(yaml.SafeLoader):
    """SafeLoader with promptsource's two tags, which stand for plain mappings."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    return loader.construct_mapping(node, deep=True)


for _tag in ("!Template", "!TemplateMetadata"):
    _Loader.add_constructor(_tag, _mapping)


def promptsource_templates(
    path: Path, *, truncate: bool = False
) -> list[tuple[str, dict[str, Any] | PromptkitError]]:
    """Each template of a file by its name: the content of a template file, or what is wrong.

    Args:
        path: A ``templates.yaml``.
        truncate: Whether values are cut to 2,048 characters, as promptsource does by default.

    Raises:
        SpecError: The file is not promptsource's.
    """
    content = load_yaml(path, _Loader)
    told = content.get("templates")
    if not isinstance(told, Mapping) or "dataset" not in content:
        raise SpecError(f"{path}: is no templates.yaml of promptsource (dataset, templates)")
    dataset = str(content["dataset"])
    if content.get("subset"):
        dataset += f"/{content['subset']}"
    found: list[tuple[str, dict[str, Any] | PromptkitError]] = []
    taken: set[str] = set()
    for key, one in told.items():
        try:
            made = _template(path, str(key), one, dataset, truncate)
        except PromptkitError as error:
            name = one.get("name", key) if isinstance(one, Mapping) else key
            found.append((str(name), error))
            continue
        made["name"] = unique(made["name"], taken)
        found.append((made["name"], made))
    return found


def unique(name: str, taken: set[str]) -> str:
    """The name, numbered where another has it already; it is taken from now on."""
    number, found = 2, name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add(found)
    return found


def slug(name: str) -> str:
    """A name as templates are named: small letters, digits and underscores.

    >>> slug("GPT-3 Style (yes/no)")
    'gpt_3_style_yes_no'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "template"


def _template(path: Path, key: str, told: Any, dataset: str, truncate: bool) -> dict[str, Any]:
    if not isinstance(told, Mapping) or not isinstance(told.get("jinja"), str):
        raise SpecError(f"{path}: template {key}: has no 'jinja' text")
    name = str(told.get("name") or key)
    about: Mapping[str, Any] = told.get("metadata") or {}
    own: dict[str, Any] = {
        "jinja": told["jinja"],
        "answer_choices": told.get("answer_choices"),
        "truncate": truncate,
        "dataset": dataset,
        "id": str(told.get("id") or key),
        "reference": str(told.get("reference") or ""),
        **{one: about.get(one) for one in ("choices_in_prompt", "original_task")},
        **{one: about.get(one) for one in ("metrics", "languages")},
    }
    own = {one: value for one, value in own.items() if value not in (None, "", False)}
    where = f"{path}, template {name!r}"
    task = PromptsourceTask(PromptsourceKeys(**own), where)
    before, after = task.variables()
    if not before:
        raise SpecError(f"{where}: its input shows no column")
    kind: dict[str, Any] = {"kind": "generate", "fields": before}
    content: dict[str, Any] = {
        "name": slug(f"{dataset} {name}"),
        "description": f"{name} ({dataset}), imported from promptsource.",
    }
    if task.choice_form is None:
        return {**content, "task": kind, "promptsource": own}
    labels = labels_known(task, before, after)
    if labels is None:
        kind |= {"kind": "choose", "choices": "answer_choices"}
        return {**content, "task": kind, "labels": "open", "promptsource": own}
    kind["kind"] = "classify"
    own["label"] = after[0]
    said = {label: {"words": [word]} for label, word in labels.items()}
    return {**content, "task": kind, "labels": said, "promptsource": own}


def labels_known(
    task: PromptsourceTask, before: list[str], after: list[str]
) -> dict[str | int, str] | None:
    """What each value of the label's column leads to, where the choices are the same for all rows.

    It is tried, and not read off the template: ``answer_choices[fine_label - 2]`` knows the numbers
    from 2 on. None where no one column says which choice is right.
    """
    if not task.static or len(after) != 1:
        return None
    choices = task.choices({}, "") or []
    # names for the places of choices, and behind them what an index from behind would find
    places = [f"<{place}>" for place in range(len(choices) + MOST_NUMBERS)]
    for case in _cases(task, before, after[0]):

        def leads_to(
            value: Any, said: list[str] | None = None, case: Mapping[str, Any] = case
        ) -> str | None:
            try:
                parts = task.parts({**case, after[0]: value}, "", said)
            except DataError:
                return None
            return flat(parts[1]) if len(parts) == 2 else None

        for texts in (choices, task.form.constants):
            named = {leads_to(text): text for text in texts}
            if set(choices) <= set(named):
                return {named[word]: word for word in choices}
        reached = {leads_to(number, places): number for number in reversed(range(MOST_NUMBERS))}
        if set(places[: len(choices)]) <= set(reached):
            return {reached[place]: word for place, word in zip(places, choices, strict=False)}
    return None


def _cases(task: PromptsourceTask, before: list[str], label: str) -> list[dict[str, Any]]:
    """Rows for which the template has a prompt: some columns decide that by their numbers."""
    usual: dict[str, Any] = dict.fromkeys(before, "x")
    tried = [usual]
    tried += [{**usual, name: n} for name in before for n in range(MOST_CASES)]
    found = []
    for row in tried:
        try:
            parts = task.parts({**row, label: 0}, "")
        except DataError:
            parts = []
        if len(parts) == 2:
            found.append(row)
    return found[:MOST_CASES] or [usual]
