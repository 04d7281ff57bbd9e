"""A template: a row in, a structured prompt and its candidates out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts.flatten import stripped
from promptkit.prompts.form import LabelKeys, TemplateKeys
from promptkit.prompts.label_names import letter, plain_words, says
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


class Template:
    """How a task is put to a model.

    Args:
        keys: The checked keys of its file.
        file: The file, for messages.
        labels: The labels in use, None for those of the file. See `with_labels`.

    Raises:
        SpecError: A broken form or an unknown variable: file, line, key, nearest name.
    """

    def __init__(
        self, keys: TemplateKeys, file: YamlFile, labels: Sequence[Scalar] | None = None
    ) -> None:
        self.keys, self.file = keys, file
        self.name, self.path = keys.name, file.path
        declared = () if keys.labels == "open" else tuple(keys.labels)
        self.task = Task(
            name=keys.name,
            kind=keys.task.kind,
            fields=tuple(keys.task.fields),
            labels=declared if labels is None else tuple(labels),
            choices=keys.task.choices,
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
        return Template, (self.keys, self.file, self.task.labels or None)

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
        return self.task.kind == "classify" and not self.task.labels

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
        """Names the template's content, not its file's comments or layout."""
        # without what is not used, so that templates keep the names they had before it existed
        unused: dict[str, Any] = {} if self.keys.prefill else {"prefill": True}
        unused |= {} if self.keys.generation else {"generation": True}
        task = self.keys.task
        late = {key: True for key in ("metrics", "tolerance") if getattr(task, key) is None}
        content = self.keys.model_dump_json(exclude={**unused, "task": late})
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def with_labels(self, labels: Sequence[Scalar]) -> Template:
        """The same template over these labels: a subset of its own, or any when it is open.

        Raises:
            SpecError: A label that the template does not know, one twice, or fewer than two; or
                answers that are texts.
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
        return Template(self.keys, self.file, labels)

    def target(self, example: Example) -> Value | None:
        """The gold label in the task's terms.

        For ``choose`` the index of the right choice; for ``generate`` the texts that are right.

        Raises:
            DataError: The gold choice is none of the row's choices; or a text that is empty.
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
        """What a model chooses from: a candidate for each word, or by statements one a label."""
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

        Empty where a statement depends on the row. A statement made from a label's name is left
        out where that has no letter: "This text is about 0." says nothing.
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
        common = {"words": self._words(), "labels": list(self.task.labels)}
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
        in_row = {*fields, *common} | ({"letters"} if self.choosing else set())
        self._system = Form(keys.system, at("system"), common)
        self._instruction = Form(keys.instruction, at("instruction"), common)
        self._prefill = self._prefill_of(keys.prefill, common)
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
        if not (self._query.uses & set(fields)):
            raise SpecError(f"{at('query')}: shows none of the fields {', '.join(fields)}")
        self._cloze_form = self._cloze_of(keys.cloze, in_row)

    def _prefill_of(self, source: str, known: set[str]) -> Form:
        where = self.file.at("prefill")
        if source and not self.keys.chat:
            raise SpecError(
                f"{where}: begins the model's turn of a chat, and this template is none; set "
                "'chat: true' (--chat), or take the prefill out"
            )
        # chat templates take white space off the ends of a turn, and tokens take in the blank
        # before a word: 'Sentiment: ' and 'positive' would not be what demonstrations show
        if source != source.strip():
            raise SpecError(
                f"{where}: begins or ends in white space; begin the answer form with the blank"
            )
        return Form(source, where, known)

    def _cloze_of(self, source: str | None, in_row: set[str]) -> Form | None:
        if source is None:
            return None
        where = self.file.at("cloze")
        form = Form(source, where, {*in_row, "mask"})
        # inside 'if' and 'else' it may stand twice: what a row prints is counted in `_cloze`
        printed = len(re.findall(r"\{\{[-+]?\s*mask\s*[-+]?\}\}", source))
        if printed == 0 or (printed > 1 and "{%" not in source):
            raise SpecError(
                f"{where}: must print {{{{ mask }}}} once, as it stands: the word's place; it "
                f"prints it {printed} times"
            )
        return form

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
        for index, choice in enumerate(self._choices(example)):
            values = {**example.fields, "choice": str(choice), "letter": letter(index)}
            said.append(([flat(_render(form, values, example)) for form in words], statements))
        return said

    def _tell(self, form: Form, values: Mapping[str, Any], label: Scalar, row: Example) -> str:
        if self.choosing:
            choice = str(self._choices(row)[int(label)])
            naming = {"choice": choice, "letter": letter(int(label))}
        else:
            naming = {"label": plain_words(label)}
        return flat(_render(form, {**values, **naming}, row))

    def _words(self) -> list[str]:
        return [] if self._fixed is None else [words[0] for words, _ in self._fixed]

    def _values(self, example: Example) -> dict[str, Any]:
        missing = [name for name in self.task.fields if name not in example.fields]
        if missing:
            raise DataError(f"row {example.id!r}: field {missing[0]!r} is missing")
        # as many letters as the row has choices: the 27th is no index error
        letters = [letter(i) for i in range(len(self._choices(example)))] if self.choosing else []
        return {**example.fields, "letters": letters}

    def _answer(self, word: str, example: Example) -> Text:
        return _render(self._answer_form, {"word": word}, example)


def filled(cloze: Text, word: Text) -> Text:
    """A cloze with a word in its slot, the white space around the word left out."""
    return tuple(
        part for piece in cloze for part in (stripped(word) if piece.text == SLOT else (piece,))
    )


def _render(form: Form, values: Mapping[str, Any], example: Example) -> Text:
    return form.render({name: values[name] for name in values if name in form.uses}, example.id)
