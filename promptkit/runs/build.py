"""From what was asked for to a trial: rows loaded, parts chosen, everything checked, no weights.

Whatever can be wrong without a model in memory is found here, before one is loaded.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from promptkit.backends import BACKENDS
from promptkit.backends.auto import backend_for
from promptkit.backends.weights import MINILM, Located, locate
from promptkit.data import Dataset, load, train_split_of
from promptkit.errors import CapabilityError, DataError, SpecError, nearest
from promptkit.prompts import Template, find_template
from promptkit.protocols import Backend, Selector, Strategy, Verbalizer
from promptkit.runs.labels import settle_labels
from promptkit.runs.spec import EvalSpec
from promptkit.selectors import SELECTORS
from promptkit.strategies import STRATEGIES
from promptkit.types import Example, RunSpec, Scalar
from promptkit.verbalizers import VERBALIZERS

#: Packages whose version can change a score, by backend.
PACKAGES = {
    "hf": ("torch", "transformers", "tokenizers"),
    "embedding": ("torch", "transformers", "tokenizers", "sentence-transformers"),
}
#: Backends that are told by a model's folder whether they can serve it.
SERVES_FOLDERS = ("hf", "embedding")
_DEFAULT_SELECTOR = "balanced"


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
    selector, selector_options = _selector(asked, shots, bool(train))
    backend, options, located = _backend(asked, template)
    VERBALIZERS.build("words", asked.verbalizer_options)
    packages = _versions(backend)
    borrowed = selector == "nearest" and not _own_encoder(backend)
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
            "dtype": _dtype(asked) if located else None,
            "options": _fingerprinted(options),
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
        model = load_backend(backend, options) if with_model else BACKENDS.load(backend)
        chosen = dict(selector_options) | {"seed": asked.seed}
        if with_model:
            chosen |= _embedding(selector, backend, options)
        parts = {
            "template": template,
            "backend": model,
            "selector": SELECTORS.build(selector, chosen),
            "verbalizer": VERBALIZERS.build("words", asked.verbalizer_options),
            "shots": shots,
        }
        return STRATEGIES.build("in_context", parts)

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


def parts_for(
    asked: EvalSpec, template: Template, shots: int, has_pool: bool
) -> tuple[str, dict[str, Any], Selector, Verbalizer]:
    """Backend name and options, selector and verbalizer, for rows that are already in Python."""
    name, options, _ = _backend(asked, template)
    chosen, selector_options = _selector(asked, shots, has_pool)
    selector_options |= _embedding(chosen, name, options)
    selector = SELECTORS.build(chosen, {**selector_options, "seed": asked.seed})
    return name, options, selector, VERBALIZERS.build("words", asked.verbalizer_options)


def demonstrations(
    asked: EvalSpec, template: Template, train: Dataset | None, example: Example
) -> list[Example]:
    """The demonstrations that a row would be shown, without a language model."""
    shots = template.keys.shots if asked.shots is None else asked.shots
    name, options = _selector(asked, shots, bool(train))
    if name == "none" or train is None:
        return []
    backend, backend_options, _ = _backend(asked, template)
    options |= _embedding(name, backend, backend_options)
    selector = SELECTORS.build(name, {**options, "seed": asked.seed})
    return selector.fit(train.examples).select(example, shots)


def load_backend(name: str, options: Mapping[str, Any]) -> Backend:
    """A backend with its model in memory; the same one again for the same options.

    Cross-validation and several seeds ask for one model many times over.
    """
    return _loaded(name, json.dumps(dict(options), sort_keys=True))


@lru_cache(maxsize=2)
def _loaded(name: str, options: str) -> Backend:
    return BACKENDS.build(name, json.loads(options))


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


def _selector(asked: EvalSpec, shots: int, has_pool: bool) -> tuple[str, dict[str, Any]]:
    """The selector's name and options, checked before anything is loaded."""
    name = asked.selector or (_DEFAULT_SELECTOR if shots else "none")
    SELECTORS.load(name)
    if not shots:
        return "none", {}
    if name == "none":
        raise SpecError(f"--shots {shots} with --selector none: choose another selector")
    if not has_pool:
        raise SpecError(
            f"--shots {shots} needs rows to choose from: --train-data FILE (it may be the "
            "evaluated file itself: a row is never its own demonstration)"
        )
    options = dict(asked.selector_options)
    for reserved in ("seed", "encoder"):
        if reserved in options:
            raise SpecError(f"selector_options: {reserved!r} is set by promptkit; use --{reserved}")
    if name != "nearest":
        SELECTORS.build(name, {**options, "seed": asked.seed})
    return name, options


def _own_encoder(backend: str) -> bool:
    """Whether the backend embeds for a selector; the in-box encoder does it for the others."""
    return backend in {"embedding", "fake"}


def _embedding(selector: str, backend: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The option that gives a selector its encoder, where it takes one."""
    if selector != "nearest":
        return {}
    if _own_encoder(backend):
        return {"encoder": load_backend(backend, options)}
    return {"encoder": load_backend("embedding", {"model": MINILM})}


def _backend(asked: EvalSpec, template: Template) -> tuple[str, dict[str, Any], Located | None]:
    """The backend's name, its options, and where its model lies."""
    if asked.dry_run or asked.backend == "fake":
        return "fake", dict(asked.backend_options), None
    located = locate(asked.model)
    name, has_cloze = asked.backend, template.keys.cloze is not None
    if name == "auto" or (name in SERVES_FOLDERS and backend_for(located, has_cloze) != name):
        suited = backend_for(located, has_cloze)
        if name != "auto":
            raise CapabilityError(
                f"backend {name!r} cannot serve {asked.model!r}; use --backend {suited} or auto"
            )
        name = suited
    if name not in BACKENDS:
        raise SpecError(f"no backend named {name!r}; {nearest(name, ['auto', *BACKENDS])}")
    options: dict[str, Any] = {
        "model": asked.model,
        "batch_size": asked.batch_size,
        "device": asked.device,
        "dtype": asked.dtype,
    }
    if name == "embedding" and template.keys.encoder is not None:
        options["temperature"] = template.keys.encoder.temperature
        options["shot_weight"] = template.keys.encoder.shot_weight
    return name, options | asked.backend_options, located


def _dtype(asked: EvalSpec) -> str:
    """The number format that ``auto`` stands for on this machine."""
    if asked.dtype != "auto":
        return asked.dtype
    from promptkit.backends.torch_device import choose_device, choose_dtype

    return str(choose_dtype("auto", choose_device(asked.device))).removeprefix("torch.")


def _fingerprinted(options: Mapping[str, Any]) -> dict[str, Any]:
    """Backend options that change a score."""
    without = {"model", "batch_size", "device", "dtype"}
    return {key: value for key, value in options.items() if key not in without}


def _versions(backend: str) -> dict[str, str]:
    names = ("promptkit", *PACKAGES.get(backend, ()))
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def row_text(template: Template, example: Example) -> str:
    """A row's text for tables of errors."""
    shown = [f for f in template.task.fields if f != template.task.choices]
    return " / ".join(str(example.fields[name]) for name in shown)
