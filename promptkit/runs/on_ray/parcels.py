"""What travels between readers, workers and the one who asked, as bytes that are no pickle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from promptkit import errors
from promptkit.data.row_stream import RowBatch
from promptkit.errors import DataError, PromptkitError

#: What a parcel holds: a block of rows; what is told of one; an error; how many blocks there were.
JSON, ARROW, DONE, ERROR, END = "json", "arrow", "done", "error", "end"


def parcel(number: int, form: str, content: bytes) -> Any:
    """One row of a table, as Ray Data carries it.

    Args:
        number: Of the block.
        form: What is in it.
        content: The bytes.
    """
    import pyarrow

    return pyarrow.table(
        {
            "number": pyarrow.array([number], pyarrow.int64()),
            "form": pyarrow.array([form], pyarrow.string()),
            "content": pyarrow.array([content], pyarrow.large_binary()),
        }
    )


def opened(table: Any) -> list[tuple[int, str, bytes]]:
    """The parcels of a table: number, form and content."""
    columns = [table.column(name).to_pylist() for name in ("number", "form", "content")]
    return list(zip(*columns, strict=True))


def packed(number: int, batches: Sequence[RowBatch], source: str) -> Any:
    """A block of rows as a parcel.

    Raises:
        DataError: Rows of Parquet files that are not alike hold what JSON cannot.
    """
    if all(batch.arrow is not None for batch in batches):
        return parcel(number, ARROW, _arrow_bytes([batch.arrow for batch in batches]))
    rows = [list(batch.rows) for batch in batches]
    try:
        text = json.dumps(rows)
    except TypeError as error:
        raise DataError(
            f"{source}: --engine ray cannot carry its values ({error}); write it as one Parquet "
            "file, or leave --engine ray out"
        ) from error
    return parcel(number, JSON, text.encode("ascii"))


def unpacked(form: str, content: bytes) -> list[RowBatch]:
    """The batches of a block."""
    if form == ARROW:
        return [RowBatch(tuple(one.to_pylist()), (), one) for one in record_batches(content)]
    return [RowBatch(tuple(rows), ()) for rows in json.loads(content)]


def record_batches(content: Any) -> list[Any]:
    """The record batches of an Arrow stream.

    Args:
        content: Bytes, or a file at the place where the stream begins.
    """
    import pyarrow

    with pyarrow.ipc.open_stream(content) as stream:
        return list(stream)


def told(number: int, content: dict[str, Any], form: str = DONE) -> Any:
    """Something said of a block."""
    return parcel(number, form, json.dumps(content).encode("ascii"))


def error_parcel(number: int, error: PromptkitError) -> Any:
    """An error made on purpose; every other one is a bug, and travels with its traceback."""
    return told(number, {"kind": type(error).__name__, "message": str(error)}, ERROR)


def error_in(content: bytes) -> PromptkitError:
    """The error of a parcel."""
    said = json.loads(content)
    kind = getattr(errors, said["kind"], PromptkitError)
    made: PromptkitError = kind(said["message"])
    return made


def _arrow_bytes(batches: Sequence[Any]) -> bytes:
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    # values of a dictionary may differ from batch to batch; a file could not hold that
    with pyarrow.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())
