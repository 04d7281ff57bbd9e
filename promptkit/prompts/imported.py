"""Templates of other tools as templates of promptkit: their forms stay as those tools read them.

Where all rows have the same choices and one column says which is right, the task is a
classification like any other, and everything that promptkit does with one can be done. Where rows
bring their own choices, the task is of kind ``choose``; where nothing says what may be answered, of
kind ``generate``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from promptkit.errors import DataError, SpecError
from promptkit.prompts.lm_eval import LmEvalTask, Turn
from promptkit.prompts.promptsource import PromptsourceTask
from promptkit.prompts.sandbox import Form
from promptkit.prompts.template import Template
from promptkit.prompts.trust import need_code
from promptkit.types import Example, Prompt, Scalar, Shot, Text, Value, flat, label_key

#: The field in which a row's own choices are put for whoever looks for them.
CHOICES = "answer_choices"


class Peer(Protocol):
    """What another tool makes of a row. ``doc`` is the row with its gold label in its column."""

    def description(self, doc: Mapping[str, Any], row: str) -> Text:
        """What stands before everything else."""
        ...

    def question(self, doc: Mapping[str, Any], row: str) -> Text:
        """What is asked; empty where the template leaves the row out."""
        ...

    def shot(self, doc: Mapping[str, Any], row: str) -> Turn:
        """A demonstration."""
        ...

    def choices(self, doc: Mapping[str, Any], row: str) -> list[str]:
        """What may be answered."""
        ...

    def gold(self, doc: Mapping[str, Any], row: str) -> int | str | None:
        """The index of the right choice, or the right text; None where the row does not say."""
        ...

    def answer(self, word: str) -> Text:
        """A choice as the model writes it."""
        ...


class ImportedTemplate(Template):
    """A template whose forms another tool wrote; see `Template` for what is asked of it."""

    peer: Peer

    @property
    def lists(self) -> bool:
        """Never known: its forms are another tool's."""
        return False

    @property
    def uses(self) -> set[str]:
        """The columns that it reads of a row."""
        return set(self.task.fields)

    def skips(self, example: Example) -> bool:
        """Whether the template itself leaves this row out."""
        if self.keys.promptsource is None:
            return False
        return not self.peer.question(self.document(example), example.id)

    def prepared(self, example: Example) -> Example:
        """The row with its choices in ``answer_choices``, where it brings its own."""
        if not self.choosing or CHOICES in example.fields:
            return example
        choices = self.peer.choices(self.document(example), example.id)
        return replace(example, fields={**example.fields, CHOICES: choices})

    def target(self, example: Example) -> Value | None:
        """The gold label in the task's terms, worked out by the other tool's rules.

        Raises:
            DataError: It is none of the row's choices.
        """
        if not (self.choosing or self.writing):
            return example.label
        found = self.peer.gold(self.document(example), example.id)
        return (found,) if isinstance(found, str) else found

    def prompt(self, example: Example, shots: Sequence[Example] = ()) -> Prompt:
        """The structured prompt for a row, with these demonstrations in this order."""
        doc = self.document(example)
        return self.put(example, self.peer.question(doc, example.id), shots)

    def put(self, example: Example, question: Text, shots: Sequence[Example] = ()) -> Prompt:
        """A prompt that asks this question about a row."""
        return Prompt(
            example_id=example.id,
            instruction=self.peer.description(self.document(example), example.id),
            shots=tuple(self._shot(shot, {}) for shot in shots),
            query=question,
            separator=self.keys.separator,
            joint="" if self.keys.lm_eval else None,
            encoded=self._encoded.render(self._printed(example), example.id),
            template=self.name,
        )

    def _shot(self, example: Example, common: Mapping[str, Any]) -> Shot:
        turn = self.peer.shot(self.document(example), example.id)
        gold = self.target(example)
        label = gold[0] if isinstance(gold, tuple) else gold
        return Shot(
            example_id=example.id,
            label="" if label is None else label,
            query=turn.question,
            answer=turn.answer,
            encoded=flat(self._encoded.render(self._printed(example), example.id)),
        )

    def _compile(self) -> None:
        keys, at, fields = self.keys, self.file.at, self.task.fields
        answer = Form(keys.answer, at("answer"), {"word"})
        if keys.lm_eval is not None:
            need_code(at("lm_eval"), keys.lm_eval.functions)
            folder = Path(self.path).parent
            self.peer = _Harness(LmEvalTask(keys.lm_eval, at("lm_eval"), folder))
        elif keys.promptsource is not None:
            task = PromptsourceTask(keys.promptsource, at("promptsource"))
            self.peer = _Promptsource(task, answer, self.task.labels, self.writing)
        self._answer_form, self._cloze_form = answer, None
        reading = keys.encoder.text if keys.encoder else None
        joined = "\n".join(f"{{{{ {name} }}}}" for name in fields)
        self._encoded = Form(reading or joined, at("encoder", "text"), fields)

    def _answer(self, word: str, example: Example) -> Text:
        return self.peer.answer(word)

    def _choices(self, example: Example) -> Sequence[Any]:
        found = self.prepared(example).fields[CHOICES]
        if len(found) < 2:
            raise DataError(f"row {example.id!r}: has fewer than two choices, {found!r:.60}")
        return list(found)

    def _choice_words(self, example: Example) -> list[tuple[list[str], list[Form]]]:
        return [([str(choice)], []) for choice in self._choices(example)]

    def document(self, example: Example) -> dict[str, Any]:
        """The row as the other tool would see it, its gold label in its column."""
        doc = {key: value for key, value in example.fields.items() if key != CHOICES}
        if example.label is not None:
            doc.setdefault(self.label_column, example.label)
        return doc

    @property
    def task_of_harness(self) -> LmEvalTask:
        """The task of lm-evaluation-harness that it is.

        Raises:
            SpecError: It is none.
        """
        if not isinstance(self.peer, _Harness):
            raise SpecError(f"template {self.name!r} is no task of lm-evaluation-harness")
        return self.peer.task

    def function(self, key: str) -> Callable[..., Any] | None:
        """The Python function that a task names there, if it does."""
        return self.peer.task.functions.get(key) if isinstance(self.peer, _Harness) else None

    @property
    def label_column(self) -> str:
        """The column of the gold label; one called so may as well be any other column."""
        peer = self.keys.promptsource or self.keys.lm_eval
        return (peer.label if peer else None) or "label"

    def _printed(self, example: Example) -> dict[str, Any]:
        return {name: example.fields.get(name, "") for name in self.task.fields}


