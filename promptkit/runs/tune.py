"""A strategy fitted on all labelled rows and saved; a fit that is stopped goes on later."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.backends.weights import locate
from promptkit.data import Dataset
from promptkit.data.ids import canonical
from promptkit.errors import Interrupted
from promptkit.protocols import FitContext, OnStep, Step, Strategy, unwatched
from promptkit.runs.adapt import ASKING_OPTIONS, is_learned, suited, uses_model
from promptkit.runs.files import locked, translated
from promptkit.runs.recipe import Recipe
from promptkit.runs.rows import rows_to_learn
from promptkit.runs.saved import check_free, save
from promptkit.runs.spec import EvalSpec
from promptkit.runs.unlabelled import unlabelled_rows
from promptkit.types import Cost, Scalar


@dataclass(frozen=True)
class Tuned:
    """What was made.

    Args:
        folder: Where it lies.
        recipe: What it was built from.
        data: Name of the training rows.
        n: How many there were.
        labels: The labels.
        cost: What it took to learn.
        stored_bytes: Size of the folder.
        facts: What the strategy says about its training.
        notes: Facts about the rows that a reader must know.
    """

    folder: Path
    recipe: Recipe
    data: str
    n: int
    labels: tuple[Scalar, ...]
    cost: Cost
    stored_bytes: int
    facts: Mapping[str, Any]
    notes: tuple[str, ...]


def tune(
    asked: EvalSpec, folder: str | Path, *, force: bool = False, on_step: OnStep = unwatched
) -> Tuned:
    """Fit on all labelled rows, and save.

    Args:
        asked: Strategy, rows and model; what an evaluation needs besides is not looked at.
        folder: Where the model is saved. Checkpoints lie beside it, in ``<folder>.partial``, until
            it is.
        force: Replace a saved model that lies there.
        on_step: Told how far the fit has come.

    Raises:
        Interrupted: Ctrl-C; the same call goes on from the last checkpoint.
        PromptkitError: Rows, model or disk failed.
    """
    target = Path(folder).expanduser()
    is_learned(asked.strategy)
    check_free(target, force)
    template, rows, columns, notes = rows_to_learn(asked)
    asked = suited(asked, template)
    recipe = Recipe(
        name=asked.strategy,
        template=template,
        options=_options(asked, template.keys.shots),
        model=asked.model,
        seed=asked.seed,
        columns=columns,
    )
    unlabelled, told = unlabelled_rows(asked, template)
    strategy = recipe.build(device=asked.device, dtype=asked.dtype, rows=unlabelled)
    before = strategy.cost
    with checkpoints(target, _key(strategy, recipe, rows)) as kept:
        _fit(strategy, rows, FitContext(kept, on_step))
    cost = strategy.cost - before
    trained_on = {"name": rows.name, "n": len(rows), "hash": rows.content_hash()}
    save(strategy, target, recipe=recipe, trained_on=trained_on, force=force)
    shutil.rmtree(partial_of(target), ignore_errors=True)
    return Tuned(
        folder=target,
        recipe=recipe,
        data=rows.name,
        n=len(rows),
        labels=template.task.labels,
        cost=cost,
        stored_bytes=sum(file.stat().st_size for file in target.rglob("*") if file.is_file()),
        facts=getattr(strategy, "card_facts", dict)(),
        notes=(*notes, *told),
    )


def _options(asked: EvalSpec, shots: int) -> dict[str, Any]:
    """The strategy's own options; prompting takes those of the spec that are not the usual ones."""
    if is_learned(asked.strategy):
        return dict(asked.strategy_options)
    usual = EvalSpec().model_dump()
    said = {key: value for key, value in asked.model_dump().items() if value != usual[key]}
    own = {key: said[key] for key in ASKING_OPTIONS if key in said}
    return {"shots": shots} | own | dict(asked.strategy_options)


def _fit(strategy: Strategy, rows: Dataset, context: FitContext) -> None:
    last = Step(0, 0)

    def on_step(step: Step) -> None:
        nonlocal last
        last = step
        context.on_step(step)

    try:
        strategy.fit(rows.examples, FitContext(context.folder, on_step))
    except KeyboardInterrupt as error:
        kept = "were done, and what was kept of them on disk is taken up again"
        raise Interrupted(last.done, last.total, "steps", kept) from error


def _key(strategy: Strategy, recipe: Recipe, rows: Dataset) -> str:
    """Names a fit: checkpoints of another one must not be taken up."""
    with_model = uses_model(recipe.name, recipe.options)
    weights = locate(recipe.model).hash() if with_model else None
    content = [dict(strategy.describe()), recipe.seed, rows.content_hash(), weights]
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]


def partial_of(target: Path) -> Path:
    """The folder beside it that holds its checkpoints."""
    return target.with_name(f"{target.name}.partial")


@contextmanager
def checkpoints(target: Path, key: str) -> Iterator[Path]:
    """The folder of this fit's checkpoints; those of other fits for the same target are dropped."""
    partial = partial_of(target)
    with locked(partial):
        with translated(partial):
            for other in partial.iterdir():
                if other.is_dir() and other.name != key:
                    shutil.rmtree(other)
            (partial / key).mkdir(exist_ok=True)
        try:
            yield partial / key
        finally:
            if not any((partial / key).iterdir()):  # nothing to go on from
                shutil.rmtree(partial, ignore_errors=True)
