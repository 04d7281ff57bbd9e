"""A row that is asked about in parts: each word of it, or each label that it may have."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.errors import DataError
from promptkit.prompts.form import ASKED_WORD, LabelKeys, PresenceKeys
from promptkit.prompts.label_names import plain_words
from promptkit.prompts.template import Template
from promptkit.types import Example, Scalar, label_key


def first_part(
    template: Template, row: Example, others: Sequence[Example] = ()
) -> tuple[Template, Example, list[Example], str]:
    """What is asked about a row first, for those who look on.

    Args:
        template: Of any kind, its labels settled.
        row: A row.
        others: Rows that demonstrations are taken from.

    Returns:
        The template of the question, the row and the others as it reads them, and which question
        of how many it is; empty where a row is asked about once.
    """
    kind, labels = template.task.kind, template.task.labels
    if kind == "multilabel":
        asked = [about_label(one, labels[0]) for one in (row, *others)]
        told = f"asked about each of {len(labels)} labels; shown: {labels[0]}"
        return label_template(template, labels[0]), asked[0], asked[1:], told
    if kind == "tag":
        field = str(template.task.words)
        own = about_words(row, field)
        told = f"asked about each of {len(own)} words; shown: {own[0].fields['token']}"
        rest = [word for one in others for word in about_words(one, field)]
        return word_template(template), own[0], rest, told
    if kind == "rate":
        return rating_template(template), row, list(others), ""
    return template, row, list(others), ""


def rating_template(template: Template) -> Template:
    """Kind ``classify`` over the numbers of a rating."""
    task = template.keys.task.model_copy(update={"kind": "classify"})
    keys = template.keys.model_copy(update={"task": task})
    return Template(keys, template.file, template.task.labels or None, template.permutation)


def label_template(template: Template, label: Scalar) -> Template:
    """Kind ``classify``: whether a row has one label of a ``multilabel`` template.

    Its labels are True and False; the form knows ``label``. For an encoder, what is said about the
    other labels stands for False.
    """
    keys, presence = template.keys, template.keys.presence or PresenceKeys()
    told = template.statements()
    others = [text for one, texts in told.items() if not _same(one, label) for text in texts]
    own = next((texts for one, texts in told.items() if _same(one, label)), ())
    return Template(
        keys.model_copy(
            update={
                "task": keys.task.model_copy(
                    update={"kind": "classify", "fields": [*keys.task.fields, "label"]}
                ),
                "labels": {
                    True: LabelKeys(words=presence.present, statements=list(own)),
                    False: LabelKeys(words=presence.absent, statements=others),
                },
                "any_label": None,
                "presence": None,
            }
        ),
        template.file,
    )


def about_label(row: Example, label: Scalar) -> Example:
    """The row as `label_template` reads it, its gold label whether it has this one."""
    gold = None if row.label is None else any(_same(one, label) for one in labels_in(row))
    return Example(row.id, {**row.fields, "label": plain_words(label)}, gold)


def labels_in(row: Example) -> tuple[Scalar, ...]:
    """All labels of a labelled row of kind ``multilabel``."""
    if row.label is None:
        return ()
    return row.label if isinstance(row.label, tuple) else (row.label,)


def word_template(template: Template) -> Template:
    """Kind ``classify``: what one word of a row of a ``tag`` template is."""
    keys = template.keys
    task = {"kind": "classify", "words": None, "fields": [*keys.task.fields, *sorted(ASKED_WORD)]}
    asked = keys.model_copy(update={"task": keys.task.model_copy(update=task)})
    return Template(asked, template.file, template.task.labels or None, template.permutation)


def words_of(row: Example, field: str) -> tuple[str, ...]:
    """The words of a row: a list of texts, or a text that is parted at its white space.

    Raises:
        DataError: Anything else, or none.
    """
    said = row.fields[field]
    words = said.split() if isinstance(said, str) else said
    if isinstance(words, list | tuple) and words and all(isinstance(one, str) for one in words):
        return tuple(words)
    raise DataError(f"row {row.id!r}: field {field!r} must be a list of words, got {said!r:.60}")


def about_words(row: Example, field: str) -> list[Example]:
    """The row once for each of its words, as `word_template` reads it."""
    words, golds = words_of(row, field), tags_of(row, field)
    shown = {**row.fields, field: list(words)}
    return [
        Example(
            f"{row.id}/{place}",
            {**shown, "token": word, "place": place},
            None if golds is None else golds[place],
        )
        for place, word in enumerate(words)
    ]


def tags_of(row: Example, field: str) -> tuple[Scalar, ...] | None:
    """The gold label of each word; None of a row without.

    Raises:
        DataError: Not as many as words.
    """
    if row.label is None:
        return None
    golds: Sequence[Scalar] = row.label if isinstance(row.label, tuple) else (row.label,)
    words = words_of(row, field)
    if len(golds) != len(words):
        raise DataError(f"row {row.id!r}: {len(words)} words, and {len(golds)} labels")
    return tuple(golds)


def _same(one: Scalar, other: Scalar) -> bool:
    return label_key(one) == label_key(other)
