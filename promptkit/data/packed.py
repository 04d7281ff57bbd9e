"""Compressed files of text: gzip by Python, zstd by pyarrow, both in constant memory.

A small file may unpack to more than any memory holds. Rows are therefore taken out of the stream
one by one, and what must be held whole (a line, a JSON file) has a limit here; a plain file has
none, as it cannot be larger than the disk that it lies on.
"""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

#: Endings that may follow the ending of a format.
PACKINGS = (".gz", ".zst")
#: Bytes of one line, and characters of one CSV record, that an unpacked file may have.
LINE_LIMIT = 64 * 2**20
#: Bytes of an unpacked file that is read whole, as a JSON list is.
WHOLE_LIMIT = 2**30
_CHUNK = 2**16


class BrokenZstd(Exception):
    """A zstd stream that ends early or is none; holds the reason."""


class LongLine(Exception):
    """An unpacked line of more than `LINE_LIMIT` bytes."""


def is_packed(path: Path) -> bool:
    """Whether the name says that a file is compressed."""
    return path.suffix.lower() in PACKINGS


def unpacked_name(path: Path) -> Path:
    """The file's name without the ending of its compression.

    >>> unpacked_name(Path("data/train.csv.zst")).name
    'train.csv'
    """
    return Path(path.stem) if is_packed(path) else Path(path.name)


def open_packed(path: Path, *, line_ends: bytes = b"\n") -> BinaryIO:
    r"""Open a ``.gz`` or ``.zst`` file for reading its content.

    Args:
        path: The file.
        line_ends: The bytes that end a line: ``b"\n\r"`` for CSV.

    Raises:
        OSError: It cannot be opened. While it is read: `BrokenZstd`, `LongLine`, or what gzip says.
    """
    source: IO[bytes]
    if path.suffix.lower() == ".gz":
        source = cast(IO[bytes], gzip.open(path, "rb"))
    else:
        import pyarrow

        source = pyarrow.input_stream(str(path), compression="zstd")
    return cast(BinaryIO, io.BufferedReader(_Unpacked(source, line_ends), _CHUNK))


def pack(content: bytes, packing: str) -> bytes:
    """One frame; frames one after the other are the content of all of them.

    Args:
        content: What to compress.
        packing: Of `PACKINGS`.
    """
    if packing == ".gz":
        return gzip.compress(content, mtime=0)  # the same rows, the same bytes
    import pyarrow

    return cast(bytes, pyarrow.compress(content, codec="zstd", asbytes=True))


def repack(path: Path) -> Path:
    """Write a zstd file of many frames as one of a single frame beside it.

    zcat and pandas read all frames; some readers end after the first one, and say nothing.
    """
    import pyarrow

    whole = path.with_name(f"whole{path.suffix}")
    with open_packed(path) as source, pyarrow.output_stream(str(whole), compression="zstd") as out:
        while chunk := source.read(_CHUNK):
            out.write(chunk)
    with whole.open("rb+") as file:
        os.fsync(file.fileno())
    return whole


class _Unpacked(io.RawIOBase):
    """What comes out of a compressed stream, watched for lines without an end."""

    def __init__(self, source: IO[bytes], line_ends: bytes) -> None:
        self._source, self._ends, self._since = source, line_ends, 0

    def readable(self) -> bool:
        """It is read, and nothing else."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the stream goes."""
        try:
            chunk = self._source.read(len(buffer))
        except OSError as error:
            if error.errno is not None or isinstance(error, gzip.BadGzipFile):
                raise
            raise BrokenZstd(str(error).splitlines()[0]) from error
        last = max(chunk.rfind(end) for end in (self._ends[:1], self._ends[1:] or self._ends[:1]))
        self._since = self._since + len(chunk) if last < 0 else len(chunk) - last - 1
        if self._since > LINE_LIMIT:
            raise LongLine
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()
        super().close()
