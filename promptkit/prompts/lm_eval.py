"""A multiple-choice task of lm-evaluation-harness, read by the rules of its version 0.4.13.

A row is a document; each field of the task is a column of it, a Jinja form over it, or what it says
in so many words. See Gao et al. 2024, "The Language Model Evaluation Harness".
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.errors import CapabilityError, DataError
from promptkit.prompts.peer_code import function_of
from promptkit.prompts.peer_forms import PeerForm
from promptkit.prompts.peer_keys import LmEvalKeys
from promptkit.types import Piece, Text, flat

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """A question, and an answer where it is a demonstration.

    Args:
        question: Up to where the answer begins.
        answer: With what stands before it; empty of the evaluated row.
    """

    question: Text
    answer: Text = ()


class LmEvalTask:
    """Reads documents as the harness does.

    Args:
        keys: The task.
        where: File and key, for messages.
        folder: Where its Python files lie.

    Raises:
        SpecError: Broken Jinja, or functions that must not run.
    """

    def __init__(self, keys: LmEvalKeys, where: str, folder: Path) -> None:
        self.keys, self.where, self.folder = keys, where, folder
        self.functions: dict[str, Callable[..., Any]] = {
            key: function_of(told, folder, f"{where}, {key!r}")
            for key, told in keys.functions.items()
        }
        self._forms: dict[str, PeerForm] = {}

    # ---- what the harness calls doc_to_*

    def text(self, doc: Document, row: str, *, shot: bool = False) -> Text | int:
        """The question; an index into the choices where these are what is asked.

        Raises:
            DataError: The form cannot be rendered for this row.
        """
        told = self._told("doc_to_text", shot)
        if callable(told) or isinstance(told, int):
            return _text_or_index(told(dict(doc)) if callable(told) else told)
        if told in doc:
            return _text_or_index(doc[told])
        text = self._form(told).text(doc, row)
        whole = flat(text)
        return int(whole) if whole.isdigit() and self._has_choices else text

    def choices(self, doc: Document, row: str, *, shot: bool = False) -> list[str]:
        """What may be answered.

        Raises:
            DataError: It is no list for this row.
        """
        told = self._told("doc_to_choice", shot)
        if callable(told):
            found = told(dict(doc))
        elif isinstance(told, Mapping):
            found = list(told.values())
        elif isinstance(told, str):
            found = doc[told] if told in doc else self._listed(told, doc, row)
        else:
            found = told
        if isinstance(found, str) or not isinstance(found, Sequence) or not found:
            raise DataError(f"row {row!r}: {self.where}: doc_to_choice gives no list of choices")
        return [str(one) for one in found]

    def target(self, doc: Document, row: str, *, shot: bool = False) -> int | str | list[Any]:
        """What is right: an index, a text, or a list of them."""
        told = self._told("doc_to_target", shot)
        if callable(told):
            found = told(dict(doc))
        elif isinstance(told, str):
            found = doc[told] if told in doc else self._literal(told, doc, row)
        else:
            found = told
        if isinstance(found, bool):
            return int(found)
        return list(found) if isinstance(found, tuple) else found

    def description(self, doc: Document, row: str) -> Text:
        """What stands before everything else."""
        return self._resolved(self.keys.description, doc, row)

    # ---- what is made of them

    @property
    def multiple_input(self) -> bool | None:
        """Whether the choices are what is asked; None where only a row tells."""
        told = self.keys.doc_to_text
        if "doc_to_text" in self.functions:
            return None
        return isinstance(told, int) or (None if "{" in told else told.isdigit())

    def turn(self, doc: Document, row: str, choice: str | None = None) -> Turn:
        """The evaluated row.

        Args:
            doc: The row.
            row: Its id.
            choice: Where the choices are what is asked, the one that is asked now.
        """
        question = self.text(doc, row) if choice is None else _own(choice)
        if isinstance(question, int):
            raise CapabilityError(
                f"row {row!r}: the choices of task {self.keys.task!r} are what is asked, a prompt "
                "each; evaluate it with --profile lm-eval"
            )
        prefix = self._prefix(self.keys.gen_prefix, doc, row)
        # the harness joins the prefix without a delimiter where each choice is a question
        delimiter = "" if choice is not None else self.keys.target_delimiter
        return Turn(_prefixed(question, prefix, delimiter))

    def shot(self, doc: Document, row: str) -> Turn:
        """A demonstration, its answer with what stands before it.

        Raises:
            DataError: It has no right answer that is a text.
        """
        keys, own = self.keys, self.keys.fewshot_config
        question = self.text(doc, row, shot=True)
        choices = self.choices(doc, row, shot=True) if self._has_choices else None
        right = self.target(doc, row, shot=True)
        if isinstance(question, int):
            question, choices = _own(self._at(choices, question, row)), None
        answer = self._answer(choices, right, row)
        prefix = self._prefix(own.gen_prefix or keys.gen_prefix, doc, row)
        delimiter = keys.target_delimiter
        delimiter = delimiter if own.target_delimiter is None else own.target_delimiter
        if not prefix:
            return Turn(question, (Piece(delimiter), *_own(answer)))
        between = "" if _white(flat(prefix)[-1:]) or _white(answer[:1]) or not answer else " "
        whole = _prefixed(question, prefix, delimiter)
        return Turn(whole, (Piece(between), *_own(answer)) if between else _own(answer))

    def gold(self, doc: Document, row: str) -> list[int]:
        """Indices of the right choices, as metrics count them; one that is none is -100."""
        choices = self.choices(doc, row)
        text = self.text(doc, row) if self._may_be_multiple_input else ()
        right = text if isinstance(text, int) else self.target(doc, row)
        if isinstance(right, list):
            return [one if isinstance(one, int) and one < len(choices) else -100 for one in right]
        if isinstance(right, int):
            return [right if right < len(choices) else -100]
        if isinstance(right, str):
            return [choices.index(right) if right in choices else -100]
        return [-100]

    def continuation(self, choice: str) -> Text:
        """What is scored of a choice."""
        return (Piece(self.keys.target_delimiter), *_own(choice))

    @property
    def between(self) -> str:
        """What stands after a demonstration."""
        own = self.keys.fewshot_config.fewshot_delimiter
        return self.keys.fewshot_delimiter if own is None else own

    @property
    def _has_choices(self) -> bool:
        return self.keys.doc_to_choice is not None or "doc_to_choice" in self.functions

    @property
    def _may_be_multiple_input(self) -> bool:
        return self.multiple_input is not False

    def _told(self, key: str, shot: bool) -> Any:
        if shot:
            own = getattr(self.keys.fewshot_config, key)
            if own is not None:
                return own
        return self.functions.get(key, getattr(self.keys, key))

    def _form(self, source: str) -> PeerForm:
        if source not in self._forms:
            self._forms[source] = PeerForm(source, self.where, "lm_eval")
        return self._forms[source]

    def _literal(self, source: str, doc: Document, row: str) -> Any:
        text = self._form(source).plain(doc, row)
        if text.isdigit() and self._has_choices:
            return int(text)
        if len(text) >= 2 and text[0] == "[" and text[-1] == "]":
            try:
                return ast.literal_eval(text)
            except (SyntaxError, ValueError):
                return text
        return text

    def _listed(self, source: str, doc: Document, row: str) -> Any:
        text = self._form(source).plain(doc, row)
        try:
            return ast.literal_eval(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise DataError(
                f"row {row!r}: {self.where}: doc_to_choice prints {text[:60]!r}, which is no list"
            ) from error

    def _resolved(self, told: str | None, doc: Document, row: str) -> Text:
        if not told:
            return ()
        return _own(str(doc[told])) if told in doc else self._form(told).text(doc, row)

    def _prefix(self, told: str | None, doc: Document, row: str) -> Text:
        return self._resolved(told, doc, row)

    def _at(self, choices: list[str] | None, index: int, row: str) -> str:
        if choices is None or not -len(choices) <= index < len(choices):
            raise DataError(f"row {row!r}: {self.where}: {index} is the index of no choice")
        return choices[index]

    def _answer(self, choices: list[str] | None, right: Any, row: str) -> str:
        if choices is not None and isinstance(right, int):
            return self._at(choices, right, row)
        answer = right[0] if isinstance(right, list) and right else right
        if not isinstance(answer, str):
            raise DataError(
                f"row {row!r}: {self.where}: as a demonstration its answer would be {answer!r}, "
                "which is no text"
            )
        return answer


def _text_or_index(value: Any) -> Text | int:
    return int(value) if isinstance(value, int) else _own(str(value))


def _own(text: str) -> Text:
    return (Piece(text, row=True),) if text else ()


def _white(char: str) -> bool:
    return char.isspace()


def _prefixed(question: Text, prefix: Text, delimiter: str) -> Text:
    """A question with what its answer begins with, and the delimiter where no blank stands."""
    if not prefix:
        return question
    said = flat(question)
    needed = said != "" and not _white(said[-1]) and not _white(flat(prefix)[0])
    return (*question, Piece(delimiter), *prefix) if needed and delimiter else (*question, *prefix)
