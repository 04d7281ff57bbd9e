"""A task that is put in several ways: one file of rows, one of instructions in many words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from promptkit.errors import SpecError
from promptkit.prompts.form import TaskKeys, TemplateKeys
from promptkit.prompts.template import Template
from promptkit.prompts.yamlfile import YamlFile, read_yaml, validate


class TaskFileKeys(BaseModel):
    """The keys of a task file.

    Args:
        name: Its name.
        description: One line.
        task: As in a template.
        data: Its rows: a file beside it, or any data set that promptkit loads.
        labels: How each label is said where a variant does not say it.
        variants: Templates; each has its own keys, and `name`, `description`, `task` and `labels`
            from here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    description: str
    task: TaskKeys
    data: str = "rows.jsonl"
    labels: dict[Any, Any] | None = None
    variants: Annotated[list[dict[str, Any]], Field(min_length=1)]


@dataclass(frozen=True)
class VariedTask:
    """A task, its ways of being put, and where its rows are.

    Args:
        name: Its name.
        description: One line.
        templates: At least one; all have the same labels.
        data: What `promptkit.data.load` takes.
    """

    name: str
    description: str
    templates: tuple[Template, ...]
    data: str


def read_task(path: Path) -> VariedTask:
    """Read and check a task file.

    Raises:
        SpecError: What is wrong, in which file and variant.
    """
    file = read_yaml(path)
    keys = validate(TaskFileKeys, file)
    templates = tuple(_variant(file, keys, place) for place in range(len(keys.variants)))
    labels = {template.task.labels for template in templates}
    if len(labels) > 1:
        raise SpecError(f"{path}: its variants do not have the same labels")
    beside = path.parent / keys.data
    return VariedTask(
        keys.name, keys.description, templates, str(beside) if beside.exists() else keys.data
    )


def _variant(file: YamlFile, keys: TaskFileKeys, place: int) -> Template:
    own = keys.variants[place]
    for key in ("task", "name", "description"):
        if key in own:
            raise SpecError(f"{file.at('variants', place, key)}: belongs to the task, not to a way")
    content = {
        "name": f"{keys.name}_{place + 1}",
        "description": keys.description,
        "task": file.content["task"],
        **({} if keys.labels is None else {"labels": keys.labels}),
        **own,
    }
    if keys.labels is not None and isinstance(own.get("labels"), dict):
        # in one order, whichever a variant says them in
        said = own["labels"]
        known = [label for label in keys.labels if label in said]
        content["labels"] = {label: said[label] for label in dict.fromkeys([*known, *said])}
    # lines of the variant's keys, for messages
    lines = {
        where[2:]: line for where, line in file.lines.items() if where[:2] == ("variants", place)
    }
    varied = YamlFile(f"{file.path} variant {place + 1}", content, lines)
    return Template(validate(TemplateKeys, varied), varied)
