"""Templates that put the same task in other words: what one of them answers, all can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from promptkit.errors import SpecError
from promptkit.prompts import Template, find_template, template_paths
from promptkit.types import Example, label_key

#: What stands for every template in the box that fits.
ALL = "all"


def templates_alike(
    template: Template, names: Sequence[str] = (ALL,), *, chat_told: bool = False
) -> list[Template]:
    """The template, and after it others for the same task: same kind, fields and labels.

    Args:
        template: The one that the others must be like, its labels settled or not.
        names: Names or paths. ``all`` stands for those in the box that fit. There, chat templates
            stand by themselves, as do those that are none; and of those that leave their labels
            open, only the ones for the same data say the same task.
        chat_told: The user says whether prompts are chats, so that what a template says about it
            does not matter.

    Returns:
        Each once. Labels are those that the files declare: `Template.with_labels` narrows them.

    Raises:
        SpecError: One that was named does not fit, with what sets it apart; or no such template.
    """
    found = [template]
    for name in names:
        if name == ALL:
            box = [find_template(one) for one in template_paths()]
            found += [
                one
                for one in box
                if not difference(template, one)
                and (chat_told or one.keys.chat == template.keys.chat)
                and (one.declared or one.keys.data == template.keys.data)
            ]
            continue
        other = find_template(name)
        why = difference(template, other)
        if why:
            raise SpecError(
                f"template {other.name!r} does not go with {template.name!r}: {why}; leave it out"
            )
        found.append(other)
    once: dict[str, Template] = {}
    for one in found:
        once.setdefault(one.path, one)
    return list(once.values())


def difference(template: Template, other: Template) -> str:
    """What sets another template's task apart; empty where it is the same task."""
    mine, theirs = template.task, other.task
    if mine.kind != theirs.kind:
        return f"its task is {theirs.kind!r}, not {mine.kind!r}"
    if set(mine.fields) != set(theirs.fields) or mine.choices != theirs.choices:
        return f"its fields are {', '.join(theirs.fields)}, not {', '.join(mine.fields)}"
    if mine.kind == "generate" and template.keys.task.metrics != other.keys.task.metrics:
        return "its answers are scored by other metrics"
    if _named(template.declared) == _named(other.declared):
        return ""
    # narrowed by --labels or by the data: the others need to know those in use, and no more
    narrowed = 0 < len(mine.labels) < len(template.declared)
    if narrowed and other.declared and _named(mine.labels) <= _named(other.declared):
        return ""
    return f"its labels are {_said(other.declared)}, not {_said(mine.labels or template.declared)}"


def distinct(
    templates: Sequence[Template],
    example: Example,
    reads: Literal["text", "statements"],
    *,
    shown: bool = False,
) -> tuple[list[Template], list[tuple[str, str]]]:
    """Those that a backend can tell apart by what it reads of a row, and those that it cannot.

    Args:
        templates: Their labels settled.
        example: A row, with a label where it is shown.
        reads: What the backend scores.
        shown: Whether prompts have demonstrations.

    Returns:
        The first of each kind, and for every other one its name and the first's.
    """
    first: dict[object, Template] = {}
    same = []
    for template in templates:
        kept = first.setdefault(_read(template, example, reads, shown), template)
        if kept is not template:
            same.append((template.name, kept.name))
    return list(first.values()), same


def _read(
    template: Template, example: Example, reads: Literal["text", "statements"], shown: bool
) -> object:
    prompt = template.prompt(example, [example] if shown else ())
    candidates = template.candidates(example, reads)
    if reads == "statements":
        encoder = template.keys.encoder
        weights = (encoder.temperature, encoder.shot_weight) if encoder else None
        told = tuple((label_key(one.label), one.statements) for one in candidates)
        return prompt.encoded, told, weights
    said = tuple((label_key(one.label), one.text) for one in candidates)
    texts = prompt.system, prompt.instruction, prompt.shots, prompt.query, prompt.cloze
    return *texts, prompt.separator, prompt.chat, prompt.prefill, said


def _named(labels: Iterable[object]) -> set[tuple[str, object]]:
    return {label_key(label) for label in labels}  # type: ignore[arg-type]


def _said(labels: Sequence[object]) -> str:
    shown = ", ".join(map(str, labels[:6]))
    return (shown + (", …" if len(labels) > 6 else "")) or "open"
