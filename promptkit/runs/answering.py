"""Rows of one batch answered: the same in one process and in a worker of many."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promptkit.backends.afresh import afresh
from promptkit.data.ids import canonical
from promptkit.runs.answers import AnswerColumns, example_of
from promptkit.runs.predictor import Predictor

Row = Mapping[str, Any]
#: Formats in which each row may bring columns of its own.
ANY_COLUMNS = (".jsonl", ".ndjson", ".json")


@dataclass
class Answered:
    """How far it is.

    Args:
        rows: Rows that are written.
        problems: Why rows have no answer, and how many.
        cut: Rows whose text was too long to be read whole.
        resumed: Rows that an earlier call had written.
        retried: Blocks that were begun anew, their worker having been lost.
    """

    rows: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    resumed: int = 0
    retried: int = 0


@dataclass(frozen=True)
class Answering:
    """Answers batches of rows.

    Args:
        predictor: Who answers.
        answers: Which columns are added.
        columns: The column of each field.
        ending: The format that the rows come from.
    """

    predictor: Predictor
    answers: AnswerColumns
    columns: Mapping[str, str]
    ending: str

    def rows(self, rows: Sequence[Row], done: Answered) -> list[dict[str, Any]]:
        """The rows with their answers, or with what is the matter with them.

        What the model remembers of earlier batches is not looked at: a text that was read beside
        other rows has other last digits, and which batches came before depends on who answers.

        Args:
            rows: With all their columns; answered together.
            done: Counts what could not be answered, and what was cut.
        """
        template, answers = self.predictor.template, self.answers
        read = [example_of(row, template, self.columns) for row in rows]
        examples = [example for example, _ in read if example is not None]
        with afresh():
            predictions = iter(self.predictor.strategy.predict(examples) if examples else ())
        found = []
        for row, (example, problem) in zip(rows, read, strict=True):
            if self.ending in ANY_COLUMNS:
                answers.check(tuple(row))
            if example is None:
                found.append({**row, **answers.of(None, problem)})
                done.problems[problem] += 1
                continue
            prediction = next(predictions)
            if prediction.label is None:
                problem = prediction.problem or "no answer"
                done.problems[problem] += 1
            done.cut += prediction.cut_chars > 0
            choices = example.fields[template.task.choices or ""] if template.choosing else None
            found.append({**row, **answers.of(prediction, problem, choices)})
        return found


class Digest:
    """What rows were, in 64 digits: whoever goes on later makes sure of it."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> None:
        """The next rows."""
        for row in rows:
            self._hash.update(canonical({str(k): str(v) for k, v in row.items()}).encode())

    def text(self) -> str:
        """Of all rows so far."""
        return self._hash.hexdigest()
