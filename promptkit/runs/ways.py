"""In which ways a model can be asked the same: templates, draws, orders of shots and of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from promptkit.backends import BACKENDS
from promptkit.errors import DataError, SpecError
from promptkit.prompts import Template, template_paths
from promptkit.prompts.permutation import listed
from promptkit.runs.adapt import is_learned, prompting_as, suited
from promptkit.runs.build import build
from promptkit.runs.manifest import is_saved
from promptkit.runs.models import backend_for_spec
from promptkit.runs.parts import UNDRAWN
from promptkit.runs.spec import EvalSpec
from promptkit.runs.templates_alike import ALL, distinct, templates_alike
from promptkit.runs.trial import Trial

#: Levels of a factor, unless the user says otherwise.
TEMPLATES, DRAWS, PERMUTATIONS = 4, 3, 3
#: Orders of demonstrations that need no model, beside the one that was asked for.
ORDERS = ("as_selected", "interleaved", "random")
ORDER = "order of demonstrations"


@dataclass(frozen=True)
class Factor:
    """Something that is varied.

    Args:
        key: The key of an eval spec that says it.
        word: What it is called.
        levels: The values of that key, the one that was asked for first.
        names: What they are called.
    """

    key: str
    word: str
    levels: tuple[Any, ...]
    names: tuple[str, ...]

    def first(self, n: int) -> Factor:
        """The same with so many levels."""
        return replace(self, levels=self.levels[:n], names=self.names[:n])


@dataclass(frozen=True)
class Ways:
    """What is varied around what was asked for.

    Args:
        asked: What was asked for, with data and shots as the template says: another template must
            not change them.
        template: Its template, labels settled.
        factors: What is varied, each with two levels or more.
        left_out: What is not varied, and why.
        notes: Facts that a reader must know.
    """

    asked: EvalSpec
    template: Template
    factors: tuple[Factor, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    def asked_at(self, places: Sequence[int]) -> EvalSpec:
        """What is asked for at these levels, one of each factor."""
        chosen = {
            factor.key: factor.levels[place]
            for factor, place in zip(self.factors, places, strict=True)
        }
        return self.asked.model_copy(update=chosen)


def ways_of(asked: EvalSpec) -> Ways:
    """What can be varied, within the number of runs that was asked for.

    Raises:
        SpecError: Nothing can; or the strategy learns, or a template does not fit.
        PromptkitError: What was asked for cannot be run at all.
    """
    _check(asked)
    base = build(asked.model_copy(update={"templates": []}))
    template = base.template
    if all(gold is None for gold in base.golds):
        raise DataError(f"{base.data.origin}: no row has a label, so that nothing can be scored")
    asked = prompting_as(suited(asked, template))
    shots = int(base.spec.strategy.get("shots") or 0)
    pinned: dict[str, Any] = {"data": asked.data or template.keys.data, "shots": shots}
    pinned |= {"seeds": 1, "templates": [], "robustness": False}
    found: list[Factor] = []
    left_out: list[str] = []
    templates, notes = _templates(asked, base, shots)
    reads = _reads(asked, template)
    for factor, why in (
        _of_templates(templates),
        _of_draws(asked, base, shots),
        _of_orders(asked, shots, reads),
        _of_labels(asked, templates, reads),
    ):
        if len(factor.levels) > 1:
            found.append(factor)
        else:
            left_out.append(f"{factor.word}: {why}")
    if not found:
        raise SpecError(f"--robustness: nothing can be varied here ({'; '.join(left_out)})")
    kept, told = bounded(found, asked.robustness_runs)
    return Ways(
        asked.model_copy(update=pinned),
        template,
        tuple(one for one in kept if len(one.levels) > 1),
        (*left_out, *(f"{one.word}: {told}" for one in kept if len(one.levels) < 2)),
        (*notes, *([told] if told else [])),
    )


def bounded(factors: Sequence[Factor], n: int) -> tuple[list[Factor], str]:
    """Factors whose combinations are at most n, and what was taken off.

    A level at a time is taken off the factor with the most; of several the last one.
    """
    sizes = [len(factor.levels) for factor in factors]
    while prod(sizes) > n:
        most = max(range(len(sizes)), key=lambda place: (sizes[place], place))
        sizes[most] -= 1
    whole = [len(factor.levels) for factor in factors]
    if sizes == whole:
        return list(factors), ""
    off = [
        f"{size} of {all_} for {factor.word}"
        for factor, size, all_ in zip(factors, sizes, whole, strict=True)
        if size < all_
    ]
    told = (
        f"{prod(whole)} combinations are more than --robustness-runs {n}: levels were taken "
        f"off ({', '.join(off)})"
    )
    return [one.first(size) for one, size in zip(factors, sizes, strict=True)], told


def _check(asked: EvalSpec) -> None:
    if is_learned(asked.strategy):
        raise SpecError(
            f"--robustness varies how a model is asked, and strategy {asked.strategy!r} learns "
            "from rows instead; see how far its fits differ with --seeds 5"
        )
    if is_saved(asked.model):
        raise SpecError(
            f"--robustness: {asked.model} is a saved model, whose prompts are settled; give the "
            "model that it stands on"
        )
    if asked.template is None:
        raise SpecError("--robustness needs a template to begin with; add --template NAME")


def _templates(asked: EvalSpec, base: Trial, shots: int) -> tuple[list[Template], list[str]]:
    """Templates that this model can tell apart, the one that was asked for first."""
    names = asked.templates or [ALL]
    found = templates_alike(base.template, names, chat_told=asked.chat is not None)
    labels = base.template.task.labels
    settled = [one.with_labels(labels) if labels else one for one in found[1:]]
    row = next((row for row in base.data if row.label is not None), base.data.examples[0])
    reads = _reads(asked, base.template)
    shown = bool(shots) and row.label is not None
    kept, same = distinct([base.template, *settled], row, reads, shown=shown)
    notes = [
        f"template {name} is left out: this model reads the same in it as in {first}"
        for name, first in same
    ]
    if not asked.templates and base.template.lists and reads == "text":
        without = [one for one in kept if not one.lists]
        kept = [one for one in kept if one.lists]
        notes += [
            f"template {one.name} is left out: it lists no {_listed(one)}, whose order is varied; "
            f"--templates {one.name} varies that and not the order"
            for one in without
        ]
    if not asked.templates and len(kept) > TEMPLATES:
        rest = ", ".join(one.name for one in kept[TEMPLATES:])
        notes.append(f"{TEMPLATES} templates are asked with; --templates all adds {rest}")
        kept = kept[:TEMPLATES]
    return kept, notes


def _reads(asked: EvalSpec, template: Template) -> Any:
    return BACKENDS.load(backend_for_spec(asked, template)[0]).reads


def _of_templates(templates: Sequence[Template]) -> tuple[Factor, str]:
    why = "no other in the box has this task, fields and labels; name some with --templates"
    levels = tuple(_reference(one) for one in templates)
    return Factor("template", "template", levels, tuple(one.name for one in templates)), why


def _reference(template: Template) -> str:
    """How a template is called in an eval spec: its name in the box, or its path."""
    own = template_paths().get(template.name)
    return template.name if own and str(own) == str(template.path) else str(template.path)


def _of_draws(asked: EvalSpec, base: Trial, shots: int) -> tuple[Factor, str]:
    strategy = base.spec.strategy
    selector = strategy.get("selector") or {}
    drawing = bool(shots) and selector.get("name") not in UNDRAWN and not selector.get("ids")
    sampling = bool(strategy.get("temperature"))  # a model that writes draws its samples
    why = "prompts show none; add --shots"
    if shots and not drawing:
        why = f"selector {selector.get('name')} draws none; --selector balanced does"
    drawn = ["demonstrations"] if drawing or not sampling else []
    word = " and ".join([*drawn, *(["samples"] if sampling else [])])
    n = asked.seeds if asked.seeds > 1 else DRAWS
    n = n if drawing or sampling else 1
    seeds = tuple(range(asked.seed, asked.seed + n))
    return Factor("seed", f"draw of {word}", seeds, tuple(f"seed {one}" for one in seeds)), why


def _of_orders(asked: EvalSpec, shots: int, reads: str) -> tuple[Factor, str]:
    levels = tuple(dict.fromkeys((asked.order, *ORDERS)))[: len(ORDERS)]
    why = "prompts show less than two; add --shots"
    if reads == "statements":
        why = "this model compares statements, and demonstrations have no order in that"
    if shots < 2 or reads == "statements":
        levels = levels[:1]
    return Factor("order", ORDER, levels, levels), why


def _of_labels(asked: EvalSpec, templates: Sequence[Template], reads: str) -> tuple[Factor, str]:
    told = asked.permutation
    chosen: tuple[int, ...] = (told,)
    without = [one.name for one in templates if not one.lists]
    what = _listed(templates[0])
    why = f"template {without[0]} lists no {what}" if without else ""
    if reads == "statements":
        why = f"this model compares statements, and reads no list of {what}"
    elif not without:
        chosen = _orders_of(told, len(templates[0].task.labels))
    names = tuple(f"order {one}" if one else "as written" for one in chosen)
    return Factor("permutation", "label order", chosen, names), why


def _listed(template: Template) -> str:
    return "choices" if template.choosing else "labels"


def _orders_of(told: int, k: int) -> tuple[int, ...]:
    """Numbers of orders that differ, the one that was asked for first; 2 labels have two."""
    if not k:  # each row brings its own choices, and its own draw
        return tuple(dict.fromkeys((told, *range(PERMUTATIONS))))[:PERMUTATIONS]
    found: dict[tuple[int, ...], int] = {}
    for number in (told, *range(50)):
        found.setdefault(listed(k, number), number)
    return tuple(found.values())[:PERMUTATIONS]
