"""A file of rows answered by workers of Ray, block by block, into the file of one process."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from promptkit.data.arrow_tables import Tables, write_parquet
from promptkit.data.row_stream import STDIN, RowBatch, RowStream, row_stream
from promptkit.data.row_writers import PART_ROWS, TextWriter, ending_of
from promptkit.errors import Interrupted, PromptkitError, SpecError, StoreError
from promptkit.runs.answering import Answered
from promptkit.runs.files import locked, translated, write_json
from promptkit.runs.on_ray.blocks import MOST_TRIES, Blocks, Head
from promptkit.runs.on_ray.cluster import Pool, Wanted, joined, waited_for
from promptkit.runs.on_ray.parcels import DONE, END, ERROR, error_in, opened, record_batches
from promptkit.runs.on_ray.pieces import Cut, block_batches, likely_rows, pieces_of
from promptkit.runs.on_ray.worker import (
    TOKEN,
    Reader,
    Task,
    Worker,
    deaths_while_loading,
    other_rows,
)
from promptkit.runs.predict import STATE, STDOUT, Job, OnRows, columns_of_fields, key_of, taken_up

RAY = "ray"
#: Workers that one reader keeps busy: reading a row takes some microseconds.
_WORKERS_PER_READER = 8


def predict_on_ray(
    job: Job,
    asked: str,
    wanted: Wanted,
    on_rows: OnRows = lambda done, total: None,
    say: Callable[[str], None] = lambda line: None,
) -> Answered:
    """Answer all rows of a file; the output is that of `predict_rows`, to the last byte.

    Args:
        job: What is to be done; its predictor needs no model.
        asked: The options of the predictor as JSON, from which each worker makes its own.
        wanted: What is asked of the cluster.
        on_rows: Is told how far it is.
        say: Takes a line that the user must read.

    Raises:
        Interrupted: Ctrl-C; the same call goes on.
        PromptkitError: What is wrong; blocks that are finished are kept.
    """
    if job.source == STDIN or job.output == STDOUT:
        raise SpecError(
            "--engine ray reads and writes files, as its workers read and keep parts of them: name "
            "files, or leave --engine ray out to use standard input or output"
        )
    wanted.check()
    stream = row_stream(job.source, job.batch_rows)
    columns = columns_of_fields(job, stream)
    target = Path(job.output).expanduser().absolute()
    partial = target.with_name(f"{target.name}.partial")
    with locked(partial):
        work = _Work(job, stream, columns, partial, on_rows)
        try:
            work.answer(asked, wanted, say)
            work.join(target)
        except KeyboardInterrupt as error:
            done = work.done.rows
            raise Interrupted(done, work.total or done) from error
        except PromptkitError:
            if Blocks(partial).none():
                shutil.rmtree(partial, ignore_errors=True)
            raise
    shutil.rmtree(partial, ignore_errors=True)
    return work.done


class _Work:
    """One call: what is finished, and what is asked of the workers."""

    def __init__(
        self,
        job: Job,
        stream: RowStream,
        columns: Mapping[str, str],
        partial: Path,
        on_rows: OnRows,
    ) -> None:
        self.job, self.columns, self.partial, self.on_rows = job, columns, partial, on_rows
        self.names = (*(stream.columns or ()), *job.answers.added)
        self.first: RowBatch | None = next(stream.batches, None)
        self.stream, self.total = stream, stream.total
        self.blocks, self.done = Blocks(partial), Answered()
        self.key, self.n_blocks = "", 0
        self.goes = ending_of(job.output)
        self.cut = self._take_up()

    def _take_up(self) -> Cut:
        """How the file is cut: as an earlier call did, whose finished blocks are counted."""
        job = self.job
        key = key_of(job, self.columns, self.names)
        # where nothing is finished, nothing binds
        state = taken_up(self.partial, key, RAY, fresh=job.fresh or self.blocks.none())
        if state and state["batch_rows"] != job.batch_rows:
            raise StoreError(
                f"{self.partial}: was begun with --batch-rows {state['batch_rows']}, on which the "
                "last digits depend; give the same, or begin anew with --fresh"
            )
        rows = likely_rows(self.stream, job.source, self.first)
        batches = state.get("block_batches") or block_batches(job.batch_rows, rows)
        state = {"engine": RAY, "key": key, "batch_rows": job.batch_rows, "block_batches": batches}
        with translated(self.partial):
            write_json(self.partial / STATE, state)
        self.finished = self.blocks.begin()
        for head in self.finished.values():
            self._count(head.rows, head.key)
        self.done.resumed = self.done.rows
        return Cut(job.source, job.batch_rows, batches)

    def answer(self, asked: str, wanted: Wanted, say: Callable[[str], None]) -> None:
        """Have the blocks answered that are not."""
        pieces, rows = pieces_of(self.cut, self.stream)
        self.total = self.total or rows
        self.on_rows(self.done.rows, self.total)
        with joined(wanted) as pool:
            task = self._task(asked, pool)
            if wanted.workers is None:
                workers = "worker" if pool.workers == 1 else "workers"
                say(f"{pool.workers} {workers} of {pool.cpus:g} CPU"
                    + (f" and {pool.gpus:g} GPU" if pool.gpus else ""))  # fmt: skip
            digests = {number: head.digest for number, head in self.finished.items()}
            with waited_for(pool, say) as heard:
                for number, form, content in _answers(task, digests, pieces, pool):
                    heard()
                    self._take(number, form, content)
        self._check_whole()

    def _take(self, number: int, form: str, content: bytes) -> None:
        if form == ERROR:
            raise error_in(content)
        if form == END:
            self.n_blocks = max(self.n_blocks, number)
        if form == DONE:
            said = json.loads(content)
            self._count(said["rows"], said["key"])
            self.on_rows(self.done.rows, self.total)

    def _count(self, rows: int, key: str) -> None:
        if self.key and key != self.key:
            raise StoreError(
                f"{self.partial}: its blocks were answered by models that are not alike, on "
                "machines of several kinds perhaps; say --device and --dtype, and begin anew with "
                "--fresh"
            )
        self.key = key
        self.done.rows += rows

    def _check_whole(self) -> None:
        """Every block is there, and no other one."""
        there = self.blocks.begin()
        self.finished = there
        if more := [number for number in there if number >= self.n_blocks]:
            first = min(more) * self.cut.block_rows
            raise other_rows(str(self.partial), self.job.source, first)
        if len(there) < self.n_blocks:
            missing = min(set(range(self.n_blocks)) - set(there))
            raise StoreError(
                f"{self.partial}: block {missing} is missing, though it was answered; run the "
                "same command again"
            )

    def _task(self, asked: str, pool: Pool) -> Task:
        token = secrets.token_hex(16)
        with translated(self.partial):
            (self.partial / TOKEN).write_text(token, encoding="ascii")
        schema = self._schema()
        return Task(
            cut=self.cut,
            asked=asked,
            answers=self.job.answers,
            columns=dict(self.columns),
            names=self.names,
            came=self.stream.ending,
            goes=self.goes,
            schema=b"" if schema is None else bytes(schema.serialize()),
            here=os.getcwd(),
            partial=str(self.partial),
            token=token,
            patience=pool.workers + MOST_TRIES,
        )

    def _schema(self) -> Any:
        """Of Parquet output: the first batch decides, as it does in one process."""
        if self.goes != ".parquet":
            return None
        tables = Tables(self.names, self.job.answers.kinds)
        first = self.first
        tables.of(first.rows if first else (), first.arrow if first else None)
        return tables.schema

    def join(self, target: Path) -> None:
        """Put the blocks together in their order, one at a time in memory."""
        whole = self.partial / f"whole{self.goes}"
        with translated(self.partial):
            if self.goes == ".parquet":
                write_parquet(self._tables(), self._schema(), whole, PART_ROWS)
                whole.replace(target)
            else:
                with whole.open("wb") as out:
                    writer = TextWriter(out, self.goes, self.names, header=True, file=whole)
                    for _, file in self._opened():
                        shutil.copyfileobj(file, out, 2**20)
                    writer.finish(target)

    def _tables(self) -> Iterator[Any]:
        import pyarrow

        for _, file in self._opened():
            for batch in record_batches(file):
                yield pyarrow.Table.from_batches([batch])

    def _opened(self) -> Iterator[tuple[Head, Any]]:
        """The blocks in order; what they hold is counted when all have been walked past."""
        whole = Answered(resumed=self.done.resumed)
        for number in range(self.n_blocks):
            head, file = self.blocks.open(number)
            with file:
                yield head, file
            whole.rows += head.rows
            whole.problems.update(head.problems)
            whole.cut += head.cut
            whole.retried += head.tries > 1
        self.done = whole


def _answers(
    task: Task, finished: Mapping[int, str], pieces: list[Any], pool: Pool
) -> Iterator[tuple[int, str, bytes]]:
    """What readers and workers tell, in the order in which it comes."""
    import ray
    from ray.data import ActorPoolStrategy

    items = [asdict(piece) for piece in pieces]
    readers = max(1, min(len(pieces), pool.workers // _WORKERS_PER_READER))
    with _set_up(task.patience):
        told = (
            ray.data.from_items(items, override_num_blocks=len(items))
            # no share of the processors: a reader must not take the place of a lost worker
            .map_batches(
                Reader(task, finished),
                batch_size=1, batch_format="pyarrow", num_cpus=0, concurrency=readers,
            )
            .map_batches(
                Worker,
                fn_constructor_args=(task,), compute=ActorPoolStrategy(size=pool.workers),
                batch_size=1, batch_format="pyarrow",
                num_cpus=pool.cpus, num_gpus=pool.gpus or None,
            )
        )  # fmt: skip
        try:
            for table in told.iter_batches(batch_size=None, batch_format="pyarrow"):
                yield from opened(table)
        except ray.exceptions.RayActorError as error:
            raise deaths_while_loading() from error


@contextmanager
def _set_up(patience: int) -> Iterator[None]:
    """Ray Data as it is needed here; of a version that lacks one of these, its own ways do."""
    from ray.data import DataContext

    context = DataContext.get_current()
    wanted = {
        # each block of rows goes to a worker by itself, not with others up to so many bytes
        "target_max_block_size": 1,
        "enable_progress_bars": False,
        "print_on_execution_start": False,
        "enable_auto_log_stats": False,
        # a large block of a slow model takes its time
        "execution_no_progress_timeout_s": -1,
        "max_consecutive_actor_init_deaths": 2 * patience,
    }
    before = {name: getattr(context, name) for name in wanted if hasattr(context, name)}
    for name in before:
        setattr(context, name, wanted[name])
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)
