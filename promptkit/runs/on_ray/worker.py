"""What runs in the processes of Ray: readers of pieces, and workers that hold the model."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.data.arrow_tables import Tables
from promptkit.data.row_stream import RowBatch
from promptkit.data.row_writers import TextWriter
from promptkit.errors import BackendError, PromptkitError, StoreError
from promptkit.runs.answering import Answered, Answering, Digest
from promptkit.runs.answers import AnswerColumns
from promptkit.runs.on_ray.blocks import MOST_TRIES, Blocks, Head
from promptkit.runs.on_ray.parcels import (
    ARROW,
    END,
    JSON,
    error_parcel,
    opened,
    packed,
    parcel,
    told,
    unpacked,
)
from promptkit.runs.on_ray.pieces import Cut, Piece, blocks_of


@dataclass(frozen=True)
class Task:
    """What every process of a job is told.

    Args:
        cut: How the file is cut.
        asked: The options of the predictor, as JSON.
        answers: Which columns are added.
        columns: The column of each field.
        names: All columns of the output.
        came: The format of the rows.
        goes: The format of the output, as `ending_of` says.
        schema: Of Parquet output, as Arrow writes it down; nothing for text.
        here: The folder in which the command was given.
        partial: The folder of the job.
        token: What this call has noted there.
        patience: Workers that may begin to load the model before one of them has loaded it.
    """

    cut: Cut
    asked: str
    answers: AnswerColumns
    columns: Mapping[str, str]
    names: tuple[str, ...]
    came: str
    goes: str
    schema: bytes
    here: str
    partial: str
    token: str
    patience: int

    def enter(self) -> None:
        """Go to the folder in which the command was given.

        Raises:
            StoreError: This machine does not see it, or sees another one.
        """
        note = Path(self.partial) / TOKEN
        try:
            os.chdir(self.here)
            seen = note.read_text(encoding="ascii")
        except OSError:
            seen = ""
        if seen != self.token:
            raise StoreError(
                f"machine {socket.gethostname()} does not see {self.partial} as this one does; "
                "several machines need one file system that all see, for rows, model and output"
            )


#: The file that shows whether machines see the same folder.
TOKEN = "call"


class Reader:
    """Reads pieces, and hands on the blocks of them that are not finished.

    Args:
        task: The job.
        finished: The digest of the rows of each finished block.
    """

    def __init__(self, task: Task, finished: Mapping[int, str]) -> None:
        self._task, self._finished = task, finished

    def __call__(self, table: Any) -> Iterator[Any]:
        """Blocks of each piece, and at its end how many blocks there are up to there."""
        for piece in table.to_pylist():
            number = piece["first"]
            try:
                self._task.enter()
                for number, batches in blocks_of(Piece(**piece), self._task.cut):
                    if number not in self._finished:
                        yield packed(number, batches, self._task.cut.source)
                    else:
                        self._check(number, batches)
                    number += 1
            except PromptkitError as error:
                yield error_parcel(number, error)
            else:
                yield parcel(number, END, b"{}")

    def _check(self, number: int, batches: list[RowBatch]) -> None:
        if _digest(batches) != self._finished[number]:
            first = number * self._task.cut.block_rows
            raise other_rows(self._task.partial, self._task.cut.source, first)


class Worker:
    """Holds the model, answers blocks and keeps them.

    Args:
        task: The job.
    """

    def __init__(self, task: Task) -> None:
        self._task, self._blocks = task, Blocks(Path(task.partial))
        self._answering: Answering | None = None
        self._error: PromptkitError | None = None
        try:
            task.enter()
            if self._blocks.loading() > task.patience:
                raise deaths_while_loading()
            self._answering = _answering(task)
            self._blocks.loaded()
        except PromptkitError as error:  # told with the first block: Ray would begin anew with us
            self._error = error

    def __call__(self, table: Any) -> Iterator[Any]:
        """What is told of each block; all else is handed on."""
        for number, form, content in opened(table):
            if form not in (JSON, ARROW):
                yield parcel(number, form, content)
                continue
            try:
                yield told(number, self._answered(number, unpacked(form, content)))
            except PromptkitError as error:
                yield error_parcel(number, error)

    def _answered(self, number: int, batches: list[RowBatch]) -> dict[str, Any]:
        if self._error:
            raise self._error
        assert self._answering is not None
        tries = self._blocks.tried(number)
        if tries > MOST_TRIES:
            raise self._deadly(number, batches)
        done, form = Answered(), _Form(self._task)
        for batch in batches:
            form.add(self._answering.rows(batch.rows, done), batch.arrow)
        body, n_rows = form.body(), sum(map(len, batches))
        key, problems = self._answering.predictor.key, dict(done.problems)
        head = Head(n_rows, problems, done.cut, _digest(batches), key, len(body), tries)
        self._blocks.put(number, head, body)
        return {"rows": n_rows, "problems": problems, "cut": done.cut, "key": key, "tries": tries}

    def _deadly(self, number: int, batches: list[RowBatch]) -> BackendError:
        first = number * self._task.cut.block_rows + 1
        last = first + sum(map(len, batches)) - 1
        return BackendError(
            f"block {number} (rows {first:,} to {last:,}) ended its worker {MOST_TRIES} times; it "
            "may need more memory than there is, or a row of it breaks the model: look at these "
            "rows, take fewer --workers or a smaller --batch-rows with --fresh, and run it again"
        )


class _Form:
    """The bytes of a block as the output wants them."""

    def __init__(self, task: Task) -> None:
        self._kept = io.BytesIO()
        if task.schema:
            import pyarrow

            schema = pyarrow.ipc.read_schema(pyarrow.BufferReader(task.schema))
            self._tables = Tables(task.names, task.answers.kinds, schema)
            self._stream = pyarrow.ipc.new_stream(self._kept, schema)
        else:
            self._stream = None
            self._text = TextWriter(self._kept, task.goes, task.names, header=False)

    def add(self, rows: list[dict[str, Any]], arrow: Any) -> None:
        """The next batch."""
        if self._stream is not None:
            self._stream.write_table(self._tables.of(rows, arrow))
        else:
            self._text.write(rows, arrow)

    def body(self) -> bytes:
        """All of them."""
        if self._stream is not None:
            self._stream.close()
        return self._kept.getvalue()


def deaths_while_loading() -> BackendError:
    """That no worker lives long enough to load the model."""
    return BackendError(
        "workers die again and again while they load the model; there may be too little memory "
        "for so many: take fewer with --workers, and run the same command again"
    )


def other_rows(partial: str, source: str, first: int) -> StoreError:
    """That a file has other rows than an earlier call has answered.

    Args:
        partial: The folder of the job.
        source: The file.
        first: How many rows stand before those that differ.
    """
    return StoreError(
        f"{partial}: rows after the first {first:,} were answered before, and {source} has others "
        "there now; begin anew with --fresh"
    )


def _answering(task: Task) -> Answering:
    from promptkit.runs.predictor import predictor_of
    from promptkit.runs.spec import EvalSpec

    predictor = predictor_of(EvalSpec.model_validate_json(task.asked))
    return Answering(predictor, task.answers, task.columns, task.came)


def _digest(batches: list[RowBatch]) -> str:
    digest = Digest()
    for batch in batches:
        digest.add(batch.rows)
    return digest.text()
