"""Any strategy by its name, built from the few things that all of them need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

from promptkit.errors import CapabilityError, SpecError, nearest
from promptkit.prompts import Template
from promptkit.prompts.label_rows import label_rows
from promptkit.prompts.yamlfile import YamlFile, validate
from promptkit.protocols import Strategy
from promptkit.registry import parameters_of
from promptkit.runs.kinds import STRUCTURED, check_strategy, of_kind, unit_of
from promptkit.runs.parts import WRITING_OPTIONS, asking, parser_option_names
from promptkit.runs.spec import EvalSpec
from promptkit.strategies import STRATEGIES, TAGGERS
from promptkit.strategies.reading import Reading
from promptkit.types import Example, Scalar

IN_CONTEXT, GENERATE = "in_context", "generate"
#: Strategies that ask a frozen model.
ASKING = (IN_CONTEXT, GENERATE)
#: Strategies that read a row through the template, whatever is said.
PROMPTED = (*ASKING, "instruct", "preference", "prompt_based")
#: Strategies that tag words.
TAGGING = (
    *ASKING,
    "majority",
    "random",
    "tfidf",
    "full",
    "lora",
    "top_layers",
    "bitfit",
    "peft",
    *TAGGERS,
)
#: Option of strategies that may learn from the template's statements beside the rows.
STATEMENTS = "statements"
#: Options that name a file of rows without labels, for strategies that learn from such.
ROW_OPTIONS = ("unlabelled",)
#: What strategies that ask take as options; they are the keys of an eval spec.
ASKING_OPTIONS = (
    "shots",
    "selector",
    "selector_options",
    "order",
    "verbalizer",
    "verbalizer_options",
    "calibration",
    "calibration_options",
    "calibration_rows",
    "chat_template_kwargs",
    "backend",
    "backend_options",
)


def is_learned(name: str) -> bool:
    """Whether a strategy learns from rows, rather than asking a frozen model.

    Raises:
        SpecError: No strategy has that name.
    """
    if name not in STRATEGIES:
        raise SpecError(f"no strategy named {name!r}; {nearest(name, STRATEGIES)}")
    return name not in ASKING


def suited(asked: EvalSpec, template: Template) -> EvalSpec:
    """The same, where nobody chose a strategy, with one that the template's task needs."""
    if template.writing and asked.strategy == IN_CONTEXT:
        return asked.model_copy(update={"strategy": GENERATE})
    return asked


def make_strategy(
    name: str,
    *,
    template: Template,
    labels: Sequence[Scalar] = (),
    reading: Reading | None = None,
    model: str = "minilm",
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "auto",
    batch_size: int | Literal["auto"] = "auto",
    shots: int = 0,
    selector: str | None = None,
    backend: str = "auto",
    has_pool: bool = True,
    with_model: bool = True,
    rows: Mapping[str, Sequence[Example]] | None = None,
) -> Strategy:
    """Build a strategy; a learned one loads no model before it is fitted.

    Args:
        name: Its name in the registry.
        template: How the task is put, its labels settled.
        labels: The labels in the order of every (k,) array; the template's by default.
        reading: How a learned strategy reads a row; by default the row's own text, or the
            template's prompt with the option ``reading: prompt``.
        model: ``minilm``, a folder, or a hub id.
        options: The strategy's own options; for ``in_context`` those of `IN_CONTEXT_OPTIONS`.
        seed: Seed of every random choice.
        device: Where the model runs.
        dtype: Number format of the model.
        batch_size: Sequences of a batch of ``in_context``; learned strategies have their own.
        shots: Demonstrations of a prompt, for ``in_context``.
        selector: Who chooses them, for ``in_context``.
        backend: Which backend serves the model, for ``in_context``.
        has_pool: Whether there will be rows to take demonstrations from.
        with_model: Whether ``in_context`` gets its model; without, it can conclude and no more.
        rows: What stands in the files that options name, see `ROW_OPTIONS`; none for a strategy
            that will not be fitted.

    Raises:
        SpecError: No such strategy, or an option that it does not have; names the nearest one.
        CapabilityError: The template's rows bring their own choices, and the strategy learns a
            fixed set of labels.
    """
    own = dict(options or {})
    if not is_learned(name):
        name = GENERATE if template.writing else name
        keys = {"shots": shots, "selector": selector, "backend": backend, "model": model}
        keys |= {"seed": seed, "device": device, "dtype": dtype, "batch_size": batch_size}
        given = EvalSpec(template=template.name, strategy_options=own)
        keys |= {"strategy": name}
        asked = prompting_as(validate(EvalSpec, YamlFile(name, given.model_dump() | keys)))
        return asking(asked, template, asked.shots or 0, has_pool, with_model=with_model)
    tagger = template.task.kind == "tag" and name in TAGGERS
    registry = TAGGERS if tagger else STRATEGIES
    taken = frozenset(parameters_of(registry.load(name)))
    unit = unit_of(template) if "unit" in taken else None
    if template.task.kind in STRUCTURED and unit is None and not tagger:
        check_strategy(name, template, TAGGING)
        build = partial(make_strategy, name, model=model, options=own, seed=seed, device=device)
        build = partial(build, dtype=dtype, reading=_part_reading(template, own, reading))
        return of_kind(template, lambda part: build(template=part))
    handed: dict[str, Any] = {"labels": tuple(labels or template.task.labels)}
    handed |= {"template": template, "model": model, "seed": seed, "device": device, "dtype": dtype}
    handed |= {} if unit is None else {"unit": unit}
    handed |= {"words": template.task.words} if tagger else {}
    if "reading" in taken:
        handed["reading"] = _reading(name, template, own, reading)
    if "label_rows" in taken:
        handed["label_rows"] = _label_rows(name, template, own)
    files = [key for key in ROW_OPTIONS if isinstance(own.get(key), str)]
    own |= {key: (rows or {}).get(key, ()) for key in files}
    for key in own:
        if key in handed:
            use = repr(STATEMENTS) if key == "label_rows" else f"--{key}"
            raise SpecError(f"strategy {name!r}: {key!r} is no option of it; use {use}")
    return registry.build(name, own | {key: value for key, value in handed.items() if key in taken})


