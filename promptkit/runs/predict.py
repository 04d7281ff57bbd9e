"""A file of rows answered, whatever its size; one that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptkit.data.ids import canonical
from promptkit.data.patterns import is_pattern, matched_files
from promptkit.data.row_stream import STDIN, RowBatch, RowStream, row_stream
from promptkit.data.row_writers import RowWriter, TextWriter, ending_of, row_writer
from promptkit.errors import Interrupted, SpecError, StoreError
from promptkit.runs.answering import Answered, Answering, Digest, Row
from promptkit.runs.answers import AnswerColumns
from promptkit.runs.files import locked, read_json, translated, write_json
from promptkit.runs.predictor import Predictor
from promptkit.runs.saved_trial import columns_for

#: Called with the rows done and, where it is known, the rows in all.
OnRows = Callable[[int, int | None], None]
STDOUT = "-"
#: What a stopped job has noted, in its folder; and what says which engine it was.
STATE, LOCAL = "state.json", "local"


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
    if target.exists() and any(map(target.samefile, _files_of(source))):
        raise SpecError(f"--output {output}: is the file of rows itself; name another")
    if target.is_dir() or (target.exists() and not force):
        raise SpecError(f"--output {output}: is there already; name another, or say --force")


def _files_of(source: str) -> list[Path]:
    if is_pattern(source):
        return matched_files(source)
    path = Path(source).expanduser()
    return [path] if source != STDIN and path.exists() else []


def predict_rows(job: Job, on_rows: OnRows = lambda done, total: None) -> Answered:
    """Answer all rows.

    Raises:
        Interrupted: Ctrl-C; the same call goes on, unless it reads or writes a stream.
        DataError: A file that cannot be read on; what was answered is kept likewise.
    """
    stream = row_stream(job.source, job.batch_rows)
    work = _Work(job, stream, columns_of_fields(job, stream), on_rows)
    if job.output == STDOUT:
        return work.to_stream(sys.stdout.buffer)
    return work.to_file(Path(job.output).expanduser())


def columns_of_fields(job: Job, stream: RowStream) -> dict[str, str]:
    """The column of each field, after a look at the columns that there are.

    Raises:
        SpecError: A column that is taken, or a field that the model does not have.
        DataError: A column that is missing.
    """
    columns = columns_for(
        job.predictor.template,
        job.predictor.columns,
        stream.columns or (),
        text_field=job.text_field,
        fields=job.fields,
    )
    _check_columns(job, stream, columns)
    return columns


def _check_columns(job: Job, stream: RowStream, columns: dict[str, str]) -> None:
    from promptkit.data.columns import Columns

    there = stream.columns or ()
    job.answers.check(there)
    wanted = Columns(fields=job.predictor.template.task.fields, renamed=columns)
    for name, column in columns.items():
        if there and column not in there:
            raise wanted.no_field(name, stream.place.file, there)


def key_of(job: Job, columns: Mapping[str, str], names: Sequence[str]) -> str:
    """Names what a job answers, and into which columns: one that was stopped keeps to it."""
    content = [
        job.predictor.key,
        columns,
        names,
        [kind.__name__ for kind in job.answers.kinds.values()],
        *([job.answers.sure.key] if job.answers.sure else []),
    ]
    return hashlib.sha256(canonical(content).encode()).hexdigest()


class _Work:
    """One call: the rows read so far, their hash, and what came out."""

    def __init__(
        self, job: Job, stream: RowStream, columns: dict[str, str], on_rows: OnRows
    ) -> None:
        self.job, self.stream, self.columns, self.on_rows = job, stream, columns, on_rows
        self.done, self.digest, self._expected = Answered(), Digest(), ""
        self._answering = Answering(job.predictor, job.answers, columns, stream.ending)
        self.names = (*(stream.columns or ()), *job.answers.added)

    def to_stream(self, out: Any) -> Answered:
        """Write to standard output, in the format of the rows."""
        ending = self.stream.ending
        ending = ending if ending in (".csv", ".tsv", ".ndjson") else ".jsonl"
        writer = TextWriter(out, ending, self.names, header=True)
        for batch in self.stream.batches:
            self._write(batch, self._answering.rows(batch.rows, self.done), writer)
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
                self.digest.add(batch.rows[:skip])
                rest, skip = batch.after(skip), max(skip - len(batch), 0)
                if not skip and self.digest.text() != self._expected:
                    raise self._other_rows(partial)
                if not len(rest):
                    continue
                batch = rest
            answered = self._answering.rows(batch.rows, self.done)
            with translated(partial):
                self._write(batch, answered, writer)
                self._store(partial, writer.mark())
        if skip:
            raise self._other_rows(partial)

    def _write(self, batch: RowBatch, answered: Sequence[Row], writer: RowWriter) -> None:
        writer.write(answered, batch.arrow)
        self.digest.add(batch.rows)
        self.done.rows += len(batch)
        self.on_rows(self.done.rows, self.stream.total)

    def _store(self, partial: Path, mark: int | None) -> None:
        if mark is None:
            return
        state = {
            "key": key_of(self.job, self.columns, self.names),
            "rows": self.done.rows,
            "hash": self.digest.text(),
            "mark": mark,
            "problems": dict(self.done.problems),
            "cut": self.done.cut,
        }
        write_json(partial / STATE, state)

    def _go_on(self, partial: Path) -> int:
        """Take up what an earlier call has written; the mark to go on from."""
        key = key_of(self.job, self.columns, self.names)
        state = taken_up(partial, key, LOCAL, fresh=self.job.fresh)
        if not state:
            return 0
        self._expected = state["hash"]
        self.done = Answered(state["rows"], Counter(state["problems"]), state["cut"], state["rows"])
        return int(state["mark"])

    def _other_rows(self, partial: Path) -> StoreError:
        return StoreError(
            f"{partial}: the first {self.done.resumed:,} rows were answered before, and "
            f"{self.job.source} has others there now; begin anew with --fresh"
        )


def taken_up(partial: Path, key: str, engine: str, *, fresh: bool) -> dict[str, Any]:
    """What an earlier call has noted in a folder of a stopped job; nothing where it begins.

    Args:
        partial: The folder, locked; emptied where nothing is to be gone on with.
        key: As `key_of` says.
        engine: What answers.
        fresh: Whether to begin anew.

    Raises:
        StoreError: Another engine, model or other options were at work there.
    """
    if fresh:
        _emptied(partial)
    state = _state(partial)
    if not state:
        _emptied(partial)
        return {}
    other = state.get("engine", LOCAL)
    if other != engine:
        raise StoreError(
            f"{partial}: was begun with --engine {other}; go on with that, or begin anew with "
            "--fresh"
        )
    if state["key"] != key:
        raise StoreError(
            f"{partial}: holds what another model or other options have answered; begin anew "
            "with --fresh"
        )
    return state


def _state(partial: Path) -> dict[str, Any]:
    file = partial / STATE
    return read_json(file) if file.is_file() else {}


def _emptied(partial: Path) -> None:
    for file in partial.iterdir():
        if file.is_dir():
            shutil.rmtree(file)
        elif file.name != "lock":
            file.unlink()
