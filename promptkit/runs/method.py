"""The way of adapting, as a run has it: its part of the spec, and how it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from promptkit.backends.weights import MINILM, Located, locate
from promptkit.data import Dataset
from promptkit.metrics.written import metric_packages
from promptkit.prompts import Template
from promptkit.protocols import Strategy
from promptkit.runs.adapt import make_strategy, reads_template, takes
from promptkit.runs.calibration import NO_ROWS, OwnRows, calibration_for
from promptkit.runs.models import (
    LEARNING_PACKAGES,
    backend_for_spec,
    described_backend,
    dtype_for,
    has_encoder,
    package_versions,
    versions,
)
from promptkit.runs.parts import (
    asking,
    described_verbalizer,
    order_for,
    order_takes_encoder,
    selector_for,
    takes_encoder,
)
from promptkit.runs.plugins import marked, packages_of, shadow_notes
from promptkit.runs.served import served_notes
from promptkit.runs.spec import EvalSpec
from promptkit.selectors import SELECTORS
from promptkit.strategies.calibrated import MOST_ROWS, Calibration
from promptkit.types import Example

#: What a spec says of the template or backend of a strategy that uses none.
NONE = "none"


@dataclass(frozen=True)
class Method:
    """What a run needs to know about a strategy.

    Args:
        template: Its entry in the spec.
        backend: Its entry in the spec.
        strategy: Its entry in the spec.
        seed: Seed of the run; 0 where nothing is drawn.
        make: Builds the strategy; with False, one that can conclude and nothing else.
        packages: Versions that matter.
        located: Its model, if it has one.
        fits: Whether it is fitted before it is asked; a saved one is not.
        notes: Facts that a reader of the table must know.
        learned_from: Name, number and hash of the rows that a saved one was fitted on.
        calibration: What mends probabilities, if anything does.
        calibrated_on: The rows of a file that it learns from, if it does.
    """

    template: Mapping[str, Any]
    backend: Mapping[str, Any]
    strategy: Mapping[str, Any]
    seed: int
    make: Callable[[bool], Strategy]
    packages: Mapping[str, str]
    located: Located | None
    fits: bool = True
    notes: tuple[str, ...] = ()
    learned_from: Mapping[str, Any] | None = None
    calibration: Calibration | None = None
    calibrated_on: Dataset | None = None


def prompting(
    asked: EvalSpec, template: Template, has_pool: bool, own: OwnRows = NO_ROWS
) -> Method:
    """A frozen model that is asked, with or without demonstrations."""
    shots = template.keys.shots if asked.shots is None else asked.shots
    selector, selector_options = selector_for(asked, shots, has_pool)
    backend, options, located = backend_for_spec(asked, template)
    order = order_for(asked, shots)
    embeds = takes_encoder(selector) or (order is not None and order_takes_encoder(order))
    borrowed = embeds and not has_encoder(backend)

    def make(with_model: bool) -> Strategy:
        return asking(asked, template, shots, has_pool, with_model=with_model, own=own)

    described = dict(make(False).describe())  # what is wrong with its options is said here
    writes = described["name"] == "generate"
    verbalizer = NONE if writes else asked.verbalizer
    calibration = None if writes else calibration_for(asked, own)
    parts = {"selector": selector, "order": order, "verbalizer": verbalizer, "backend": backend}
    parts |= {"calibration": NONE if writes else asked.calibration}
    parts |= {"parser": asked.strategy_options.get("parser")}
    plugins = packages_of(parts) | metric_packages(template.keys.task.metrics)
    return Method(
        template={"name": template.name, "hash": template.hash()},
        backend=described_backend(asked, backend, options, located),
        strategy={
            **described,
            "selector": {"name": selector, **selector_options},
            # what is as it always was leaves runs their names
            **({} if order is None else {"order": order}),
            "encoder": locate(MINILM).hash() if borrowed else None,
            **({} if writes else {"verbalizer": described_verbalizer(asked)}),
            **marked({}, plugins),
        },
        seed=asked.seed if shots or described.get("temperature") else 0,
        make=make,
        packages=versions(backend, options) | plugins,
        located=located,
        notes=(
            *served_notes(backend),
            *_learned_notes(selector, selector_options, verbalizer),
            *shadow_notes(parts),
        ),
        calibration=calibration,
        calibrated_on=own.given,
    )


def _learned_notes(selector: str, options: Mapping[str, Any], verbalizer: str) -> list[str]:
    """What is learned by asking about training rows before the first row is answered."""
    told = []
    if selector == "searched":
        found: Any = SELECTORS.build(selector, options)
        told.append(
            f"demonstrations are the best of up to {found.budget} sets, judged by the labels of up "
            f"to {found.judges} training rows that are neither shown nor evaluated"
        )
    if verbalizer == "refined":
        told.append(
            f"words were weighed on the texts of up to {MOST_ROWS} training rows, their labels "
            "unread"
        )
    return told


def learned(asked: EvalSpec, template: Template, own: OwnRows = NO_ROWS) -> Method:
    """A strategy that is fitted on the training rows first."""

    def make(with_model: bool) -> Strategy:
        return make_strategy(
            asked.strategy,
            template=template,
            model=asked.model,
            options=asked.strategy_options,
            seed=asked.seed,
            device=asked.device,
            dtype=asked.dtype,
            rows=own.unlabelled,
        )

    described = dict(make(False).describe())
    located = locate(asked.model) if "model" in takes(asked.strategy) else None
    parts = {"strategy": asked.strategy, "of": asked.strategy_options.get("of")}
    plugins = packages_of(parts)
    packages = package_versions(*LEARNING_PACKAGES) | plugins
    by_prompt = reads_template(asked.strategy)
    reads_prompt = by_prompt or asked.strategy_options.get("reading") == "prompt"
    named = {"name": template.name, "hash": template.hash()}
    return Method(
        template=named if reads_prompt else {"name": NONE},
        backend={
            "name": NONE,
            "model": located.shown if located else NONE,
            "weights": located.hash() if located else None,
            "dtype": dtype_for(asked) if located else None,
            "packages": packages,
        },
        strategy=marked(described, plugins),
        notes=tuple(shadow_notes(parts)),
        seed=int(described.get("seed", 0)),
        make=make,
        packages=packages,
        located=located,
    )


def stand_in(asked: EvalSpec, template: Template) -> Method:
    """The most frequent label in place of a strategy that would have to be fitted."""
    make_strategy(asked.strategy, template=template, options=asked.strategy_options)
    plain = asked.model_copy(update={"strategy": "majority", "strategy_options": {}})
    found = learned(plain, template)
    told = (
        f"dry run: nothing was learned by {asked.strategy!r}; rows, labels and options are as they "
        "should be, and the scores are those of the most frequent label"
    )
    return Method(**{**vars(found), "notes": (told,)})


def copies_left_out(train: tuple[Example, ...], rows: tuple[Example, ...]) -> tuple[list[int], str]:
    """Places of the training rows that are no copy of an evaluated row, and what to note.

    What is learned from a row says nothing about how well that row is answered.
    """
    from promptkit.selectors.copies import copy_key

    evaluated = {copy_key(row) for row in rows}
    kept = [place for place, row in enumerate(train) if copy_key(row) not in evaluated]
    copies = len(train) - len(kept)
    told = f"not learned from, as copies of evaluated rows: {copies:,} training row(s)"
    return kept, told if copies else ""
