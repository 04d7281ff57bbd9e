"""A named set of rows: what loading ends in and a run begins with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from promptkit.data.ids import canonical
from promptkit.data.place import Place
from promptkit.types import Example, Scalar, Value, label_key


@dataclass(frozen=True)
class Dataset:
    """Rows that passed the checks.

    Args:
        name: What tables call it.
        split: Which of its parts this is; a file's only split is called as the file is.
        examples: The rows in the order of the file.
        labels: The labels that its card or its ``ClassLabel`` declares, in that order; None when
            nothing declares them. The rows' own labels are left as the file has them.
        origin: The source as the user gave it.
        place: Where the rows stand, for messages.
        numbers: Each row's line or row number there; empty when unknown.
    """

    name: str
    split: str
    examples: tuple[Example, ...]
    labels: tuple[Scalar, ...] | None = None
    origin: str = ""
    place: Place | None = field(default=None, repr=False, compare=False)
    numbers: tuple[int, ...] = field(default=(), repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        return iter(self.examples)

    @property
    def has_labels(self) -> bool:
        """Whether every row has a label; False for no rows."""
        return bool(self.examples) and all(row.label is not None for row in self.examples)

    def content_hash(self) -> str:
        """Sixteen hexadecimal digits that change with any id, field, label or their order."""
        digest = hashlib.sha256()
        for row in self.examples:
            digest.update(canonical([row.id, dict(row.fields), row.label]).encode())
            digest.update(b"\n")
        return digest.hexdigest()[:16]

    def where(self, index: int) -> str:
        """The start of a message about the row at ``index``: its file and line."""
        place = self.place or Place(self.origin or self.name)
        return place.at(self.numbers[index] if self.numbers else index + 1)

    def counts(self) -> dict[Value | None, int]:
        """Rows per label: declared labels first, then others as they appear.

        Labels that Python takes for equal (True and 1) are counted together; no task has both.
        """
        found: dict[Value | None, int] = dict.fromkeys(self.labels or (), 0)
        for row in self.examples:
            found[row.label] = found.get(row.label, 0) + 1
        return found

    def limited(self, n: int | None) -> Dataset:
        """The first n rows; all of them for None or when there are fewer."""
        return self if n is None else self.taking(range(min(max(n, 0), len(self))))

    def only_labels(self, labels: Iterable[Value]) -> Dataset:
        """The rows with one of these labels, told apart by value and type."""
        wanted = {label_key(label) for label in labels}
        kept = self.taking(
            index for index, row in enumerate(self.examples) if label_key(row.label) in wanted
        )
        if self.labels is None:
            return kept
        return replace(kept, labels=tuple(x for x in self.labels if label_key(x) in wanted))

    def without(self, labels: Iterable[Value]) -> Dataset:
        """The rows with none of these labels; rows without a label stay."""
        unwanted = {label_key(label) for label in labels}
        kept = self.taking(
            index for index, row in enumerate(self.examples) if label_key(row.label) not in unwanted
        )
        if self.labels is None:
            return kept
        return replace(kept, labels=tuple(x for x in self.labels if label_key(x) not in unwanted))

    def taking(self, indices: Iterable[int]) -> Dataset:
        """The rows at these positions, in this order; each keeps its id and its line."""
        chosen = tuple(indices)
        return replace(
            self,
            examples=tuple(self.examples[index] for index in chosen),
            numbers=tuple(self.numbers[index] for index in chosen) if self.numbers else (),
        )
