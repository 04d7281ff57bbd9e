"""A template whose labels are said by other words."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.errors import SpecError
from promptkit.prompts.form import LabelKeys
from promptkit.prompts.template import Template
from promptkit.types import Scalar, label_key


def with_words(template: Template, words: Sequence[tuple[Scalar, Sequence[str]]]) -> Template:
    """The same template over the labels in use, each said by these words; statements stay.

    Args:
        template: Its labels settled; one that leaves them open gets them declared.
        words: The words of every label in use; pairs, since 1 and True are one key.

    Raises:
        SpecError: Rows that bring their own choices, or an answer that is a text; a label without
            words.
    """
    if template.choosing or template.writing:
        raise SpecError(f"template {template.name!r} has no labels that all rows share")
    keys = template.keys
    told = {label_key(label): list(said) for label, said in words}
    own = {} if keys.labels == "open" else {label_key(x): said for x, said in keys.labels.items()}
    labels: dict[Scalar, LabelKeys] = {}
    for label in template.task.labels:
        if not told.get(label_key(label)):
            raise SpecError(f"label {label!r} has no words; give it at least one")
        known = own.get(label_key(label), keys.any_label)
        labels[label] = LabelKeys(
            words=told[label_key(label)], statements=known.statements if known else []
        )
    changed = keys.model_copy(update={"labels": labels, "any_label": None})
    return Template(changed, template.file, template.task.labels)
