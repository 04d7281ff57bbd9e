"""Which columns of a table are read, and as what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from promptkit.errors import DataError, nearest

#: The names that are looked for unless told otherwise; only other names must be there.
LABEL, ID = "label", "id"


@dataclass(frozen=True)
class Columns:
    """What is wanted of each row.

    Args:
        fields: The template's field names; empty for every column but id and label.
        renamed: Field name to column name, where they differ.
        label: The column of gold labels.
        id: The column of ids, used where there is one.
        require_labels: Whether a row without a label is an error.
        in_python: Whether the rows came from Python, so that advice names arguments, not flags.
    """

    fields: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    label: str = LABEL
    id: str = ID
    require_labels: bool = True
    in_python: bool = False

    def __post_init__(self) -> None:
        for name, column in self.renamed.items():
            if self.fields and name not in self.fields:
                raise DataError(
                    f"column {column!r} is to be read as {name!r}, but the template has no such "
                    f"field; {nearest(name, self.fields)}"
                )

    def of(self, name: str) -> str:
        """The column that a field is read from."""
        return self.renamed.get(name, name)

    def pairs(self, there: Iterable[str]) -> list[tuple[str, str]]:
        """(field, column) for each field to read from a table with these columns."""
        if self.fields:
            return [(name, self.of(name)) for name in self.fields]
        back = {column: name for name, column in self.renamed.items()}
        rest = [column for column in there if column not in (self.label, self.id, *back)]
        return [*self.renamed.items(), *((column, column) for column in rest)]

    def no_field(self, name: str, where: str, there: Iterable[str]) -> DataError:
        """The error that a field's column is not there, with the flag that names another."""
        taken = {self.label, self.id, *(self.of(other) for other in self.fields)}
        column, columns = self.of(name), list(there)
        guess = _guess(column, columns, taken)
        if self.in_python:
            flag = f"columns={{{name!r}: {guess!r}}}"
        elif self.fields in ((), (name,)):
            flag = f"--text-field {guess}"
        else:
            flag = f"--field {name}={guess}"
        return _missing(where, column, columns, flag)

    def no_label(self, where: str, there: Iterable[str]) -> DataError:
        """The error that the column of labels is not there."""
        columns = list(there)
        guess = _guess(self.label, columns, {self.id, *(self.of(name) for name in self.fields)})
        flag = f"label_field={guess!r}" if self.in_python else f"--label-field {guess}"
        return _missing(where, self.label, columns, flag)

    def no_id(self, where: str, there: Iterable[str]) -> DataError:
        """The error that a column of ids that was asked for is not there."""
        columns = list(there)
        guess = _guess(self.id, columns, set())
        flag = f"id_field={guess!r}" if self.in_python else f"--id-field {guess}"
        return _missing(where, self.id, columns, flag)


def _missing(where: str, column: str, there: list[str], flag: str) -> DataError:
    shown = ", ".join(there[:12]) + (f" and {len(there) - 12} more" if len(there) > 12 else "")
    hint = nearest(column, there)
    close = f"; {hint}" if hint.startswith("did you mean") else ""
    return DataError(f"{where}: no column {column!r}; it has {shown or 'none'}{close}; say {flag}")


def _guess(column: str, there: list[str], taken: set[str]) -> str:
    """The column that was probably meant, for the advice: close in name, or the only one left."""
    free = [name for name in there if name not in taken]
    hint = nearest(column, free)
    if hint.startswith("did you mean "):
        return hint.removeprefix("did you mean ").removesuffix("?").strip("'\"")
    return free[0] if len(free) == 1 else "NAME"
