"""A data set looked over, in Python: findings, a table, a frame and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from promptkit.data.inspection import Asked, Finding, Inspection, OnStep, Settings, inspect
from promptkit.data.inspection.gather import gather, ordered_splits, roles_of
from promptkit.data.load import table_of
from promptkit.data.sources import Source, find
from promptkit.errors import SpecError, nearest
from promptkit.report.check_export import CHECKS, check_rows
from promptkit.report.check_view import check_view

#: Columns of the table where there is no terminal.
WIDTH = 110
#: What is read in English and not well in another language.
ENGLISH = ("minilm", "pocket")


class CheckedData:
    """What `check_data` found; ``print`` shows it as ``promptkit data check`` does.

    Args:
        inspection: The rows and what was found.
    """

    def __init__(self, inspection: Inspection) -> None:
        self.inspection = inspection

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is the matter, the worst first."""
        return self.inspection.findings

    @property
    def table(self) -> RenderableType:
        """Everything, for rich to print."""
        return check_view(self.inspection)

    @property
    def ok(self) -> bool:
        """Whether nothing was found that breaks an evaluation or misleads it."""
        return not self.inspection.worst("misleads")

    def to_frame(self) -> Any:
        """A pandas data frame with a line for each row of each finding."""
        import pandas

        lines = check_rows(self.inspection)
        columns = ["severity", "finding", "split", "file", "line", "id", "label", "note", "text"]
        return pandas.DataFrame(lines, columns=columns)

    def to(self, format: str) -> str:
        """As text in the format of that name: json, csv or markdown.

        Raises:
            SpecError: No such format.
        """
        if format not in CHECKS:
            raise SpecError(f"format {format!r}: {nearest(format, CHECKS)}")
        return CHECKS[format](self.inspection)

    def __str__(self) -> str:
        text = StringIO()
        Console(file=text, width=WIDTH, highlight=False).print(self.table)
        return text.getvalue()

    def __repr__(self) -> str:
        told = ", ".join(f"{one.kind} {one.n:,}" if one.n else one.kind for one in self.findings)
        return f"<CheckedData of {len(self.inspection.rows):,} rows: {told or 'nothing found'}>"


def check_data(
    data: Any,
    *,
    split: str | Sequence[str] | None = None,
    text_field: str | Sequence[str] | None = None,
    label_field: str | None = None,
    id_field: str | None = None,
    label_map: Mapping[str, Any] | None = None,
    limit: int | None = None,
    model: str | None = None,
    max_length: int | None = None,
    near: float | None = 0.8,
    language: str | None = None,
    seed: int = 0,
    on_step: OnStep = lambda what, done, total: None,
) -> CheckedData:
    """Look a data set over: copies, leaks between splits, labels, characters, lengths, languages.

    Args:
        data: What `promptkit.load` takes: a file, a pattern, a folder, an in-box name or
            ``hf:owner/name``; or rows: mappings, a data frame, a ``datasets.Dataset``; or such
            by the names of their splits.
        split: The splits to look at; all of them by default.
        text_field: The column of text, or several; by default ``text``, or what reads like text.
        label_field: The column of labels; by default ``label``, or what looks like labels.
        id_field: The column of ids, used where there is one; by default ``id``.
        label_map: What a label of the data stands for, as elsewhere.
        limit: Only the first so many rows of each split; of a set on the Hub no more is downloaded.
        model: Whose tokens are counted, and whose limit of them holds; ``minilm`` and ``pocket``
            read English.
        max_length: Tokens, or without a model words, that a text may have.
        near: Jaccard similarity of character 5-grams from which texts are near-duplicates, from
            0.5 to 1; None looks for none.
        language: ISO 639-1 code of the language that texts should have; by default that of the
            model, else the one that most texts have; ``any`` does not look.
        seed: Of the hash functions that find near-duplicates.
        on_step: Called while it runs: what, how much, of how much.

    Raises:
        DataError: The source cannot be found, or no column reads like text.
        SpecError: A threshold, a split or a language that cannot be.
        MissingExtra: A language was asked for, and lingua is not installed.

    Example:
        >>> found = check_data("reviews.csv")  # doctest: +SKIP
        >>> [finding.kind for finding in found.findings]  # doctest: +SKIP
    """
    if limit is not None and limit < 1:
        raise SpecError(f"--limit {limit}: must be at least 1")
    source = _source(data, limit)
    splits = _splits(source, split)
    texts = [text_field] if isinstance(text_field, str) else list(text_field or ())
    roles = roles_of(source, splits, texts=texts, label_field=label_field, id_field=id_field)
    settings = _settings(model, max_length, near, language, seed)
    gathered = gather(source, splits, roles, limit, on_step, label_map)
    return CheckedData(inspect(Asked(source.name, roles, gathered, settings), on_step))


def _settings(
    model: str | None, max_length: int | None, near: float | None, language: str | None, seed: int
) -> Settings:
    if max_length is not None and max_length < 1:
        raise SpecError(f"--max-length {max_length}: must be at least 1")
    if model is None:
        return Settings(near, seed, max_length, language)
    from promptkit.runs.token_counts import token_counter

    name, count, most = token_counter(model)
    own = "en" if name in ENGLISH else None
    return Settings(near, seed, max_length or most, language or own, count, name)


def _source(data: Any, limit: int | None) -> Source:
    if isinstance(data, str | Path):
        return find(data, streaming=limit is not None)
    by_split = data if _is_splits(data) else {"all": data}
    splits: dict[str, Callable[[], Any]] = {
        str(name): partial(table_of, rows, str(name)) for name, rows in by_split.items()
    }
    return Source("the rows", "data", splits)


def _is_splits(data: Any) -> bool:
    """Whether it is sets of rows by name, and no single set of rows."""
    return isinstance(data, Mapping) and not any(isinstance(one, str) for one in data.values())


def _splits(source: Source, asked: str | Sequence[str] | None) -> list[str]:
    names = list(source.splits)
    wanted = [asked] if isinstance(asked, str) else list(asked or ())
    if source.split is not None and not wanted:
        wanted = [source.split]
    for name in wanted:
        if name not in names:
            raise SpecError(f"{source.origin}: no split {name!r}; {nearest(name, names)}")
    return ordered_splits(wanted or names)
