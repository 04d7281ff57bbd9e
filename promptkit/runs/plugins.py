"""Which packages a run's parts come from, and how a backend of another package is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from promptkit.backends import BACKENDS
from promptkit.backends.weights import IN_BOX, Located, locate
from promptkit.calibration import CALIBRATORS
from promptkit.errors import PromptkitError, SpecError
from promptkit.metrics import metrics_named
from promptkit.orders import ORDERS
from promptkit.parsers import PARSERS
from promptkit.plugins import Plugin, plugins_of
from promptkit.prompts.library import template_problems
from promptkit.registry import Registry, parameters_of
from promptkit.runs.spec import EvalSpec, flag
from promptkit.selectors import SELECTORS
from promptkit.strategies import STRATEGIES, TAGGERS
from promptkit.transferability import SCORES
from promptkit.verbalizers import VERBALIZERS

#: Every seam that other packages can extend by classes, in the order of a run.
REGISTRIES: tuple[Registry[Any], ...] = (
    SELECTORS,
    ORDERS,
    BACKENDS,
    VERBALIZERS,
    PARSERS,
    CALIBRATORS,
    STRATEGIES,
    TAGGERS,
)
#: The keys of a spec, or options of a strategy, whose value names a part.
NAMING: Mapping[str, Registry[Any]] = {
    "strategy": STRATEGIES,
    "of": STRATEGIES,
    "selector": SELECTORS,
    "order": ORDERS,
    "backend": BACKENDS,
    "verbalizer": VERBALIZERS,
    "parser": PARSERS,
    "calibration": CALIBRATORS,
}
#: What an eval spec says of a model, and a backend may take as an option.
OF_A_MODEL = (
    "model",
    "batch_size",
    "device",
    "dtype",
    "base_url",
    "tokenizer",
    "adapter",
    "chat_template_kwargs",
)


def packages_of(keys: Mapping[str, Any]) -> dict[str, str]:
    """Package and version of each plugin that is named; what promptkit brings is left out.

    A run's fingerprint holds them: another version of a plugin may answer otherwise.

    Args:
        keys: Keys of a spec or options of a strategy; those of `NAMING` are looked at.
    """
    found: dict[str, str] = {}
    for key, registry in NAMING.items():
        if isinstance(keys.get(key), str):
            found |= registry.package(keys[key])
    return found


def all_plugins() -> Iterator[tuple[Plugin, str]]:
    """Everything that installed packages bring, and what is wrong with it; imports all of it."""
    for registry in REGISTRIES:
        yield from registry.problems()
    for kind, look_up in (("score", SCORES.__getitem__), ("metric", _metric)):
        for plugin in plugins_of(kind):
            try:
                look_up(plugin.name)
                yield plugin, ""
            except PromptkitError as error:
                yield plugin, str(error)
    yield from template_problems()


def _metric(name: str) -> None:
    metrics_named([name])


def marked(described: Mapping[str, Any], packages: Mapping[str, str]) -> dict[str, Any]:
    """What a strategy says of itself, and the packages of plugins where there are any.

    Without any it is as it always was, so that runs keep their names.
    """
    return {**described, **({"plugins": dict(packages)} if packages else {})}


def shadow_notes(keys: Mapping[str, Any]) -> list[str]:
    """What a reader must know where an installed package brings a part of a built-in name."""
    return [
        f"{plugin.told} is not used: {registry.kind} {plugin.name!r} is promptkit's own"
        for key, registry in NAMING.items()
        if isinstance(keys.get(key), str)
        for plugin in registry.shadowed(keys[key])
    ]


def plugin_backend(asked: EvalSpec) -> tuple[dict[str, Any], Located | None]:
    """Options of a backend of another package, and where its model lies.

    It is given what a spec says of the model as far as it takes it. A model that is no folder, and
    not in the box, is the backend's own affair.

    Raises:
        SpecError: Something was asked for that it does not take.
    """
    taken = parameters_of(BACKENDS.load(asked.backend))
    usual, options = EvalSpec(), {}
    for name in OF_A_MODEL:
        value = getattr(asked, name)
        if name in taken and (value is not None or value != getattr(usual, name)):
            options[name] = value
        elif value != getattr(usual, name):
            plugin = BACKENDS.plugin(asked.backend)
            origin = "" if plugin is None else f" of {plugin.origin}"
            raise SpecError(
                f"--{flag(name)}: backend {asked.backend!r}{origin} does not take it; leave it out"
            )
    options |= asked.backend_options
    model = str(options.get("model", ""))
    lies_here = model in IN_BOX or Path(model).expanduser().is_dir()
    return options, locate(model) if model and lies_here else None