def prompting_as(asked: EvalSpec) -> EvalSpec:
    """An eval spec of a strategy that asks, its ``strategy_options`` taken up as keys of their own.

    Those that say how a model writes stay where they are.

    Raises:
        SpecError: An option that it does not have, or a value of the wrong kind.
    """
    own: tuple[str, ...] = ()
    if asked.strategy == GENERATE:
        own = (*WRITING_OPTIONS, *sorted(parser_option_names()))
    for key in asked.strategy_options:
        if key not in (*own, *ASKING_OPTIONS):
            raise SpecError(
                f"strategy {asked.strategy!r} has no option {key!r}; "
                f"{nearest(key, (*own, *ASKING_OPTIONS))}"
            )
    taken = {key: value for key, value in asked.strategy_options.items() if key not in own}
    if not taken:
        return asked
    rest = {key: value for key, value in asked.strategy_options.items() if key in own}
    keys = asked.model_dump() | {"strategy_options": rest} | taken
    return validate(EvalSpec, YamlFile(f"strategy {asked.strategy!r}", keys))


def takes(name: str) -> frozenset[str]:
    """The names of what a strategy's class is built from."""
    return frozenset(parameters_of(STRATEGIES.load(name)))


def reads_template(name: str) -> bool:
    """Whether a strategy reads a row through the template, whatever is said.

    One of another package may, where it takes the template.
    """
    return name in PROMPTED or (STRATEGIES.plugin(name) is not None and "template" in takes(name))


def uses_model(name: str, options: Mapping[str, Any] | None = None) -> bool:
    """Whether a strategy stands on a pre-trained model."""
    if not is_learned(name):
        return (options or {}).get("backend") != "fake"
    return "model" in takes(name)


def _label_rows(name: str, template: Template, options: dict[str, Any]) -> tuple[Example, ...]:
    """The template's statements as rows; takes the option ``statements`` out of the others."""
    said = options.pop(STATEMENTS, True)
    if not isinstance(said, bool):
        raise SpecError(
            f"strategy {name!r}: {STATEMENTS} is true (what the template says about labels is "
            f"learned too) or false, got {said!r}"
        )
    return label_rows(template) if said else ()


def _part_reading(
    template: Template, options: Mapping[str, Any], reading: Reading | None
) -> Reading | None:
    """What a learned strategy reads of a part: the row's own text, or of words the word.

    None where it reads the template's prompt.
    """
    if options.get("reading") == "prompt":
        return None
    if template.task.kind == "tag":
        return Reading(("token",))
    return reading or Reading(template.task.fields)


def _reading(
    name: str, template: Template, options: dict[str, Any], reading: Reading | None
) -> Reading:
    """How rows are read; takes the option ``reading`` out of the others."""
    if template.choosing:
        raise CapabilityError(
            f"strategy {name!r} learns a fixed set of labels, and each row of template "
            f"{template.name!r} brings its own choices; use --strategy in_context"
        )
    if template.writing:
        raise CapabilityError(
            f"strategy {name!r} learns a fixed set of labels, and template {template.name!r} is "
            "answered by a text; use --strategy generate"
        )
    said = options.pop("reading", None)
    if said not in (None, "text", "prompt"):
        raise SpecError(
            f"strategy {name!r}: reading is 'text' (the row's own) or 'prompt' (the template's), "
            f"got {said!r}; {nearest(said, ('text', 'prompt'))}"
        )
    if reading is not None and said is None:
        return reading
    return Reading(template.task.fields, template if said == "prompt" else None)
