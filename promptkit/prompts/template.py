"""A template: a row in, a structured prompt and its candidates out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts.form import ASKED_WORD, LabelKeys, TemplateKeys
from promptkit.prompts.label_names import letter, plain_words, says
from promptkit.prompts.permutation import listed
from promptkit.prompts.places import cloze_form, filled, prefill_form
from promptkit.prompts.sandbox import MASK, SLOT, Form
from promptkit.prompts.yamlfile import YamlFile, read_yaml, validate
from promptkit.types import (
    Candidate,
    Example,
    Prompt,
    Scalar,
    Shot,
    Task,
    Text,
    Value,
    flat,
    label_key,
)

#: What forms know beside the fields.
EXTRA = {"choose": {"letters"}, "tag": ASKED_WORD, "multilabel": {"label"}}
#: What prints the labels of all rows.
LISTS = {"words", "labels"}


class Template:
    """How a task is put to a model.

    Args:
        keys: The checked keys of its file.
        file: The file, for messages.
        labels: The labels in use, None for those of the file. See `with_labels`.
        permutation: In which order labels or choices are listed; 0 as written. See `permuted`.

    Raises:
        SpecError: A broken form or an unknown variable: file, line, key, nearest name.
    """

    def __new__(cls, keys: TemplateKeys, *_: Any) -> Template:  # noqa: D102
        if cls is Template and keys.imported:  # another tool's forms are read by its rules
            from promptkit.prompts.imported import ImportedTemplate as cls
        return object.__new__(cls)

    def __init__(
        self,
        keys: TemplateKeys,
        file: YamlFile,
        labels: Sequence[Scalar] | None = None,
        permutation: int = 0,
    ) -> None:
        self.keys, self.file, self.permutation = keys, file, permutation
        self.name, self.path = keys.name, file.path
        declared = () if keys.labels == "open" else tuple(keys.labels)
        self.task = Task(
            name=keys.name,
            kind=keys.task.kind,
            fields=tuple(keys.task.fields),
            labels=declared if labels is None else tuple(labels),
            choices=keys.task.choices,
            words=keys.task.words,
        )
        self._compile()
        self._fixed = None if self.choosing else [self._said(label) for label in self.task.labels]
        self._same_for_all: dict[str, tuple[Candidate, ...]] = {}

    @classmethod
    def read(cls, path: Path) -> Template:
        """Read and check a template file."""
        file = read_yaml(path)
        return cls(validate(TemplateKeys, file), file)

    def __deepcopy__(self, memo: dict[int, Any]) -> Template:
        return self  # it never changes

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuilt from its keys: compiled Jinja can be neither copied nor pickled."""
        return Template, (self.keys, self.file, self.task.labels or None, self.permutation)

    @property
    def choosing(self) -> bool:
        """Whether each row brings its own choices."""
        return self.task.kind == "choose"

    @property
    def writing(self) -> bool:
        """Whether the answer is a text, and not one of several labels."""
        return self.task.kind == "generate"

    @property
    def open(self) -> bool:
        """Whether the labels are still to be told."""
        return not (self.choosing or self.writing or self.task.labels)

    @property
    def declared(self) -> tuple[Scalar, ...]:
        """The labels that the file itself declares; empty when it leaves them open."""
        return () if self.keys.labels == "open" else tuple(self.keys.labels)

    @property
    def uses(self) -> set[str]:
        """The fields and variables that its forms print."""
        forms = [self._query, self._shot_form, self._encoded]
        forms += [self._cloze_form] if self._cloze_form else []
        forms += self._choice_forms[1] if self.choosing else []
        forms += [f for _, told in self._fixed or [] for f in told]
        return set().union(*(form.uses for form in forms))

    def hash(self) -> str:
        """Names the template's content, not its file's comments."""
        content = self.keys.content() + (f"/{self.permutation}" if self.permutation else "")
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def with_labels(self, labels: Sequence[Scalar]) -> Template:
        """The same template over these labels: a subset of its own, or any when it is open.

        Raises:
            SpecError: An unknown label, one twice, fewer than two, or answers that are texts.
        """
        if self.writing:
            raise SpecError(f"template {self.name!r} is answered by a text: it has no labels")
        own = {label_key(label) for label in self.declared}
        for label in labels:
            if own and label_key(label) not in own:
                raise SpecError(
                    f"{self.path}: template {self.name!r} has no label {label!r}; "
                    f"{nearest(label, self.declared)}"
                )
        if len({label_key(label) for label in labels}) < max(2, len(labels)):
            raise SpecError(f"labels {list(labels)!r}: give at least two different ones")
        return Template(self.keys, self.file, labels, self.permutation)

    @property
    def lists(self) -> bool:
        """Whether its prompts list the labels, or a row's choices, in some order."""
        printed = {name for form in self._prompt_forms for name in form.uses}
        return bool(printed & ({self.task.choices, "letters"} if self.choosing else LISTS))

    def permuted(self, permutation: int) -> Template:
        """The same template, labels or choices listed in another order; nothing else changes.

        Raises:
            SpecError: Its prompts list none.
        """
        if permutation and not self.lists:
            raise SpecError(
                f"template {self.name!r} lists no labels in its prompts: no order to change; print "
                "{{ words | join(', ') }} in its instruction, or leave permutations out"
            )
        return Template(self.keys, self.file, self.task.labels or None, permutation)

    def target(self, example: Example) -> Value | None:
        """The gold label in the task's terms.

        For ``choose`` the index of the right choice; for ``generate`` the texts that are right.

        Raises:
            DataError: It is none of the row's choices, or an empty text.
        """
        gold = example.label
        if self.writing and gold is not None:
            right = tuple(str(one) for one in (gold if isinstance(gold, tuple) else (gold,)))
            if not right or not all(text.strip() for text in right):
                raise DataError(f"row {example.id!r}: the right answer is empty")
            return right
        if gold is None or not self.choosing:
            return gold
        choices = self._choices(example)
        if isinstance(gold, int) and not isinstance(gold, bool) and 0 <= gold < len(choices):
            return gold
        texts = [str(choice).strip() for choice in choices]
        if texts.count(str(gold).strip()) == 1:
            return texts.index(str(gold).strip())
        if str(gold).isdecimal() and int(str(gold)) < len(choices):
            return int(str(gold))
        raise DataError(
            f"row {example.id!r}: label {gold!r} is neither one of its {len(choices)} choices nor "
            f"the index of one, 0 to {len(choices) - 1}"
        )

    def labels_of(self, example: Example) -> tuple[Scalar, ...]:
        """The labels among which this row is decided."""
        return tuple(range(len(self._choices(example)))) if self.choosing else self.task.labels

    def words(self, example: Example) -> list[tuple[str, Scalar]]:
        """All words that a label of this row is said by, each with its label."""
        said = self._choice_words(example) if self._fixed is None else self._fixed
        labels = self.labels_of(example)
        return [(word, x) for x, (words, _) in zip(labels, said, strict=True) for word in words]

    def candidates(
        self, example: Example, reads: Literal["text", "statements"]
    ) -> tuple[Candidate, ...]:
        """What a model chooses from: one for each word, or by statements one a label."""
        if reads in self._same_for_all:
            return self._same_for_all[reads]
        said = self._choice_words(example) if self._fixed is None else self._fixed
        labels = self.labels_of(example)
        values = dict(example.fields)
        found: list[Candidate] = []
        for label, (words, statements) in zip(labels, said, strict=True):
            if reads == "statements":
                told = tuple(self._tell(form, values, label, example) for form in statements)
                found.append(Candidate(label, (), told or tuple(words)))
            else:
                found += [Candidate(label, self._answer(word, example)) for word in words]
        of_the_row = {name for _, forms in said for form in forms for name in form.uses}
        if not self.choosing and (reads == "text" or not of_the_row & set(self.task.fields)):
            self._same_for_all[reads] = tuple(found)
        return tuple(found)

    def statements(self) -> dict[Scalar, tuple[str, ...]]:
        """What is said about each label whatever the row; the words where nothing else is.

        Empty where it depends on the row. One made from a name without a letter is left out.
        """
        told: dict[Scalar, tuple[str, ...]] = {}
        for label, (words, forms) in zip(self.task.labels, self._fixed or (), strict=False):
            if any(form.uses & set(self.task.fields) for form in forms):
                return {}
            name = plain_words(label)
            named = [form for form in forms if "label" not in form.uses or says(name)]
            texts = [flat(form.render({"label": name})) for form in named]
            if not forms:
                texts = [word for word in words if says(word)]
            told[label] = tuple(dict.fromkeys(texts))
        return told

    def prompt(self, example: Example, shots: Sequence[Example] = ()) -> Prompt:
        """The structured prompt for a row, with these demonstrations in this order."""
        order = listed(len(self.task.labels), self.permutation)
        labels = [self.task.labels[place] for place in order]
        common = {"words": self._words(order), "labels": labels}
        values = {**common, **self._values(example)}
        return Prompt(
            example_id=example.id,
            system=_render(self._system, common, example),
            instruction=_render(self._instruction, common, example),
            shots=tuple(self._shot(shot, common) for shot in shots),
            query=_render(self._query, values, example),
            separator=self.keys.separator,
            encoded=_render(self._encoded, values, example),
            cloze=self._cloze(values, example),
            chat=self.keys.chat,
            prefill=_render(self._prefill, common, example),
            template=self.name,
        )

    def _shot(self, example: Example, common: Mapping[str, Any]) -> Shot:
        label, word = self._shown(example)
        values = {**common, **self._values(example)}
        answer = self._answer(word, example)
        return Shot(
            example_id=example.id,
            label=label,
            query=_render(self._shot_form, values, example),
            answer=answer,
            encoded=flat(_render(self._encoded, values, example)),
            cloze=filled(self._cloze(values, example), answer),
        )

    def _shown(self, example: Example) -> tuple[Scalar, str]:
        """A demonstration's label, and the word that says it; of several right texts the first."""
        label = self.target(example)
        if self.writing and isinstance(label, tuple):
            return label[0], str(label[0])
        labels = [label_key(known) for known in self.labels_of(example)]
        if label is None or isinstance(label, tuple) or label_key(label) not in labels:
            raise DataError(f"demonstration {example.id!r}: label {label!r} is not in use")
        said = self._choice_words(example) if self._fixed is None else self._fixed
        return label, said[labels.index(label_key(label))][0][0]

    def _cloze(self, values: Mapping[str, Any], example: Example) -> Text:
        if self._cloze_form is None:
            return ()
        text = _render(self._cloze_form, {**values, "mask": MASK}, example)
        found = sum(piece.text == SLOT for piece in text)
        if found != 1:
            raise SpecError(
                f"{self._cloze_form.where}: prints {{{{ mask }}}} {found} times (row "
                f"{example.id!r}); it must print it once, as it stands"
            )
        return text

    def _compile(self) -> None:
        keys, fields, at = self.keys, self.task.fields, self.file.at
        common = {"words", "labels"}
        in_row = {*fields, *common, *EXTRA.get(self.task.kind, ())}
        self._system = Form(keys.system, at("system"), common)
        self._instruction = Form(keys.instruction, at("instruction"), common)
        self._prefill = prefill_form(keys.prefill, at("prefill"), common, keys.chat)
        self._query = Form(keys.query, at("query"), in_row)
        shot = keys.query if keys.shot is None else keys.shot
        self._shot_form = Form(shot, at("query" if keys.shot is None else "shot"), in_row)
        self._answer_form = Form(keys.answer, at("answer"), {"word"})
        reading = keys.encoder.text if keys.encoder else None
        joined = "\n".join(f"{{{{ {name} }}}}" for name in fields if name != self.task.choices)
        self._encoded = Form(reading or joined, at("encoder", "text"), in_row)
        if self.choosing and keys.any_label is not None:
            where, known = at("any_label"), {*fields, "choice", "letter"}
            self._choice_forms = (
                [Form(text, where, known) for text in keys.any_label.words],
                [Form(text, where, known) for text in keys.any_label.statements],
            )
        if "word" not in self._answer_form.uses:
            raise SpecError(f"{at('answer')}: must print {{{{ word }}}}")
        if not (self._query.uses & ({*fields, "token"} if self.task.words else set(fields))):
            raise SpecError(f"{at('query')}: shows none of the fields {', '.join(fields)}")
        self._cloze_form = cloze_form(keys.cloze, at("cloze"), in_row)

    def _said(self, label: Scalar) -> tuple[list[str], list[Form]]:
        """The words of a label and the forms of its statements."""
        keys, where = self._keys_of(label)
        known = {*self.task.fields, "label"}
        if self.keys.labels == "open":
            naming = {"label": plain_words(label)}
            words = [flat(Form(w, where, {"label"}).render(naming)) for w in keys.words]
        else:
            words = keys.words
        for word in words:
            if not word.strip():
                raise SpecError(f"{where}: a label word of {label!r} is empty")
        return words, [Form(text, where, known) for text in keys.statements]

    def _keys_of(self, label: Scalar) -> tuple[LabelKeys, str]:
        if self.keys.any_label is not None:
            return self.keys.any_label, self.file.at("any_label")
        assert self.keys.labels != "open"
        found = {label_key(own): said for own, said in self.keys.labels.items()}
        return found[label_key(label)], self.file.at("labels", str(label))

    def _choices(self, example: Example) -> Sequence[Any]:
        choices = example.fields.get(self.task.choices or "")
        if isinstance(choices, str) or not isinstance(choices, Sequence) or len(choices) < 2:
            raise DataError(
                f"row {example.id!r}: field {self.task.choices!r} must be a list of at least two "
                f"choices, got {choices!r:.60}"
            )
        texts = [str(choice).strip() for choice in choices]
        if "" in texts or len(set(texts)) < len(texts):
            raise DataError(f"row {example.id!r}: its choices must be different and not empty")
        return choices

    def _choice_words(self, example: Example) -> list[tuple[list[str], list[Form]]]:
        words, statements = self._choice_forms
        said = []
        order = self._order(example)
        for index, choice in enumerate(self._choices(example)):
            named = letter(order.index(index))
            values = {**example.fields, "choice": str(choice), "letter": named}
            said.append(([flat(_render(form, values, example)) for form in words], statements))
        return said

    def _tell(self, form: Form, values: Mapping[str, Any], label: Scalar, row: Example) -> str:
        if self.choosing:
            choice = str(self._choices(row)[int(label)])
            naming = {"choice": choice, "letter": letter(self._order(row).index(int(label)))}
        else:
            naming = {"label": plain_words(label)}
        return flat(_render(form, {**values, **naming}, row))

    @property
    def _prompt_forms(self) -> list[Form]:
        forms = [self._system, self._instruction, self._prefill, self._query, self._shot_form]
        return [*forms, self._cloze_form] if self._cloze_form else forms

    def _words(self, order: Sequence[int]) -> list[str]:
        return [] if self._fixed is None else [self._fixed[place][0][0] for place in order]

    def _order(self, example: Example) -> tuple[int, ...]:
        """A row's choices as they are listed: the place of each in the row."""
        return listed(len(self._choices(example)), self.permutation, example.id)

    def _values(self, example: Example) -> dict[str, Any]:
        missing = [name for name in self.task.fields if name not in example.fields]
        if missing:
            raise DataError(f"row {example.id!r}: field {missing[0]!r} is missing")
        if not self.choosing:
            return {**example.fields, "letters": []}
        order, choices = self._order(example), self._choices(example)
        # as many letters as the row has choices: the 27th is no index error
        letters = [letter(place) for place in range(len(order))]
        shown = {str(self.task.choices): [choices[place] for place in order]}
        return {**example.fields, **shown, "letters": letters}

    def _answer(self, word: str, example: Example) -> Text:
        return _render(self._answer_form, {"word": word}, example)


def _render(form: Form, values: Mapping[str, Any], example: Example) -> Text:
    return form.render({name: values[name] for name in values if name in form.uses}, example.id)
