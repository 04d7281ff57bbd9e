"""A strategy that was fitted, on disk: JSON, safetensors and a card, and never a pickle.

A folder of a saved model holds::

    promptkit.json   what it is: strategy, options, labels, template, base model, hashes
    README.md        the same for people, in the form of a model card
    learned/         what the strategy itself saves
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from promptkit.backends.weights import IN_BOX, MINILM, Located, locate
from promptkit.data import from_records
from promptkit.errors import DataError, SpecError, StoreError
from promptkit.prompts import Template
from promptkit.prompts.written import template_text
from promptkit.protocols import Strategy
from promptkit.runs.adapt import uses_model
from promptkit.runs.files import translated
from promptkit.runs.manifest import LEARNED, is_saved, read_manifest, write_manifest
from promptkit.runs.model_card import model_card
from promptkit.runs.models import LEARNING_PACKAGES, package_versions
from promptkit.runs.plugins import marked, packages_of
from promptkit.runs.recipe import Recipe, recipe_of
from promptkit.strategies.reading import Reading
from promptkit.types import Example, Prediction, Scalar

#: Where the weights come from that the in-box encoder's package carries.
MINILM_HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"
#: Rows that are predicted together.
PREDICT_ROWS = 256
#: Options of a model that is asked by prompts here; a saved one has settled them.
ASKED_MODELS_ONLY = (
    "chat_template_kwargs",
    "base_url",
    "tokenizer",
    "backend_options",
    "cache",
    "cache_folder",
)


@dataclass(frozen=True)
class Saved:
    """A saved model, taken up again.

    Args:
        strategy: Ready to predict.
        template: How the task is put, its labels settled.
        labels: The labels, in the order of every (k,) array.
        reading: How a row becomes text.
        meta: The content of promptkit.json.
        columns: Template field to column of the data it was trained on, where they differ.
    """

    strategy: Strategy
    template: Template
    labels: tuple[Scalar, ...]
    reading: Reading
    meta: Mapping[str, Any]
    columns: Mapping[str, str]

    def predict(self, rows: Sequence[str | Mapping[str, Any] | Example]) -> list[Prediction]:
        """A prediction for each row, in order.

        Args:
            rows: Texts, where the model reads one; or mappings from field (or from column of the
                training data) to value; or examples.

        Raises:
            DataError: A row lacks a field, or has an empty one.
        """
        examples = self._examples(rows)
        batches = range(0, len(examples), PREDICT_ROWS)
        return [
            prediction
            for start in batches
            for prediction in self.strategy.predict(examples[start : start + PREDICT_ROWS])
        ]

    def _examples(self, rows: Sequence[Any]) -> Sequence[Example]:
        if isinstance(rows, str | Mapping):
            raise DataError(f"one {type(rows).__name__} is no list of rows; put it into a list")
        if not len(rows) or all(isinstance(row, Example) for row in rows):
            return list(rows)
        fields = self.template.task.fields
        if isinstance(rows[0], str) and len(fields) > 1:
            raise DataError(f"a row needs the fields {', '.join(fields)}; give mappings")
        records = [{fields[0]: row} if isinstance(row, str) else self._named(row) for row in rows]
        loaded = from_records(records, name="rows", fields=fields, require_labels=False)
        return loaded.examples

    def _named(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row by the names of fields, where it has those of columns."""
        found = dict(row)
        for name, column in self.columns.items():
            if name not in found and column in found:
                found[name] = found[column]
        return found


def save(
    strategy: Strategy,
    folder: str | Path,
    *,
    recipe: Recipe,
    trained_on: Mapping[str, Any],
    force: bool = False,
) -> Path:
    """Save a fitted strategy; the folder appears whole or not at all.

    Args:
        strategy: Fitted, and built by the recipe.
        folder: Where to.
        recipe: What it was built from.
        trained_on: Name, number ``n`` and content ``hash`` of the training rows.
        force: Replace a saved model that lies there.

    Raises:
        StoreError: Something lies there that must not be replaced, or the disk refuses.
    """
    target = Path(folder).expanduser()
    check_free(target, force)
    with translated(target), _beside(target) as made:
        (made / LEARNED).mkdir()
        strategy.save(made / LEARNED)
        content = _content(strategy, recipe, target, trained_on)
        facts: dict[str, Any] = getattr(strategy, "card_facts", dict)()
        write_manifest(made, content)
        card = model_card(content, facts, target.name)
        (made / "README.md").write_text(card, encoding="utf-8")
    return target


