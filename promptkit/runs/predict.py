"""A file of rows answered, whatever its size; one that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptkit.data.ids import canonical
from promptkit.data.row_stream import STDIN, RowBatch, RowStream, row_stream
from promptkit.data.row_writers import Row, RowWriter, TextWriter, ending_of, row_writer
from promptkit.errors import Interrupted, SpecError, StoreError
from promptkit.runs.answers import AnswerColumns, example_of
from promptkit.runs.files import locked, read_json, translated, write_json
from promptkit.runs.predictor import Predictor
from promptkit.runs.saved_trial import columns_for

#: Called with the rows done and, where it is known, the rows in all.
OnRows = Callable[[int, int | None], None]
STDOUT = "-"
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
    """

    rows: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    resumed: int = 0


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Args:
        predictor: Who answers.
        answers: Which columns are added.
        source: The rows: a file, or ``-`` for standard input.
        output: Where they go: a file, or ``-`` for standard output.
        text_field: The column of the only field.
        fields: Field to column.
        batch_rows: Rows that are answered and written together.
        force: Whether to replace a file.
        fresh: Whether to begin anew where an earlier call stopped.
    """

    predictor: Predictor
    answers: AnswerColumns
    source: str
    output: str
    text_field: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    batch_rows: int = 256
    force: bool = False
    fresh: bool = False


def check_output(source: str, output: str, force: bool) -> None:
    """Refuse what could not be written, before a model is loaded.

    Raises:
        SpecError: No format, no folder, a file that is there, or the rows themselves.
    """
    if output == STDOUT:
        return
    ending_of(output)
    target = Path(output).expanduser()
    if not target.absolute().parent.is_dir():
        raise SpecError(f"--output {output}: no such folder {target.parent}")
    if source != STDIN and target.exists() and target.samefile(Path(source).expanduser()):
        raise SpecError(f"--output {output}: is the file of rows itself; name another")
    if target.is_dir() or (target.exists() and not force):
        raise SpecError(f"--output {output}: is there already; name another, or say --force")


def predict_rows(job: Job, on_rows: OnRows = lambda done, total: None) -> Answered:
    """Answer all rows.

    Raises:
        Interrupted: Ctrl-C; the same call goes on, unless it reads or writes a stream.
        DataError: A file that cannot be read on; what was answered is kept likewise.
    """
    stream = row_stream(job.source, job.batch_rows)
    columns = columns_for(
        job.predictor.template,
        job.predictor.columns,
        stream.columns or (),
        text_field=job.text_field,
        fields=job.fields,
    )
    _check_columns(job, stream, columns)
    work = _Work(job, stream, columns, on_rows)
    if job.output == STDOUT:
        return work.to_stream(sys.stdout.buffer)
    return work.to_file(Path(job.output).expanduser())


def _check_columns(job: Job, stream: RowStream, columns: dict[str, str]) -> None:
    from promptkit.data.columns import Columns

    there = stream.columns or ()
    job.answers.check(there)
    wanted = Columns(fields=job.predictor.template.task.fields, renamed=columns)
    for name, column in columns.items():
        if there and column not in there:
            raise wanted.no_field(name, stream.place.file, there)


class _Work:
    """One call: the rows read so far, their hash, and what came out."""

    def __init__(
        self, job: Job, stream: RowStream, columns: dict[str, str], on_rows: OnRows
    ) -> None:
        self.job, self.stream, self.columns, self.on_rows = job, stream, columns, on_rows
        self.done, self.digest, self._expected = Answered(), hashlib.sha256(), ""
        self.names = (*(stream.columns or ()), *job.answers.added)

    def to_stream(self, out: Any) -> Answered:
        """Write to standard output, in the format of the rows."""
        ending = self.stream.ending
        ending = ending if ending in (".csv", ".tsv", ".ndjson") else ".jsonl"
        writer = TextWriter(out, ending, self.names, header=True)
        for batch in self.stream.batches:
            self._write(batch, self._answered(batch.rows), writer)
        return self.done

    def to_file(self, target: Path) -> Answered:
        """Write beside the target, and rename when all is done."""
        partial = target.with_name(f"{target.name}.partial")
        with locked(partial):
            mark = self._go_on(partial)
            ending = ending_of(target.name)
            kinds = self.job.answers.kinds
            with closing(row_writer(partial, ending, self.names, kinds, mark)) as writer:
                try:
                    self._all_batches(partial, writer)
                except KeyboardInterrupt as error:
                    stored = _state(partial).get("rows", 0)
                    raise Interrupted(stored, self.stream.total or self.done.rows) from error
                with translated(partial):
                    writer.finish(target)
        shutil.rmtree(partial, ignore_errors=True)
        return self.done

    def _all_batches(self, partial: Path, writer: RowWriter) -> None:
        skip = self.done.resumed
        for batch in self.stream.batches:
            if skip:
                self._hash(batch.rows[:skip])
                rest, skip = batch.after(skip), max(skip - len(batch), 0)
                if not skip and self.digest.hexdigest() != self._expected:
                    raise self._other_rows(partial)
                if not len(rest):
                    continue
                batch = rest
            answered = self._answered(batch.rows)
            with translated(partial):
                self._write(batch, answered, writer)
                self._store(partial, writer.mark())
        if skip:
            raise self._other_rows(partial)

    def _answered(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The rows with their answers, or with what is the matter with them."""
        template, answers = self.job.predictor.template, self.job.answers
        read = [example_of(row, template, self.columns) for row in rows]
        examples = [example for example, _ in read if example is not None]
        predictions = iter(self.job.predictor.strategy.predict(examples) if examples else ())
        found = []
        for row, (example, problem) in zip(rows, read, strict=True):
            if self.stream.ending in ANY_COLUMNS:
                answers.check(tuple(row))
            if example is None:
                found.append({**row, **answers.of(None, problem)})
                self.done.problems[problem] += 1
                continue
            prediction = next(predictions)
            if prediction.label is None:
                problem = prediction.problem or "no answer"
                self.done.problems[problem] += 1
            self.done.cut += prediction.cut_chars > 0
            choices = example.fields[template.task.choices or ""] if template.choosing else None
            found.append({**row, **answers.of(prediction, problem, choices)})
        return found

    def _write(self, batch: RowBatch, answered: Sequence[Row], writer: RowWriter) -> None:
        writer.write(answered, batch.arrow)
        self._hash(batch.rows)
        self.done.rows += len(batch)
        self.on_rows(self.done.rows, self.stream.total)

    def _hash(self, rows: Sequence[Any]) -> None:
        for row in rows:
            self.digest.update(canonical({str(k): str(v) for k, v in row.items()}).encode())

    def _key(self) -> str:
        content = [
            self.job.predictor.key,
            self.columns,
            self.names,
            [kind.__name__ for kind in self.job.answers.kinds.values()],
            *([self.job.answers.sure.key] if self.job.answers.sure else []),
        ]
        return hashlib.sha256(canonical(content).encode()).hexdigest()

    def _store(self, partial: Path, mark: int | None) -> None:
        if mark is None:
            return
        state = {
            "key": self._key(),
            "rows": self.done.rows,
            "hash": self.digest.hexdigest(),
            "mark": mark,
            "problems": dict(self.done.problems),
            "cut": self.done.cut,
        }
        write_json(partial / "state.json", state)

    def _go_on(self, partial: Path) -> int:
        """Take up what an earlier call has written; the mark to go on from."""
        if self.job.fresh:
            _emptied(partial)
        state = _state(partial)
        if not state:
            _emptied(partial)
            return 0
        if state["key"] != self._key():
            raise StoreError(
                f"{partial}: holds what another model or other options have answered; begin anew "
                "with --fresh"
            )
        self._expected = state["hash"]
        self.done = Answered(state["rows"], Counter(state["problems"]), state["cut"], state["rows"])
        return int(state["mark"])

    def _other_rows(self, partial: Path) -> StoreError:
        return StoreError(
            f"{partial}: the first {self.done.resumed:,} rows were answered before, and "
            f"{self.job.source} has others there now; begin anew with --fresh"
        )


def _state(partial: Path) -> dict[str, Any]:
    file = partial / "state.json"
    return read_json(file) if file.is_file() else {}


def _emptied(partial: Path) -> None:
    for file in partial.iterdir():
        if file.name != "lock":
            file.unlink()
