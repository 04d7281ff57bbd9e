"""JSON lines, and JSON files that hold a list of objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from promptkit.data.place import NumberedRow, Place, Table
from promptkit.data.text import text_lines, whole_text
from promptkit.errors import DataError

_ROW = '{"text": "...", "label": "..."}'


def read_json_lines(path: Path, file: str) -> Table:
    """Read one JSON object per line; blank lines are skipped but counted.

    Raises:
        DataError: While the rows are walked: a line that is not JSON, or not an object.
    """
    place = Place(file, "line")
    return Table(place, parsed_lines(text_lines(path, place, newline="\n"), place))


def parsed_lines(lines: Iterable[str], place: Place) -> Iterator[NumberedRow]:
    """The objects of JSON lines, wherever the lines come from; each is checked as it is met."""
    for number, line in enumerate(lines, start=1):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            list_of_rows = number == 1 and line.lstrip().startswith("[")
            remedy = "is it one list? then name it .json" if list_of_rows else "mend the line"
            raise DataError(
                f"{place.at(number)}: broken JSON ({error.msg} at character {error.pos + 1}); "
                f"{remedy}"
            ) from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{place.at(number)}: broken JSON ({error}); mend the line") from error
        yield number, _row(row, place.at(number))


def read_json(path: Path, file: str) -> Table:
    """Read a list of objects, or ``{"data": [...]}``; JSON lines under a ``.json`` name too.

    Raises:
        DataError: Not JSON, or JSON of another shape.
    """
    place = Place(file)
    text = whole_text(path, place)
    if not text.strip():
        raise DataError(f"{file}: is empty; expected a list of objects like {_ROW}")
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            return read_json_lines(path, file)
        raise DataError(
            f"{file} line {error.lineno}: broken JSON ({error.msg} at character {error.colno}); "
            "mend the file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: broken JSON ({error}); mend the file") from error
    return Table(place, _listed_rows(_list_in(content, file), place))


def _list_in(content: Any, file: str) -> list[Any]:
    rows = content.get("data") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise DataError(
            f'{file}: holds neither a list of rows nor {{"data": [...]}}; '
            f"write a list of objects like {_ROW}"
        )
    return rows


def _listed_rows(rows: list[Any], place: Place) -> Iterator[NumberedRow]:
    for number, row in enumerate(rows, start=1):
        yield number, _row(row, place.at(number))


def _row(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise DataError(f"{where}: {_kind(value)}, not an object; write {_ROW}")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {str: "a text", list: "a list", int: "a number", float: "a number"}
    return kinds.get(type(value), type(value).__name__)
