"""A run that is ready to go: what is run on which rows, everything checked, no weights loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.data import Dataset
from promptkit.metrics import metrics_named
from promptkit.prompts import Template
from promptkit.protocols import Strategy
from promptkit.runs.method import Method
from promptkit.runs.spec import EvalSpec
from promptkit.strategies.calibrated import told
from promptkit.types import Evidence, Example, RunSpec, Scalar, Score, Value, label_key

#: Rows of a chunk, see `chunk_for`.
CHUNK, GPU_CHUNK = 64, 512


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
        chunk: Rows that are scored and stored together; see `chunk_for`.
        outside: Training rows of none of the labels; nothing is learned from them.
        extra_scores: Further metrics, of the rows and their evidence; they stand first.
    """

    spec: RunSpec
    template: Template
    data: Dataset
    train: Dataset | None
    golds: tuple[Value | None, ...]
    notes: tuple[str, ...]
    origin: Mapping[str, Any]
    strategy: Callable[[bool], Strategy]
    packages: Mapping[str, str]
    fits: bool = True
    chunk: int = CHUNK
    outside: tuple[Example, ...] = ()
    extra_scores: Callable[[Sequence[Example], Sequence[Evidence]], tuple[Score, ...]] | None = None


def chunk_for(device: str, has_model: bool) -> int:
    """Rows that are scored and stored together.

    Enough for batches of like length, few enough that little is lost when a run is stopped. A GPU
    answers hundreds of rows a second, and a batch of its takes more short rows than a CPU's. It
    does not grow with the speed that is seen: the rows beside a row move its last digits, so that
    a run that goes on must deal them out as one that was never stopped.

    Args:
        device: As asked for.
        has_model: Whether a model runs on it.
    """
    if not has_model:
        return CHUNK
    from promptkit.backends.torch_device import choose_device

    return GPU_CHUNK if choose_device(device).type == "cuda" else CHUNK


def trial_of(
    asked: EvalSpec,
    method: Method,
    template: Template,
    data: Dataset,
    train: Dataset | None,
    notes: Sequence[str],
    golds: tuple[Value | None, ...] | None = None,
) -> Trial:
    """Rows and method together; a method that was fitted before says itself on which rows.

    Gold labels are the template's, unless they are given.
    """
    located = method.located
    if template.writing:
        metrics_named(template.keys.task.metrics)  # what is missing is said before weights load
    strategy = dict(method.strategy)
    if method.calibration is not None:
        rows = train.examples if train else ()
        notes = [*notes, told(method.calibration, rows)]
        strategy["calibration_rows"] = method.calibration.seen(rows)
        if method.calibrated_on is not None:
            strategy["calibration_rows"] = named(method.calibrated_on)
    learned_from = named(train) if train else method.learned_from
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
            strategy=strategy,
            seed=method.seed,
        ),
        template=template,
        data=data,
        train=train,
        golds=tuple(_gold(asked, template, row) for row in data) if golds is None else golds,
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
        chunk=chunk_for(asked.device, located is not None),
    )


def named(rows: Dataset) -> dict[str, Any]:
    """Rows as a spec names them: by what they are called, how many they are, and their content."""
    return {"name": rows.name, "n": len(rows), "hash": rows.content_hash()}


def _gold(asked: EvalSpec, template: Template, example: Example) -> Value | None:
    """The gold label; None for a row of none of the labels, which no label can be right for."""
    if is_outside(example, asked.out_of_scope):
        return None
    return template.target(example)


def is_outside(example: Example, out_of_scope: Scalar | None) -> bool:
    """Whether a row's label says that it belongs to none of the task's."""
    return out_of_scope is not None and label_key(example.label) == label_key(out_of_scope)
