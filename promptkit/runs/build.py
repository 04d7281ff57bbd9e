"""From what was asked for to a trial: rows loaded, parts chosen, everything checked, no weights.

Whatever can be wrong without a model in memory is found here, before one is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.data import Dataset
from promptkit.errors import DataError
from promptkit.prompts import Template
from promptkit.protocols import Strategy
from promptkit.runs.adapt import is_learned
from promptkit.runs.method import Method, copies_left_out, method_for
from promptkit.runs.parts import backend_for_spec, embedding_for, selector_for
from promptkit.runs.rows import rows_for
from promptkit.runs.spec import EvalSpec
from promptkit.selectors import SELECTORS
from promptkit.strategies.calibrated import calibrated_on
from promptkit.types import Example, RunSpec, Scalar


@dataclass(frozen=True)
class Trial:
    """A run that is ready to go.

    Args:
        spec: All that can change its result.
        template: With its labels settled.
        data: The rows to evaluate, their labels in the template's terms.
        train: The rows that demonstrations come from or that are learned from; None when there are
            none.
        golds: Gold labels in the order of the rows.
        notes: Facts that a reader of the table must know.
        origin: Where things came from; does not change the result.
        strategy: Builds the strategy; with False as its argument, without a model: such a one can
            conclude from stored evidence, and nothing else.
        packages: Versions that matter.
        fits: Whether the strategy is fitted before it is asked; a saved one is not.
    """

    spec: RunSpec
    template: Template
    data: Dataset
    train: Dataset | None
    golds: tuple[Scalar | None, ...]
    notes: tuple[str, ...]
    origin: Mapping[str, Any]
    strategy: Callable[[bool], Strategy]
    packages: Mapping[str, str]
    fits: bool = True


def build(asked: EvalSpec) -> Trial:
    """Check everything and load the rows.

    Raises:
        PromptkitError: The first thing that is wrong.
    """
    template, data, train, notes = rows_for(asked)
    method = method_for(asked, template, bool(train))
    if train is not None and is_learned(asked.strategy):
        train, told = _not_evaluated(train, data)
        notes += [told] if told else []
    return trial_of(asked, method, template, data, train, notes)


def trial_of(
    asked: EvalSpec,
    method: Method,
    template: Template,
    data: Dataset,
    train: Dataset | None,
    notes: Sequence[str],
) -> Trial:
    """Rows and method together."""
    located = method.located
    if method.strategy.get("calibration"):
        notes = [*notes, calibrated_on(train.examples if train else ())]
    learned_from = None
    if train:
        learned_from = {"name": train.name, "n": len(train), "hash": train.content_hash()}
    return Trial(
        spec=RunSpec(
            data={
                "name": data.name,
                "split": data.split,
                "n": len(data),
                "hash": data.content_hash(),
                "labels": list(template.task.labels),
                "train": learned_from,
            },
            template=method.template,
            backend=method.backend,
            strategy=method.strategy,
            seed=method.seed,
        ),
        template=template,
        data=data,
        train=train,
        golds=tuple(template.target(example) for example in data),
        notes=(*notes, *method.notes),
        origin={
            "data": data.origin,
            "train_data": train.origin if train else None,
            "template": template.path,
            "model": str(located.path) if located else None,
            "revision": located.revision if located else None,
            "device": asked.device,
            "batch_size": asked.batch_size,
            "strategy_options": dict(asked.strategy_options),
        },
        strategy=method.make,
        packages=method.packages,
        fits=method.fits,
    )


def _not_evaluated(train: Dataset, data: Dataset) -> tuple[Dataset, str]:
    kept, told = copies_left_out(train.examples, data.examples)
    if not kept:
        raise DataError(
            f"{train.origin}: each of its {len(train):,} rows is evaluated too, so that nothing is "
            "left to learn from; give other rows with --train-data FILE"
        )
    return train.taking(kept), told


def demonstrations(
    asked: EvalSpec, template: Template, train: Dataset | None, example: Example
) -> list[Example]:
    """The demonstrations that a row would be shown, without a language model."""
    shots = template.keys.shots if asked.shots is None else asked.shots
    name, options = selector_for(asked, shots, bool(train))
    if name == "none" or train is None:
        return []
    backend, backend_options, _ = backend_for_spec(asked, template)
    options |= embedding_for(name, backend, backend_options)
    selector = SELECTORS.build(name, {**options, "seed": asked.seed})
    return selector.fit(train.examples).select(example, shots)
