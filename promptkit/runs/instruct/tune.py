"""A model tuned on a mixture, saved as an ordinary model folder or adapter."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from promptkit.backends.meter import Meter
from promptkit.backends.weights import locate
from promptkit.data.ids import canonical
from promptkit.errors import Interrupted, SpecError, StoreError
from promptkit.prompts import Template
from promptkit.protocols import FitContext, OnStep, Step, unwatched
from promptkit.runs.files import translated
from promptkit.runs.instruct.card import MARK, card
from promptkit.runs.instruct.mixture import Mixture
from promptkit.runs.tune import checkpoints, partial_of
from promptkit.strategies.answers import Answered
from promptkit.strategies.instruct import answered
from promptkit.strategies.language_tuning import LanguageOptions, LanguageTuning, TunedLanguage
from promptkit.strategies.preference import preferred
from promptkit.strategies.processes import rank
from promptkit.types import Cost, Example


@dataclass(frozen=True)
class Instructed:
    """What was made.

    Args:
        folder: Where it lies.
        sizes: Inputs that each task gave.
        tuned: What came of it.
        cost: What it took.
        stored_bytes: Size of the folder.
    """

    folder: Path
    sizes: Mapping[str, int]
    tuned: TunedLanguage
    cost: Cost
    stored_bytes: int


def instruct(
    mixture: Mixture,
    model: str,
    folder: str | Path,
    options: LanguageOptions,
    *,
    beta: float | None = None,
    force: bool = False,
    on_step: OnStep = unwatched,
) -> Instructed:
    """Tune a model on a mixture; several processes share each step, and the first one saves.

    Args:
        mixture: What is learned.
        model: A folder of a causal model, or a hub id.
        folder: Where the result is saved: a model of transformers, or an adapter of peft.
        options: How.
        beta: Learn preferences, as dear as this (see `promptkit.strategies.preference`); None
            learns answers.
        force: Replace a folder that this function has made before.
        on_step: Told how far it has come.

    Raises:
        Interrupted: Ctrl-C; the same call goes on from the last checkpoint.
        PromptkitError: Mixture, model or disk failed.
    """
    target = Path(folder).expanduser()
    if rank() == 0:
        _check_free(target, force)
    meter, located = Meter(), locate(model)
    rows = [one.answered(_maker(beta, options.seed)) for one in mixture.draw(options.seed)]
    told = [
        canonical(options.described()),
        located.hash(),
        str(beta),
        str(len(rows)),
        *map(str, rows),
    ]
    key = hashlib.sha256("\0".join(told).encode(errors="surrogatepass")).hexdigest()[:16]
    first = rank() == 0
    with checkpoints(target, key) if first else nullcontext(partial_of(target) / key) as kept:
        with meter.timed():
            tuning = LanguageTuning(located, options, meter)
            tuned = _learn(tuning, rows, beta, FitContext(kept, on_step))
        if not first:
            return Instructed(target, mixture.sizes(), tuned, meter.cost, 0)
        beside = target.with_name(f"{target.name}.new")
        with translated(target):
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir()
            tuning.save(beside)
            text = card(target.name, located.shown, mixture, options, tuned, beta)
            (beside / "README.md").write_text(text, encoding="utf-8")
            shutil.rmtree(target, ignore_errors=True)
            beside.rename(target)
    shutil.rmtree(partial_of(target), ignore_errors=True)
    meter.add(trained_parameters=tuned.trained_parameters)
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    return Instructed(target, mixture.sizes(), tuned, meter.cost, size)


def _maker(
    beta: float | None, seed: int
) -> Callable[[Template, Example, Sequence[Example]], Answered]:
    return answered if beta is None else partial(_preferred, seed)


def _preferred(seed: int, template: Template, row: Example, shots: Sequence[Example]) -> Answered:
    if template.writing:
        raise SpecError(
            f"{template.path}: is answered by a text, and of a text nobody says what would be "
            "wrong; leave the task out with --without"
        )
    return preferred(template, row, seed, shots)


def _learn(
    tuning: LanguageTuning, rows: Sequence[Answered], beta: float | None, context: FitContext
) -> TunedLanguage:
    last = Step(0, 0)

    def on_step(step: Step) -> None:
        nonlocal last
        last = step
        context.on_step(step)

    own = FitContext(context.folder, on_step)
    try:
        if beta is None:
            return tuning.answers(rows, own)
        return tuning.preferences(rows, beta, own)
    except KeyboardInterrupt as error:
        kept = "were done, and what was kept of them on disk is taken up again"
        raise Interrupted(last.done, last.total, "steps", kept) from error


def _check_free(target: Path, force: bool) -> None:
    """Refuse a folder that must not be written to; only what was made here may be replaced."""
    if not target.absolute().parent.is_dir():
        raise StoreError(f"{target}: no such folder {target.parent}; make it first")
    if target.exists() and not target.is_dir():
        raise StoreError(f"{target}: is a file; name a folder")
    if not target.is_dir() or not any(target.iterdir()):
        return
    mark = target / "README.md"
    made = mark.is_file() and MARK in mark.read_text(encoding="utf-8", errors="replace")
    if not made:
        raise StoreError(f"{target}: holds files that are no tuned model; name another folder")
    if not force:
        raise StoreError(f"{target}: holds a tuned model; replace it with --force, or name another")
