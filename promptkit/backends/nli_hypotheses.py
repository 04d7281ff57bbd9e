"""What an entailment model is asked about a label: statements, or a sentence with its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from promptkit.errors import SpecError
from promptkit.prompts.label_names import plain_words, says
from promptkit.types import Candidate

#: Where a form has the label's name, as in transformers' zero-shot pipeline.
PLACE = "{}"


def with_hypothesis(candidates: Sequence[Candidate], form: str | None) -> list[Candidate]:
    """The candidates with the statements that are asked about.

    Args:
        candidates: With the template's statements.
        form: Such as ``This example is {}.``: one statement a label, its name in plain words in
            the place of ``{}``; None leaves the template's.

    Raises:
        SpecError: The form has no place for the name, a label's name says nothing, or a candidate
            has no statement.
    """
    if form is not None:
        return [replace(one, statements=(_named(one, form),)) for one in candidates]
    for one in candidates:
        if not one.statements:
            raise SpecError(f"label {one.label!r} has no statement that could be judged")
    return list(candidates)


def check_form(form: str | None) -> None:
    """Look whether a form can be used.

    Raises:
        SpecError: It is no text with a place for the name.
    """
    if form is not None and (not isinstance(form, str) or PLACE not in form):
        raise SpecError(
            f"option 'hypothesis': {form!r} has no {{}} for the label's name to stand in, as in "
            "'This example is {}.'"
        )


def _named(candidate: Candidate, form: str) -> str:
    check_form(form)
    name = plain_words(candidate.label)
    if not says(name):
        raise SpecError(
            f"option 'hypothesis': of label {candidate.label!r} nothing can be said by its name; "
            "leave the option out, and the template's statements are read"
        )
    return form.replace(PLACE, name)
