"""The parts that ask a frozen model: its backend, who chooses demonstrations, what pools words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.backends import BACKENDS
from promptkit.backends.weights import MINILM
from promptkit.calibration import CALIBRATORS
from promptkit.errors import SpecError
from promptkit.parsers import PARSERS
from promptkit.prompts import Template
from promptkit.protocols import Calibrator, Selector, Strategy, Verbalizer
from promptkit.registry import parameters_of
from promptkit.runs.caching import cached, responses_for
from promptkit.runs.models import (
    backend_for_spec,
    check_shots,
    described_backend,
    has_encoder,
    load_backend,
)
from promptkit.runs.spec import EvalSpec
from promptkit.selectors import SELECTORS
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
_DEFAULT_SELECTOR = "balanced"


def parts_for(
    asked: EvalSpec, template: Template, shots: int, has_pool: bool
) -> tuple[str, dict[str, Any], Selector, Verbalizer]:
    """Backend name and options, selector and verbalizer, for rows that are already in Python."""
    name, options, _ = backend_for_spec(asked, template)
    check_shots(name, shots)
    chosen, selector_options = selector_for(asked, shots, has_pool)
    selector_options |= embedding_for(chosen, name, options)
    selector = SELECTORS.build(chosen, {**selector_options, "seed": asked.seed})
    return name, options, selector, VERBALIZERS.build("words", asked.verbalizer_options)


def asking(
    asked: EvalSpec, template: Template, shots: int, has_pool: bool, *, with_model: bool = True
) -> Strategy:
    """A strategy that asks a frozen model: labels are scored, or the model writes.

    Without a model it can conclude from evidence, no more.
    """
    backend, options, located = backend_for_spec(asked, template)
    check_shots(backend, shots)
    name, chosen = selector_for(asked, shots, has_pool)
    chosen |= {"seed": asked.seed}
    responses = responses_for(asked, backend)
    served: Any = BACKENDS.load(backend)
    if with_model:
        chosen |= embedding_for(name, backend, options)
        described = described_backend(asked, backend, options, located)
        served = cached(
            load_backend(backend, options),
            responses,
            asked=asked,
            template=template,
            described=described,
        )
    parts = {
        "template": template,
        "backend": served,
        "selector": SELECTORS.build(name, chosen),
        "shots": shots,
    }
    if asked.strategy == "generate":
        return STRATEGIES.build("generate", parts | writing_options(asked) | {"seed": asked.seed})
    parts |= {
        "verbalizer": VERBALIZERS.build("words", asked.verbalizer_options),
        "calibrator": calibrator_for(asked.calibration),
        "calibration": asked.calibration,
    }
    return STRATEGIES.build("in_context", parts)


def writing_options(asked: EvalSpec) -> dict[str, Any]:
    """How a model writes, as the user said.

    Raises:
        SpecError: An option of scored labels.
    """
    for option in ("verbalizer_options", "calibration"):
        if getattr(asked, option) != getattr(EvalSpec(), option):
            raise SpecError(
                f"--{option.replace('_', '-')} is for labels that are scored, and strategy "
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
    return {name for parser in PARSERS for name in parameters_of(PARSERS.load(parser))}


def calibrator_for(name: str) -> Calibrator | None:
    """The calibrator of that name; None for ``none``, which leaves evidence as it is."""
    calibrator = CALIBRATORS.build(name, {})
    return None if name == "none" else calibrator


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


def takes_encoder(selector: str) -> bool:
    """Whether a selector compares embeddings."""
    return "encoder" in parameters_of(SELECTORS.load(selector))


def embedding_for(selector: str, backend: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The option that gives a selector its encoder, where it takes one."""
    if not takes_encoder(selector):
        return {}
    if has_encoder(backend):
        return {"encoder": load_backend(backend, options)}
    return {"encoder": load_backend("embedding", {"model": MINILM})}
