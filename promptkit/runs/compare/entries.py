"""The ways of adapting a model that can stand in a comparison, from the simplest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promptkit.errors import SpecError, nearest
from promptkit.runs.adapt import takes
from promptkit.runs.compare.nouns import Entry
from promptkit.strategies import STRATEGIES

ALL = "all"


@dataclass(frozen=True)
class Offer:
    """An entry before it has a model.

    Args:
        strategy: Its name in the registry of strategies.
        options: Options of the strategy.
        uses_model: Whether a model is behind it.
        fits: Whether labelled rows change it.
        always: Whether it survives every budget: baselines, zero-shot prompts and features.
        default: Whether it is offered unasked: it lowered the regret that `bench/regret.py`
            measures, or is a baseline.
    """

    strategy: str
    options: Mapping[str, Any] = field(default_factory=dict)
    uses_model: bool = True
    fits: bool = True
    always: bool = False
    default: bool = False


_BATCH, _PRIOR = {"calibration": "batch"}, {"calibration": "prior_matching"}
_NEAREST = {"shots": 8, "selector": "nearest"}

#: In the order of simplicity: what has to be kept, served and understood, the least first.
OFFERS: Mapping[str, Offer] = {
    "majority": Offer("majority", uses_model=False, always=True, default=True),
    "random": Offer("random", uses_model=False, fits=False, always=True, default=True),
    "zero-shot": Offer("in_context", fits=False, always=True, default=True),
    "zero-shot-batch": Offer("in_context", _BATCH, fits=False, always=True, default=True),
    "tfidf": Offer("tfidf", uses_model=False, always=True, default=True),
    "nearest-neighbour": Offer("nearest_neighbour", always=True, default=True),
    "features": Offer("features", always=True, default=True),
    "few-shot": Offer("in_context", {"shots": 8}, default=True),
    "few-shot-batch": Offer("in_context", {"shots": 8, **_BATCH}, default=True),
    # these lower no regret with the in-box encoder (docs/log.md, 2026-11-27)
    "zero-shot-contextual": Offer("in_context", {"calibration": "contextual"}, fits=False),
    "zero-shot-prior": Offer("in_context", _PRIOR, fits=False),
    "few-shot-nearest": Offer("in_context", _NEAREST),
    "few-shot-nearest-prior": Offer("in_context", {**_NEAREST, **_PRIOR}),
    "few-shot-per-class": Offer("in_context", {"shots": 8, "selector": "nearest_per_class"}),
    "head": Offer("head"),
    "contrastive": Offer("contrastive", default=True),
    "bitfit": Offer("bitfit"),
    "lora": Offer("lora"),
    "peft": Offer("peft"),
    "prompt-based": Offer("prompt_based"),
    "top-layers": Offer("top_layers"),
    "full": Offer("full"),
    "instruct": Offer("instruct"),
    "instruct-lora": Offer("instruct", {"way": "lora"}),
    "prompt-tune": Offer("instruct", {"way": "prompt"}),
}


def offered() -> list[str]:
    """The names of `OFFERS`, and behind them the strategies of other packages by their own.

    Nothing of those is known yet, so that none is offered unasked; none is imported here.
    """
    return list(dict.fromkeys([*OFFERS, *(x for x in STRATEGIES if x not in STRATEGIES.built_in)]))


def offer_of(name: str) -> Offer:
    """The offer of that name.

    Raises:
        PromptkitError: It is a strategy of another package that is broken, or that is called as a
            way of `OFFERS` is; the message names the package.
    """
    plugin = STRATEGIES.plugin(name) if name in STRATEGIES else None
    if plugin is None:
        return OFFERS[name]
    if name in OFFERS:
        raise SpecError(
            f"{plugin.told}: compare calls another way {name!r}, which has options of its own; "
            f"{plugin.remedy}"
        )
    return Offer(name, uses_model="model" in takes(name))


def entries_for(names: Sequence[str] | None, models: Sequence[str]) -> list[Entry]:
    """The entries that were asked for, each with each model that it uses.

    Args:
        names: Names of `offered`; None for the default ones, ``["all"]`` for all.
        models: At least one model.

    Raises:
        SpecError: An unknown name; names the nearest one.
    """
    if not models:
        raise SpecError("--models is empty; give at least one, such as minilm")
    known = offered()
    wanted = _wanted(names, known)
    entries = []
    for rank, name in enumerate(known):
        if name not in wanted:
            continue
        offer = offer_of(name)
        served = list(dict.fromkeys(models)) if offer.uses_model else [""]
        for model in served:
            entries.append(
                Entry(
                    name=f"{name} ({model})" if model and len(models) > 1 else name,
                    strategy=offer.strategy,
                    options=dict(offer.options),
                    model=model,
                    rank=rank,
                    fits=offer.fits,
                    always=offer.always,
                )
            )
    return entries


def _wanted(names: Sequence[str] | None, known: Sequence[str]) -> set[str]:
    if names is None:
        return {name for name, offer in OFFERS.items() if offer.default}
    if list(names) == [ALL]:
        return set(known)
    for name in names:
        if name not in known:
            raise SpecError(f"--strategies: no entry {name!r}; {nearest(name, [*known, ALL])}")
    return set(names)
