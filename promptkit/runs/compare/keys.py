"""Names for cells that change with everything that can change what they hold."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from promptkit.backends.weights import locate
from promptkit.errors import CapabilityError
from promptkit.runs.compare.cells import Bench
from promptkit.runs.compare.nouns import Entry, Size, size_name
from promptkit.runs.compare.rows import Rows
from promptkit.runs.plugins import packages_of

_PACKAGES = (
    "promptkit", "numpy", "peft", "scikit-learn", "sentence-transformers", "tokenizers", "torch",
    "transformers",
)  # fmt: skip


def comparison_name(rows: Rows, folds: int, repeats: int, seed: int) -> str:
    """Sixteen digits for rows, labels, design and seed: what all cells share."""
    return _digits(
        {
            "rows": rows.hash,
            "n": [len(rows.labelled), len(rows.held)],
            "labels": list(rows.labels),
            "folds": folds,
            "repeats": repeats,
            "seed": seed,
        }
    )


def entry_name(bench: Bench, entry: Entry) -> str:
    """Sixteen digits for an entry: strategy, options, weights, template, versions."""
    return _digits(
        {
            "name": entry.strategy,
            "strategy": _described(bench, entry),
            "options": dict(entry.options),
            "weights": locate(entry.model).hash() if entry.model else None,
            "template": bench.rows.template.hash(),
            "device": bench.device,
            "dtype": bench.dtype,
            "packages": {
                **packages(),
                **packages_of({**entry.options, "strategy": entry.strategy}),
            },
        }
    )


def _described(bench: Bench, entry: Entry) -> Mapping[str, Any]:
    """What the strategy says of itself; of a model that cannot do this, its cells will say so."""
    try:
        return dict(bench.strategy(entry).describe())
    except CapabilityError as error:
        return {"problem": str(error)}


def cell_name(entry: str, size: Size, draw: int) -> str:
    """The key of a cell."""
    return f"{entry}/{size_name(size)}/{draw}"


@lru_cache(maxsize=1)
def _packages() -> tuple[tuple[str, str], ...]:
    return tuple((name, importlib.metadata.version(name)) for name in _PACKAGES)


def packages() -> Mapping[str, str]:
    """Versions of the packages that can change a cell."""
    return dict(_packages())


def _digits(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
