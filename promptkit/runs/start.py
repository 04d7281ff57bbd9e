"""A first template and a first eval spec for somebody's own rows, ready to be edited."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from promptkit.data.remarks import obstacles
from promptkit.data.survey import Survey
from promptkit.errors import SpecError, StoreError
from promptkit.prompts import Template
from promptkit.prompts.form import TemplateKeys
from promptkit.prompts.label_names import plain_words
from promptkit.prompts.written import label_as_key, quoted
from promptkit.prompts.yamlfile import parse_yaml, validate
from promptkit.runs.plain import TEXT, template_for
from promptkit.types import Scalar, label_key

#: What one to five stars are said to be; the file says that it is a guess.
STARS = ("terrible", "bad", "okay", "good", "great")
RATINGS = {"stars", "star", "rating", "ratings", "score"}


@dataclass(frozen=True)
class Start:
    """Two files that are to be written.

    Args:
        template: Path of the template.
        spec: Path of the eval spec.
        template_text: What the template says.
        spec_text: What the eval spec says.
    """

    template: Path
    spec: Path
    template_text: str
    spec_text: str


def start(found: Survey, folder: Path) -> Start:
    """The template and the eval spec for a file that was looked over; nothing is written.

    Args:
        found: The file.
        folder: Where the two will stand.
    """
    name = slug(found.path)
    template = folder / f"{name}_template.yaml"
    text = _template_text(found, template.stem)
    file = parse_yaml(text, str(template))
    Template(validate(TemplateKeys, file), file)  # what is written can be read
    return Start(template, folder / f"{name}.yaml", text, _spec_text(found, name, folder))


def write(made: Start, *, force: bool = False) -> None:
    """Write both files.

    Raises:
        SpecError: One of them is there already, and ``force`` is not given; nothing is written.
        StoreError: The folder cannot be written.
    """
    there = [path for path in (made.template, made.spec) if path.exists()]
    if there and not force:
        raise SpecError(
            f"{there[0]} is there already, perhaps edited; --force writes over it, and "
            "--output DIR writes elsewhere"
        )
    folder = made.spec.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made.template.write_text(made.template_text, encoding="utf-8")
        made.spec.write_text(made.spec_text, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written ({error.strerror}); --output DIR writes elsewhere"
        ) from error


def slug(path: Path) -> str:
    """A file's name as a template's may be: ``My Data.csv`` -> ``my_data``."""
    stem = path.name.partition(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "_", stem).strip("_") or "rows"


def _template_text(found: Survey, name: str) -> str:
    labels = [label for label, _ in found.labels]
    known = template_for(labels, (TEXT,)).keys
    said = _said(found, labels, known)
    temperature = known.encoder.temperature if known.encoder else 0.05
    lines = [
        "# How your task is put to a model. Edit it: what a label means is for you to say.",
        f"# Check it: promptkit templates lint {name}.yaml",
        f"name: {name}",
        f"description: {quoted(f'The labels of {found.path.name}.')}",
        "task:",
        "  kind: classify",
        f"  fields: [{TEXT}]",
        "# What a language model is told, the same for every row.",
        "instruction: |-",
        "  Choose the label that fits.",
        "  Labels: {{ words | join(', ') }}",
        "# The row's own part; the answer follows.",
        "query: |-",
        f"  Text: {{{{ {TEXT} }}}}",
        "  Label:",
        "# words: what a language model may answer, the first one is shown in demonstrations.",
        "# statements: what a sentence encoder compares the row with. Several for each label, that",
        "# sound like your rows, do better than its name.",
        "labels:",
    ]
    for label in labels:
        words, statements, note = said[label_key(label)]
        lines += [f"  {label_as_key(label)}:" + (f"  # {note}" if note else "")]
        lines += [f"    words: [{', '.join(map(quoted, words))}]", "    statements:"]
        lines += [f"      - {quoted(one)}" for one in statements]
    lines += [
        "# What a sentence encoder reads of a row; a smaller temperature is surer of itself.",
        "encoder:",
        f'  text: "{{{{ {TEXT} }}}}"',
        f"  temperature: {temperature:g}",
        "# What a masked language model reads; the word stands in place of the mask.",
        f'cloze: "{{{{ {TEXT} }}}} It is {{{{ mask }}}}."',
    ]
    return "\n".join(lines) + "\n"


_Said = tuple[Sequence[str], Sequence[str], str]


def _said(
    found: Survey, labels: Sequence[Scalar], known: TemplateKeys
) -> Mapping[tuple[str, object], _Said]:
    """Words, statements and a note for each label.

    Labels of feelings are said as the in-box templates say them; others by their names.
    """
    if known.labels != "open":
        by_key = {label_key(label): keys for label, keys in known.labels.items()}
        return {key: (keys.words, keys.statements, "") for key, keys in by_key.items()}
    rated = found.label.column.strip().lower() in RATINGS
    stars = [str(label) for label in labels] == ["1", "2", "3", "4", "5"] and rated
    said: dict[tuple[str, object], _Said] = {}
    taken: set[str] = set()
    for place, label in enumerate(labels):
        note = ""
        word = plain_words(label)
        if stars:
            word, note = STARS[place], "a guess: say what it means"
        elif found.is_numbered:
            note = f"EDIT: say in words what {label} means"
        if word.strip().lower() in taken:  # "not happy" and "not_happy"
            word, note = str(label), "EDIT: another label is called much the same"
        taken.add(word.strip().lower())
        shown = "{{ label }}" if "{" in word else word  # a statement is a form
        said[label_key(label)] = [word], [shown, f"This text is about {shown}."], note
        if stars:
            said[label_key(label)] = [word], [f"It is {word}.", f"I think it was {word}."], note
    return said


def _spec_text(found: Survey, name: str, folder: Path) -> str:
    lines = [
        f"# An evaluation: promptkit eval {name}.yaml",
        "# Each key is an option of 'promptkit eval'; paths are looked up beside this file first.",
        f"template: {name}_template.yaml",
        f"data: {quoted(_relative(found.path, folder))}",
        f"text_field: {quoted(found.text.column)}",
        f"label_field: {quoted(found.label.column)}",
    ]
    if found.id is not None and found.id.column != "id":
        lines.append(f"id_field: {quoted(found.id.column)}")
    lines += [
        "# The encoder in the box; or a folder or a hub id, such as ./Qwen3-0.6B",
        "model: minilm",
        "# With rows to choose from, some can be shown: a row is never its own demonstration.",
        f"# train_data: {quoted(_relative(found.path, folder))}",
        "# shots: 8",
    ]
    lines += [f"# BEFORE IT RUNS: {told}" for told in obstacles(found)]
    return "\n".join(lines) + "\n"


def _relative(path: Path, folder: Path) -> str:
    """The file as the spec names it, so that both can be moved together."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # Windows: another drive
        return path.resolve().as_posix()