class _Promptsource:
    """See `Peer`."""

    def __init__(
        self, task: PromptsourceTask, answer: Form, labels: tuple[Scalar, ...], writing: bool
    ) -> None:
        self.task, self.form, self.labels, self.writing = task, answer, labels, writing

    def description(self, doc: Mapping[str, Any], row: str) -> Text:
        return ()

    def question(self, doc: Mapping[str, Any], row: str) -> Text:
        return self.task.parts(self._whole(doc), row)[0]

    def shot(self, doc: Mapping[str, Any], row: str) -> Turn:
        parts = self.task.parts(doc, row)
        if len(parts) < 2 or not parts[1]:
            raise DataError(f"row {row!r}: cannot be a demonstration: the template gives no target")
        return Turn(parts[0], self.answer(flat(parts[1])))

    def choices(self, doc: Mapping[str, Any], row: str) -> list[str]:
        found = self.task.choices(doc, row)
        if found is None:
            raise DataError(f"row {row!r}: the template has no answer_choices")
        return found

    def gold(self, doc: Mapping[str, Any], row: str) -> int | str | None:
        parts = self.task.parts(doc, row)
        target = flat(parts[1]) if len(parts) == 2 else ""
        if not target or self.writing:
            return target or None
        choices = self.choices(doc, row)
        if choices.count(target) != 1:
            raise DataError(
                f"row {row!r}: the target {target[:60]!r} is not one of its choices "
                f"{choices!r:.120}"
            )
        return choices.index(target)

    def answer(self, word: str) -> Text:
        return self.form.render({"word": word})

    def _whole(self, doc: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row with some label where it has none: the input does not read it, a target may."""
        label = self.task.keys.label
        if label is None or label in doc or not self.labels:
            return doc
        return {**doc, label: self.labels[0]}


class _Harness:
    """See `Peer`."""

    def __init__(self, task: LmEvalTask) -> None:
        self.task = task

    def description(self, doc: Mapping[str, Any], row: str) -> Text:
        return self.task.description(doc, row)

    def question(self, doc: Mapping[str, Any], row: str) -> Text:
        return self.task.turn(doc, row).question

    def shot(self, doc: Mapping[str, Any], row: str) -> Turn:
        return self.task.shot(doc, row)

    def choices(self, doc: Mapping[str, Any], row: str) -> list[str]:
        return self.task.choices(doc, row)

    def gold(self, doc: Mapping[str, Any], row: str) -> int | str | None:
        found = self.task.gold(doc, row)
        if len(found) != 1 or found[0] < 0:
            raise DataError(
                f"row {row!r}: what is right ({found}) is not one of its choices; with --profile "
                "lm-eval such a row counts as the harness counts it"
            )
        return found[0]

    def answer(self, word: str) -> Text:
        return self.task.continuation(word)


def said_as(template: Template) -> dict[str, Scalar]:
    """What data may call the labels of an imported classification: their words, by label."""
    if template.keys.labels == "open":
        return {}
    found: dict[str, Scalar] = {}
    known = {label_key(label) for label in template.declared}
    for label, said in template.keys.labels.items():
        for word in said.words:
            if label_key(word) not in known:
                found.setdefault(word, label)
    return found


def is_imported(template: Template) -> bool:
    """Whether another tool wrote its forms."""
    return isinstance(template, ImportedTemplate)
