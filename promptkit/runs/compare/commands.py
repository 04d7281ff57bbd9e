"""Commands that a reader can type: to adapt with what was recommended, and to compare again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from promptkit.runs.compare.nouns import Entry, size_name
from promptkit.runs.compare.spec import CompareSpec


def tune_command(entry: Entry, asked: CompareSpec) -> str:
    """The command that adapts with all labelled rows and saves."""
    parts = ["promptkit", "tune", "--strategy", entry.strategy, *_rows(asked)]
    if entry.model and entry.model != "minilm":
        parts += ["--model", entry.model]
    for key, option in entry.options.items():
        parts += ["--option", f"{key}={option}"]
    return shlex.join([*parts, "--output", "my_model"])


#: Options that stand on the command line as they are.
_PLAIN = (
    "split", "id_field", "seeds", "folds", "max_train_minutes", "max_latency_ms",
    "max_memory", "max_stored", "max_price", "seed", "device", "dtype",
)  # fmt: skip


def compare_command(asked: CompareSpec) -> str:
    """The command that computes the same comparison again."""
    usual = CompareSpec(data="")
    parts = ["promptkit", "compare", *_rows(asked)]
    if asked.test_data is not None:
        told = asked.test_data if isinstance(asked.test_data, str) else "YOUR_TEST_ROWS.csv"
        parts += ["--test-data", told]
    for name, values in _lists(asked, usual).items():
        parts += [f"--{name}", ",".join(map(str, values))]
    for name in _PLAIN:
        own = getattr(asked, name)
        if own != getattr(usual, name):
            parts += [f"--{name.replace('_', '-')}", str(own)]
    if asked.budget is not None:
        parts += ["--budget", f"{asked.budget:g}s"]
    parts += [] if asked.gpu else ["--no-gpu"]
    parts += [] if asked.prior else ["--no-prior"]
    prices = asked.prices.model_dump(exclude_defaults=True)
    if prices:
        parts += ["--prices", ",".join(f"{key}={price}" for key, price in prices.items())]
    return shlex.join(parts)


def _lists(asked: CompareSpec, usual: CompareSpec) -> dict[str, Sequence[object]]:
    """Options with several values that are not as usual."""
    found: dict[str, Sequence[object]] = {}
    for name in ("strategies", "labels", "models"):
        own = getattr(asked, name)
        if own and own != getattr(usual, name):
            found[name] = own
    if asked.sizes != usual.sizes:
        found["sizes"] = [size_name(size) for size in asked.sizes]
    return found


def _rows(asked: CompareSpec) -> list[str]:
    """The options that say which rows."""
    parts = ["--data", asked.data if isinstance(asked.data, str) else "YOUR_ROWS.csv"]
    if asked.template:
        parts += ["--template", asked.template]
    if asked.text_field:
        parts += ["--text-field", asked.text_field]
    for name, column in asked.fields.items():
        parts += ["--field", f"{name}={column}"]
    if asked.label_field != "label":
        parts += ["--label-field", asked.label_field]
    for said, label in asked.label_map.items():
        parts += ["--label-map", f"{said}={label}"]
    if asked.limit is not None:
        parts += ["--limit", str(asked.limit)]
    return parts
