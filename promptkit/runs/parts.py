"""The parts that ask a frozen model: its backend, who chooses demonstrations, what pools words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from promptkit.backends import BACKENDS
from promptkit.backends.embedding_cache import KeptEncoder
from promptkit.backends.feature_cache import features_home
from promptkit.backends.weights import MINILM
from promptkit.errors import PromptkitError, SpecError
from promptkit.learners import LearnsShots
from promptkit.orders import ORDERS
from promptkit.parsers import PARSERS
from promptkit.prompts import Template
from promptkit.protocols import CanEncode, Order, Selector, Strategy, Verbalizer
from promptkit.registry import parameters_of
from promptkit.runs.caching import cached, responses_for
from promptkit.runs.calibration import NO_ROWS, OwnRows, calibration_for
from promptkit.runs.kinds import STRUCTURED, check_options, of_kind
from promptkit.runs.models import (
    backend_for_spec,
    check_shots,
    described_backend,
    has_encoder,
    load_backend,
)
from promptkit.runs.spec import EvalSpec, flag
from promptkit.selectors import SELECTORS
from promptkit.selectors.copies import copy_key
from promptkit.strategies import STRATEGIES
from promptkit.verbalizers import VERBALIZERS

#: Options of strategy ``generate`` beside what is asked of whom.
WRITING_OPTIONS = (
    "parser",
    "parser_options",
    "samples",
    "temperature",
    "top_p",
    "top_k",
    "max_new_tokens",
    "stop",
    "constrained",
)
#: Selectors that draw nothing, or only where nothing else tells rows apart.
UNDRAWN = ("none", "nearest", "nearest_per_class", "bm25", "mmr", "dpp")
_DEFAULT_SELECTOR = "balanced"


def parts_for(
    asked: EvalSpec, template: Template, shots: int, has_pool: bool
) -> tuple[str, dict[str, Any], Selector, Order | None, Verbalizer]:
    """Backend name and options, selector, order and verbalizer, for rows already in Python."""
    name, options, _ = backend_for_spec(asked, template)
    check_shots(name, shots)
    selector, order = showing(asked, shots, has_pool, name, options)
    return name, options, selector, order, verbalizer_for(asked)


def asking(
    asked: EvalSpec,
    template: Template,
    shots: int,
    has_pool: bool,
    *,
    with_model: bool = True,
    own: OwnRows = NO_ROWS,
) -> Strategy:
    """A strategy that asks a frozen model: labels are scored, or the model writes.

    Without a model it can conclude from evidence, no more.
    """
    check_options(asked, template)
    if template.task.kind in STRUCTURED:
        again = partial(asking, asked, shots=shots, has_pool=has_pool, with_model=with_model)
        return of_kind(template, partial(again, own=own))
    backend, options, located = backend_for_spec(asked, template)
    check_shots(backend, shots)
    responses = responses_for(asked, backend)
    served: Any = BACKENDS.load(backend)
    if with_model:
        described = described_backend(asked, backend, options, located)
        served = cached(
            load_backend(backend, options),
            responses,
            asked=asked,
            template=template,
            described=described,
        )
    selector, order = showing(asked, shots, has_pool, backend, options, with_model=with_model)
    if isinstance(selector, LearnsShots):
        selector.bar({copy_key(row) for row in own.evaluated})
    parts = {
        "template": template,
        "backend": served,
        "selector": selector,
        "shots": shots,
        "order": order,
    }
    if asked.strategy == "generate":
        return STRATEGIES.build("generate", parts | writing_options(asked) | {"seed": asked.seed})
    parts |= {
        "verbalizer": verbalizer_for(asked),
        "calibration": calibration_for(asked, own),
    }
    return STRATEGIES.build("in_context", parts)


def writing_options(asked: EvalSpec) -> dict[str, Any]:
    """How a model writes, as the user said.

    Raises:
        SpecError: An option of scored labels.
    """
    for option in ("verbalizer", "verbalizer_options", "calibration", "calibration_options"):
        if getattr(asked, option) != getattr(EvalSpec(), option):
            raise SpecError(
                f"--{flag(option)} is for labels that are scored, and strategy "
                "'generate' lets the model write: leave it out"
            )
    of_parsers = parser_option_names()
    options = {key: x for key, x in asked.strategy_options.items() if key not in of_parsers}
    read = {key: x for key, x in asked.strategy_options.items() if key in of_parsers}
    if read:
        options["parser_options"] = {**options.get("parser_options", {}), **read}
    return options


def parser_option_names() -> set[str]:
    """Options of parsers, which may stand among those of the strategy: ``pattern=...``."""
    found: set[str] = set()
    for parser in PARSERS:
        try:
            found |= set(parameters_of(PARSERS.load(parser)))
        except PromptkitError:
            continue  # a broken plugin that nobody named: who names it is told
    return found


def verbalizer_for(asked: EvalSpec) -> Verbalizer:
    """What makes evidence about labels out of evidence about words."""
    return VERBALIZERS.build(asked.verbalizer, asked.verbalizer_options)


def described_verbalizer(asked: EvalSpec) -> dict[str, Any]:
    """Its entry in a run's spec; the usual one stands there without a name, as it always has."""
    named = {} if asked.verbalizer == EvalSpec().verbalizer else {"name": asked.verbalizer}
    return {**named, **asked.verbalizer_options}


