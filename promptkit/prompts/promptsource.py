"""A promptsource template, rendered by promptsource's own rules (Bach et al. 2022, "PromptSource").

Input and target are one Jinja text. It is rendered first and split at ``|||`` afterwards, since the
separator may stand inside an ``{% if %}``; ``|||`` in a row's own texts is hidden meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jinja2 import nodes

from promptkit.errors import DataError, SpecError
from promptkit.prompts.peer_forms import PeerForm, split_text
from promptkit.prompts.peer_keys import PromptsourceKeys
from promptkit.types import Piece, Text, flat

SEPARATOR = "|||"
#: What stands for the separator in a row's texts while a template is rendered.
HIDDEN = "3ed2dface8203c4c9dfb1a5dc58e41e0"
#: What forms know of the choices.
CHOICES = "answer_choices"
#: Characters that promptsource leaves of a value unless it is told to leave all of it.
TRUNCATED = 2048


class PromptsourceTask:
    """Renders rows as promptsource does.

    Args:
        keys: The template.
        where: File, line and key, for messages.

    Raises:
        SpecError: Broken Jinja.
    """

    def __init__(self, keys: PromptsourceKeys, where: str) -> None:
        self.keys, self.where = keys, where
        jinja = keys.jinja
        if keys.truncate:
            jinja = jinja.replace("}}", f" | string | truncate({TRUNCATED}) }}}}")
        self.form = PeerForm(jinja, where, "promptsource")
        self.choice_form = None
        if keys.answer_choices is not None:
            at = f"{where}, 'answer_choices'"
            self.choice_form = PeerForm(keys.answer_choices, at, "promptsource")

    @property
    def static(self) -> bool:
        """Whether all rows have the same choices."""
        return self.choice_form is not None and not self.choice_form.uses

    def choices(self, row: Mapping[str, Any], row_id: str) -> list[str] | None:
        """What may be answered; None where anything may.

        Raises:
            DataError: It cannot be rendered for this row.
        """
        if self.choice_form is None:
            return None
        text = self.choice_form.plain(_hidden(row), row_id)
        return [_shown(one.strip()) for one in text.split(SEPARATOR)]

    def parts(
        self, row: Mapping[str, Any], row_id: str, choices: list[str] | None = None
    ) -> list[Text]:
        """Input and target; ``[()]`` where the template leaves this row out.

        Args:
            row: The row.
            row_id: Its id.
            choices: What may be answered, where that is not to be the template's own.

        Raises:
            DataError: It cannot be rendered, or falls apart into other than two parts.
        """
        if CHOICES in row:
            raise DataError(
                f"row {row_id!r}: has a field {CHOICES!r}, which templates of promptsource keep "
                "for themselves; rename the column"
            )
        values = _hidden(row)
        values[CHOICES] = self.choices(row, row_id) if choices is None else choices
        whole = self.form.text(values, row_id)
        parts = [_unhidden(part) for part in split_text(whole, SEPARATOR)]
        if len(parts) == 1 and not parts[0]:
            return parts
        if len(parts) != 2:
            raise DataError(
                f"row {row_id!r}: {self.where} renders to {len(parts)} parts, and must render to "
                f"two, an input and a target with {SEPARATOR!r} between them"
            )
        return parts

    def variables(self) -> tuple[list[str], list[str]]:
        """Variables that the input reads, and those that the target reads beside them.

        What decides whether there is a prompt at all counts as the input's.

        Raises:
            SpecError: There is no separator.
        """
        walk = _Walk(self.form.uses)
        walk.through(self.form.tree)
        if not walk.behind:
            raise SpecError(f"{self.where}: has no {SEPARATOR!r} between input and target")
        choices = sorted(self.choice_form.uses) if self.choice_form else []
        before = [name for name in dict.fromkeys([*walk.before, *choices]) if name != CHOICES]
        after = [x for x in dict.fromkeys(walk.after) if x not in before and x != CHOICES]
        return before, after


class _Walk:
    """Goes through a template in the order of its text, and notes on which side names stand."""

    def __init__(self, variables: frozenset[str]) -> None:
        self.variables = variables
        self.behind = False
        self.before: list[str] = []
        self.after: list[str] = []

    def through(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.If):
            self._branches(node)
            return
        if isinstance(node, nodes.Name) and node.name in self.variables:
            (self.after if self.behind else self.before).append(node.name)
        if isinstance(node, nodes.TemplateData) and SEPARATOR in node.data:
            self.behind = True
        for child in node.iter_child_nodes():
            self.through(child)

    def _branches(self, node: nodes.If) -> None:
        """Each branch may have a separator of its own; one that has is no part of the target."""
        self.through(node.test)
        start, found = self.behind, self.behind
        for branch in (node.body, node.elif_, node.else_):
            self.behind = start
            for child in branch:
                self.through(child)
            found = found or self.behind
        self.behind = found


def _hidden(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value.replace(SEPARATOR, HIDDEN) if isinstance(value, str) else value
        for key, value in row.items()
    }


def _shown(text: str) -> str:
    return text.replace(HIDDEN, SEPARATOR)


def _unhidden(text: Text) -> Text:
    if HIDDEN not in flat(text):
        return text
    found = tuple(replace(piece, text=_shown(piece.text)) for piece in text)
    # what was cut in two by a piece's end is put together
    return found if HIDDEN not in flat(found) else (Piece(_shown(flat(text)), row=True),)
