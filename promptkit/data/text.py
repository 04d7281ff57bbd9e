"""Text files read line by line, with every way in which that fails told in one line."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from promptkit.data.packed import (
    LINE_LIMIT,
    WHOLE_LIMIT,
    BrokenZstd,
    LongLine,
    is_packed,
    open_packed,
    unpacked_name,
)
from promptkit.data.place import Place
from promptkit.errors import DataError

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def text_lines(path: Path, place: Place, *, newline: str) -> Iterator[str]:
    r"""Walk the lines of a UTF-8 file, ``.gz``, ``.zst`` or plain, a byte-order mark skipped.

    Args:
        path: The file.
        place: How messages name it.
        newline: As for `open`: ``""`` for CSV, whose quoted fields keep their own line ends, and
            ``"\n"`` for JSON lines, so that U+2028 or a bare carriage return ends no line.

    Raises:
        DataError: The file cannot be read, is not UTF-8, or holds a NUL byte.
    """
    with translated(path, place), open_text(path, newline=newline) as file:
        for number, line in enumerate(file, start=1):
            # From Python 3.11 on, csv takes NUL for a character like any other. It never is one:
            # the file is UTF-16 without a mark, or was damaged.
            if "\0" in line:
                raise DataError(
                    f"{place.file} line {number}: holds a NUL byte, so it is not UTF-8 text; "
                    "export it again as UTF-8"
                )
            yield line


def whole_text(path: Path, place: Place) -> str:
    """All of a UTF-8 file; fails as `text_lines` does, and where little unpacks to very much."""
    with translated(path, place), open_text(path, newline="\n") as file:
        if not is_packed(path):
            return file.read()
        text = file.read(WHOLE_LIMIT)
        if file.read(1):
            raise DataError(
                f"{place.file}: unpacks to more than {WHOLE_LIMIT // 2**20:,} MiB, which is read "
                "whole; write it as JSON lines, which are read in pieces"
            )
        return text


def open_text(path: Path, *, newline: str) -> TextIO:
    """Open a file, ``.gz``, ``.zst`` or plain, as UTF-8 text without its byte-order mark."""
    if is_packed(path):
        unpacked = open_packed(path, line_ends=b"\n" if newline == "\n" else b"\n\r")
        return io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline=newline)
    return path.open(encoding="utf-8-sig", newline=newline)


@contextmanager
def translated(path: Path, place: Place) -> Iterator[None]:
    """Turn what Python says about a file that cannot be read into a `DataError`."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(_bad_byte(path, place)) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{place.file}: not a whole gzip file; compress it again") from error
    except BrokenZstd as error:
        raise DataError(
            f"{place.file}: not a whole zstd file ({error}); compress it again"
        ) from error
    except LongLine as error:
        raise DataError(
            f"{place.file}: unpacks to a line of more than {LINE_LIMIT // 2**20} MiB; is it rows?"
        ) from error
    except OSError as error:
        raise DataError(f"{place.file}: cannot be read ({error.strerror or error})") from error


def _bad_byte(path: Path, place: Place) -> str:
    """Say where a file stops being UTF-8.

    The decoder counts from the start of its buffer, not of the file, hence the second reading.
    """
    offset = 0
    with _open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            if number == 1 and line.startswith(_UTF16_MARKS):
                return f"{place.file}: is UTF-16, not UTF-8; {_convert('utf-16', path)}"
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                at = offset + error.start
                byte = f"0x{line[error.start]:02x}"
                return (
                    f"{place.file} line {number}: not UTF-8 (byte {byte} at offset {at}); "
                    f"{_convert('latin1', path)}"
                )
            offset += len(line)
    return f"{place.file}: not UTF-8; {_convert('latin1', path)}"


def _open_bytes(path: Path) -> BinaryIO:
    return open_packed(path) if is_packed(path) else path.open("rb")


def _convert(encoding: str, path: Path) -> str:
    name = unpacked_name(path).name
    return f"convert it, for instance: iconv -f {encoding} -t utf-8 {name} > utf8_{name}"
