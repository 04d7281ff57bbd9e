"""From what was asked for to a trial: rows loaded, parts chosen, everything checked, no weights.

Whatever can be wrong without a model in memory is found here, before one is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from promptkit.backends.weights import MINILM, locate
from promptkit.data import Dataset, load, train_split_of
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template, find_template
from promptkit.protocols import Strategy
from promptkit.runs.labels import settle_labels
from promptkit.runs.parts import (
    backend_for_spec,
    dtype_for,
    embedding_for,
    fingerprinted,
    has_encoder,
    in_context,
    selector_for,
    versions,
)
from promptkit.runs.spec import EvalSpec
from promptkit.selectors import SELECTORS
from promptkit.types import Example, RunSpec, Scalar
from promptkit.verbalizers import VERBALIZERS


@dataclass(frozen=True)
class Trial:
    """A run that is ready to go.

    Args:
        spec: All that can change its result.
        template: With its labels settled.
        data: The rows to evaluate, their labels in the template's terms.
        train: The rows that demonstrations come from; None when there are none.
        golds: Gold labels in the order of the rows.
        notes: Facts that a reader of the table must know.
        origin: Where things came from; does not change the result.
        strategy: Builds the strategy; with False as its argument, without a model: such a one can
            conclude from stored evidence, and nothing else.
        packages: Versions that matter.
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


def build(asked: EvalSpec) -> Trial:
    """Check everything and load the rows.

    Raises:
        PromptkitError: The first thing that is wrong.
    """
    template, data, train, notes = rows_for(asked)
    shots = template.keys.shots if asked.shots is None else asked.shots
    selector, selector_options = selector_for(asked, shots, bool(train))
    backend, options, located = backend_for_spec(asked, template)
    VERBALIZERS.build("words", asked.verbalizer_options)
    packages = versions(backend)
    borrowed = selector == "nearest" and not has_encoder(backend)
    spec = RunSpec(
        data={
            "name": data.name,
            "split": data.split,
            "n": len(data),
            "hash": data.content_hash(),
            "labels": list(template.task.labels),
            "train": {"name": train.name, "n": len(train), "hash": train.content_hash()}
            if train
            else None,
        },
        template={"name": template.name, "hash": template.hash()},
        backend={
            "name": backend,
            "model": located.shown if located else options.get("model", backend),
            "weights": located.hash() if located else None,
            "dtype": dtype_for(asked) if located else None,
            "options": fingerprinted(options),
            "packages": packages,
        },
        strategy={
            "name": "in_context",
            "shots": shots,
            "selector": {"name": selector, **selector_options},
            "encoder": locate(MINILM).hash() if borrowed else None,
            "verbalizer": dict(asked.verbalizer_options),
        },
        seed=asked.seed if shots else 0,
    )

    def strategy(with_model: bool) -> Strategy:
        return in_context(asked, template, shots, bool(train), with_model=with_model)

    return Trial(
        spec=spec,
        template=template,
        data=data,
        train=train,
        golds=tuple(template.target(example) for example in data),
        notes=tuple(notes),
        origin={
            "data": data.origin,
            "train_data": train.origin if train else None,
            "template": template.path,
            "model": str(located.path) if located else None,
            "revision": located.revision if located else None,
            "device": asked.device,
            "batch_size": asked.batch_size,
        },
        strategy=strategy,
        packages=packages,
    )


def rows_for(asked: EvalSpec) -> tuple[Template, Dataset, Dataset | None, list[str]]:
    """The template with its labels settled, the rows, the training rows, and what to note."""
    template = _template(asked)
    data, train = _rows(asked, template)
    template, data, train, notes = settle_labels(asked, template, data, train)
    data = data.limited(asked.limit)
    if not data.examples:
        raise DataError(f"{data.origin}: no rows left to evaluate; check --labels and --limit")
    return template, data, train, notes


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


def _template(asked: EvalSpec) -> Template:
    template = find_template(asked.template)
    if asked.chat is None or asked.chat == template.keys.chat:
        return template
    return Template(template.keys.model_copy(update={"chat": asked.chat}), template.file)


def _rows(asked: EvalSpec, template: Template) -> tuple[Dataset, Dataset | None]:
    source = asked.data or template.keys.data
    if source is None:
        raise SpecError(
            f"template {template.name!r} has no rows of its own; say which with --data FILE"
        )
    options: dict[str, Any] = {
        "fields": template.task.fields,
        "columns": _columns(asked, template),
        "label_field": asked.label_field,
        "id_field": asked.id_field,
    }
    data = load(source, split=asked.split, **options)
    if asked.train_data is not None:
        return data, load(asked.train_data, split=_train_split(asked.train_data), **options)
    return data, train_split_of(source, split=asked.split, **options)


def _train_split(source: str) -> str | None:
    """A data set with a split ``train`` gives that one; a file gives itself."""
    try:
        load(source, split="train", fields=(), require_labels=False)
    except DataError:
        return None
    return "train"


def _columns(asked: EvalSpec, template: Template) -> dict[str, str]:
    fields = template.task.fields
    for field in asked.fields:
        if field not in fields:
            raise SpecError(
                f"--field {field}: template {template.name!r} has no such field; "
                f"{nearest(field, fields)}"
            )
    if asked.text_field is None:
        return dict(asked.fields)
    if len(fields) > 1:
        raise SpecError(
            f"--text-field is for templates with one field; {template.name!r} has "
            f"{', '.join(fields)}: use --field {fields[0]}=COLUMN for each"
        )
    return {**asked.fields, fields[0]: asked.text_field}


def row_text(template: Template, example: Example) -> str:
    """A row's text for tables of errors."""
    shown = [f for f in template.task.fields if f != template.task.choices]
    return " / ".join(str(example.fields[name]) for name in shown)