def check_free(target: Path, force: bool) -> None:
    """Refuse a folder that must not be written to, before the work and not after it.

    Raises:
        StoreError: It holds something: with ``force`` a saved model may be replaced, and nothing
            else may.
    """
    if not target.absolute().parent.is_dir():
        raise StoreError(f"{target}: no such folder {target.parent}; make it first")
    if target.exists() and not target.is_dir():
        raise StoreError(f"{target}: is a file; name a folder")
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not is_saved(target):
        raise StoreError(f"{target}: holds files that are no saved model; name another folder")
    if not force:
        raise StoreError(
            f"{target}: holds a saved model; replace it with --force, or name another folder"
        )


def load_model(
    folder: str | Path,
    *,
    base_model: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
) -> Saved:
    """Take a saved model up again.

    Args:
        folder: Where it was saved.
        base_model: Where the model that it stands on lies now, if not where it lay.
        device: Where it runs.
        dtype: Its number format.

    Raises:
        StoreError: No saved model, or a broken, changed or newer one.
        BackendError: The model that it stands on is not there, or is another one.
    """
    meta = read_manifest(folder)
    recipe = recipe_of(folder, meta, base_model)
    try:
        strategy = recipe.build(device=device, dtype=dtype)
    except SpecError as error:
        raise StoreError(f"{folder}: this promptkit cannot build it: {error}") from error
    strategy.restore(Path(folder).expanduser() / LEARNED)
    return Saved(
        strategy=strategy,
        template=recipe.template,
        labels=recipe.template.task.labels,
        reading=recipe.reading,
        meta=meta,
        columns=recipe.columns,
    )


def _content(
    strategy: Strategy, recipe: Recipe, target: Path, trained_on: Mapping[str, Any]
) -> dict[str, Any]:
    template = recipe.template
    located = locate(recipe.model) if uses_model(recipe.name, recipe.options) else None
    plugins = packages_of({**recipe.options, "strategy": recipe.name})
    versions = package_versions(*LEARNING_PACKAGES) | plugins
    return {
        "promptkit": versions["promptkit"],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "strategy": {
            "name": recipe.name,
            "options": dict(recipe.options),
            "described": dict(strategy.describe()),
        },
        "labels": list(template.task.labels),
        "reading": dict(recipe.reading.describe()),
        "columns": dict(recipe.columns),
        "template": {
            "name": template.name,
            "hash": template.hash(),
            "fields": list(template.task.fields),
            "yaml": template_text(template),
        },
        "model": None if located is None else _named(located, target),
        "seed": recipe.seed,
        "trained_on": dict(trained_on),
        "packages": versions,
        **marked({}, plugins),
    }


def _named(located: Located, target: Path) -> dict[str, Any]:
    """A model by its name and hash; one in a folder of its own by the way there from here too."""
    on_hub = located.revision is not None
    local = not on_hub and located.name not in IN_BOX
    way = os.path.relpath(located.path.resolve(), target.resolve()) if local else None
    hub_id = MINILM_HUB_ID if located.name == MINILM else located.name if on_hub else None
    return {
        "name": located.shown,
        "weights": located.hash(),
        "revision": located.revision,
        "hub_id": hub_id,
        "path": way,
    }


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A folder beside the target that takes its place when all went well, and goes otherwise."""
    made = target.with_name(f".{target.name}.new-{os.getpid()}")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    try:
        yield made
        old = target.with_name(f".{target.name}.old-{os.getpid()}")
        if target.exists():
            target.rename(old)
        made.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