def selector_for(asked: EvalSpec, shots: int, has_pool: bool) -> tuple[str, dict[str, Any]]:
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
    if not takes_encoder(name):
        SELECTORS.build(name, {**options, "seed": asked.seed})
    return name, options


def order_for(asked: EvalSpec, shots: int) -> str | None:
    """The order's name, checked before anything is loaded; None where shots stay as selected.

    Raises:
        SpecError: No such order, or nothing to arrange.
    """
    ORDERS.load(asked.order)
    if asked.order == EvalSpec().order:
        return None
    if not shots:
        raise SpecError(
            f"--order {asked.order} arranges demonstrations, and the prompts show none: add "
            "--shots, or leave it out"
        )
    return asked.order


def showing(
    asked: EvalSpec,
    shots: int,
    has_pool: bool,
    backend: str,
    options: Mapping[str, Any],
    *,
    with_model: bool = True,
) -> tuple[Selector, Order | None]:
    """Who chooses demonstrations and who arranges them; where both embed, with one encoder.

    Args:
        asked: What the user asked for.
        shots: Demonstrations of a prompt.
        has_pool: Whether there are rows to choose from.
        backend: Which backend serves the model.
        options: Its options.
        with_model: Whether they get the encoder that they may need; without, they cannot be fitted.
    """
    name, chosen = selector_for(asked, shots, has_pool)
    order = order_for(asked, shots)
    chosen |= {"seed": asked.seed}
    arranging: dict[str, Any] = {"seed": asked.seed}
    takers = [chosen] if takes_encoder(name) else []
    takers += [arranging] if order is not None and order_takes_encoder(order) else []
    if takers and with_model:
        encoder = encoder_for(asked, backend, options)
        for taker in takers:
            taker["encoder"] = encoder
    arranger = None if order is None else ORDERS.build(order, arranging)
    return SELECTORS.build(name, chosen), arranger


def takes_encoder(selector: str) -> bool:
    """Whether a selector compares embeddings."""
    return "encoder" in parameters_of(SELECTORS.load(selector))


def order_takes_encoder(order: str) -> bool:
    """Whether an order compares embeddings."""
    return "encoder" in parameters_of(ORDERS.load(order))


def encoder_for(asked: EvalSpec, backend: str, options: Mapping[str, Any]) -> CanEncode:
    """What embeds rows: the backend itself where it can, else the in-box encoder.

    What a model embeds is kept on disk for the next run, unless nothing is to be kept.
    """
    name, own = (backend, options) if has_encoder(backend) else ("embedding", {"model": MINILM})
    encoder: Any = load_backend(name, own)
    if name == "embedding":
        kept = asked.cache is not False and not asked.fresh
        folder = features_home() if kept else None
        encoder = KeptEncoder(encoder, encoder.vectors_identity, folder)
    embeds: CanEncode = encoder
    return embeds
