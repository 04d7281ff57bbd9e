"""What a template says about its labels, as labelled rows that a strategy may learn from.

"It broke after a short time." stands in a template as something to compare rows with; it is a row
labelled ``negative`` as well. With few rows of the user's own that is much: docs/log.md has
figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptkit.errors import DataError, SpecError
from promptkit.prompts.template import Template
from promptkit.types import Example, Scalar, label_key


def label_rows(template: Template) -> tuple[Example, ...]:
    """A row for each statement about each label.

    None where a row has several fields or brings its own choices, and where a statement depends
    on the row. A label whose name has no letter, like 0, says nothing by its name.
    """
    fields = template.task.fields
    if len(fields) > 1 or template.choosing or template.writing:
        return ()
    return rows_about(template.statements(), fields)


def rows_about(
    said: Mapping[Scalar, Sequence[str]],
    fields: Sequence[str],
    labels: Sequence[Scalar] | None = None,
) -> tuple[Example, ...]:
    """Rows from statements about labels.

    Args:
        said: Label to statements.
        fields: The one field that rows have.
        labels: The task's labels, to check against; None checks nothing.

    Raises:
        SpecError: A label that the task does not have, no list of texts, or several fields.
        DataError: A statement without text.
    """
    if said and len(fields) != 1:
        raise SpecError(
            f"statements about labels need rows of one field, and these have {', '.join(fields)}"
        )
    known = None if labels is None else {label_key(label) for label in labels}
    rows = []
    for label, texts in said.items():
        if known is not None and label_key(label) not in known:
            raise SpecError(f"statements: {label!r} is none of the labels {list(labels or ())!r}")
        if isinstance(texts, str):
            raise SpecError(f"statements about {label!r}: give a list of texts, not one text")
        for number, text in enumerate(texts):
            if not str(text).strip():
                raise DataError(f"statements about {label!r}: number {number + 1} is empty")
            rows.append(Example(f"statement {number} about {label}", {fields[0]: text}, label))
    return tuple(rows)
