"""Hidden states of rows into one file, for those who take them elsewhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from promptkit.data import Dataset, load
from promptkit.errors import SpecError, StoreError
from promptkit.prompts import Template
from promptkit.runs.rows import template_and_columns
from promptkit.runs.spec import EvalSpec
from promptkit.strategies.reading import Reading
from promptkit.types import Scalar

if TYPE_CHECKING:
    from promptkit.backends.hidden import HiddenStates

#: Rows between two reports of how far it is.
CHUNK = 512
SUFFIX = ".safetensors"
#: Called with (rows done, rows in all).
OnRows = Callable[[int, int], None]


@dataclass(frozen=True)
class Extracted:
    """What was written.

    Args:
        file: Where.
        shape: (n, l, w) of each tensor.
        pooling: The tensors' names.
        layers: Places of the layers, from 0 (embedding).
        cut: Rows whose text was too long to be read whole.
        unlabelled: Rows without a label.
    """

    file: Path
    shape: tuple[int, int, int]
    pooling: tuple[str, ...]
    layers: tuple[int, ...]
    cut: int
    unlabelled: int


def layers_of(text: str) -> list[int] | None:
    """What ``--layers`` says; None for all of them.

    >>> layers_of("all"), layers_of("-1"), layers_of("0,3,6")
    (None, [-1], [0, 3, 6])

    Raises:
        SpecError: Neither ``all`` nor numbers.
    """
    if text.strip() == "all":
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise SpecError(
            f"--layers {text!r}: write all, a number such as -1, or several: 0,3,6"
        ) from error


def check_output(output: str) -> Path:
    """Refuse before the work what could not be written after it.

    Raises:
        SpecError: No such folder, a folder itself, or another suffix.
    """
    target = Path(output).expanduser()
    if target.suffix != SUFFIX:
        raise SpecError(f"--output {output}: the name must end in {SUFFIX}")
    if not target.absolute().parent.is_dir():
        raise SpecError(f"--output {output}: no such folder {target.parent}")
    if target.is_dir():
        raise SpecError(f"--output {output}: is a folder")
    return target


def rows_to_read(asked: EvalSpec) -> tuple[Dataset, Reading]:
    """The rows, with or without labels, and how one is read: by itself, or as a template's prompt.

    Raises:
        DataError: Rows that cannot be used.
        SpecError: Nobody said which column holds the text, or which labels a template speaks of.
    """
    template, columns = template_and_columns(asked)
    assert asked.data is not None
    rows = load(
        asked.data,
        split=asked.split,
        fields=template.task.fields,
        columns=columns,
        label_field=asked.label_field,
        id_field=asked.id_field,
        require_labels=False,
    )
    fields = template.task.fields
    if asked.template is None:
        return rows.limited(asked.limit), Reading(fields)
    return rows.limited(asked.limit), Reading(fields, _settled(template, rows, asked.labels))


def _settled(template: Template, rows: Dataset, labels: Sequence[Scalar] | None) -> Template:
    """The template, speaking of the labels asked for, else of those of the rows if it has none."""
    if labels:
        return template.with_labels(labels)
    if not template.open:
        return template
    told = {row.label for row in rows if isinstance(row.label, str | int | float | bool)}
    found = rows.labels or sorted(told, key=str)
    if len(found) < 2:
        raise SpecError(
            f"template {template.name!r} leaves its labels open, and the rows have none; give "
            "--labels a,b,c"
        )
    return template.with_labels(found)


def extract(
    rows: Dataset,
    reading: Reading,
    states: HiddenStates,
    target: Path,
    *,
    layers: Sequence[int] | None = None,
    pooling: Sequence[str] = ("mean",),
    on_rows: OnRows = lambda done, total: None,
) -> Extracted:
    """Write an (n, l, w) float32 tensor for each pooling, and what its rows are.

    The file's metadata holds JSON texts: ``ids`` and ``labels`` of the rows in order, ``layers``,
    and ``model``, its ``weights`` and the ``data``.

    Args:
        rows: The rows.
        reading: How one becomes text.
        states: The model.
        target: A file whose folder exists.
        layers: Which layers; all by default.
        pooling: Which poolings.
        on_rows: Told how far it is.

    Raises:
        SpecError: No such layer or pooling.
        StoreError: The disk cannot hold it.
    """
    from promptkit.backends.hidden import check_poolings, layer_places

    check_poolings(pooling)
    n_states, n = states.n_layers + 1, len(rows)
    places = layer_places(range(n_states) if layers is None else layers, n_states)
    shape = (n, len(places), states.width)
    _check_space(target, int(np.prod(shape)) * 4 * len(pooling))
    tensors: dict[str, NDArray[np.float32]] = {
        name: np.empty(shape, np.float32) for name in pooling
    }
    cut = 0
    for start in range(0, n, CHUNK):
        part = rows.examples[start : start + CHUNK]
        found = states.read([reading(row) for row in part], pooling, places)
        for name in pooling:
            tensors[name][start : start + len(part)] = found.states[name]
        cut += sum(chars > 0 for chars in found.cut)
        on_rows(min(start + CHUNK, n), n)
    meta = {
        "ids": [row.id for row in rows],
        "labels": [row.label for row in rows],
        "layers": places,
        "model": states.model,
        "weights": states.weights,
        "data": {"name": rows.name, "split": rows.split, "hash": rows.content_hash()},
    }
    _write(target, tensors, {key: json.dumps(value) for key, value in meta.items()})
    unlabelled = sum(row.label is None for row in rows)
    return Extracted(target, shape, tuple(pooling), tuple(places), cut, unlabelled)


def _check_space(target: Path, needed: int) -> None:
    free = shutil.disk_usage(target.absolute().parent).free
    if needed > free:
        raise StoreError(
            f"{target}: needs {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free; ask "
            "for fewer --layers, or write to another disk"
        )


def _write(target: Path, tensors: dict[str, NDArray[np.float32]], meta: dict[str, str]) -> None:
    """Write a file whole or not at all."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    beside = target.with_name(f".{target.name}.new")
    try:
        save_file(tensors, beside, metadata=meta)
        beside.replace(target)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            beside.unlink()
        raise StoreError(f"{target}: cannot be written ({error}); write to another disk") from error
