"""Which prompts an ensemble is made of: templates, draws of demonstrations, orders of labels."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

from promptkit.backends import BACKENDS
from promptkit.errors import SpecError
from promptkit.prompts import Template
from promptkit.prompts.permutation import listed
from promptkit.protocols import Strategy
from promptkit.runs.calibration import NO_ROWS, OwnRows
from promptkit.runs.method import Method, prompting
from promptkit.runs.models import backend_for_spec
from promptkit.runs.parts import UNDRAWN, selector_for
from promptkit.runs.spec import EvalSpec
from promptkit.runs.templates_alike import distinct, templates_alike
from promptkit.strategies.ensemble import Ensemble
from promptkit.types import Example


def is_ensemble(asked: EvalSpec) -> bool:
    """Whether each row is asked about in several ways, and answered once."""
    return bool(asked.templates) or asked.draws > 1 or asked.permutations > 1


def members_of(
    asked: EvalSpec, template: Template, has_pool: bool
) -> list[tuple[EvalSpec, Template]]:
    """What is asked for, and with which template, for every member.

    Raises:
        SpecError: Draws where nothing is drawn, an order of what is not listed, a template of
            another task, or nothing that differs.
    """
    shots = template.keys.shots if asked.shots is None else asked.shots
    selector = selector_for(asked, shots, has_pool)[0]
    if asked.draws > 1 and selector in UNDRAWN:
        why = "prompts show none; add --shots" if not shots else f"selector {selector!r} draws none"
        raise SpecError(f"--draws {asked.draws}: {why}, so that each draw would be the same")
    found = [
        (asked.model_copy(update={"shots": shots, "seed": asked.seed + draw}), turned)
        for one in _templates(asked, template, shots)
        for draw, turned in product(range(asked.draws), _turned(one, asked.permutations))
    ]
    if len(found) < 2:
        raise SpecError(
            f"--templates {','.join(asked.templates)}: this model reads the same in each of them; "
            "name others, or leave it out"
        )
    return found


def ensembling(
    asked: EvalSpec, template: Template, has_pool: bool, own: OwnRows = NO_ROWS
) -> Method:
    """Several prompts as one method.

    Raises:
        SpecError: See `members_of`; or a strategy that lets the model write.
    """
    if asked.strategy == "generate":
        raise SpecError(
            "strategy 'generate' answers with texts: take several with --option samples=5, and "
            "leave out --templates, --draws and --permutations"
        )
    asked_for = members_of(asked, template, has_pool)
    members = [prompting(one, own_template, has_pool, own) for one, own_template in asked_for]

    def make(with_model: bool) -> Strategy:
        parts = [member.make(with_model) for member in members]
        return Ensemble(parts, template.labels_of, asked.ensemble)

    first = members[0]
    told = f"each row is asked about in {len(members)} ways, and answered by their {asked.ensemble}"
    return replace(
        first,
        strategy={
            "name": "ensemble",
            "how": asked.ensemble,
            "members": [_named(member, first) for member in members],
        },
        seed=asked.seed if any(member.seed for member in members) else 0,
        make=make,
        notes=(*first.notes, told),
    )


def _templates(asked: EvalSpec, template: Template, shots: int) -> list[Template]:
    """Templates that this model can tell apart, the one that was asked for first."""
    if not asked.templates:
        return [template]
    labels = template.task.labels
    found = templates_alike(template, asked.templates, chat_told=asked.chat is not None)
    settled = [one.with_labels(labels) if labels else one for one in found[1:]]
    fields: dict[str, Any] = dict.fromkeys(template.task.fields, "x")
    if template.choosing:
        fields[str(template.task.choices)] = ["x", "y"]
    row = Example("x", fields, labels[0] if labels else 0)
    reads = BACKENDS.load(backend_for_spec(asked, template)[0]).reads
    return distinct([template, *settled], row, reads, shown=bool(shots))[0]


def _turned(template: Template, n: int) -> list[Template]:
    """The template with so many orders of its labels; fewer where it has fewer."""
    if n == 1:
        return [template]
    k = len(template.task.labels)
    orders: dict[object, int] = {}
    for number in range(1, 50 * n):
        orders.setdefault(listed(k, number) if k else number, number)
        if len(orders) == n:
            break
    return [template.permuted(number) for number in orders.values()]


def _named(member: Method, first: Method) -> dict[str, Any]:
    """A member in a run's spec: what it has of its own beside the model."""
    backend = {} if member.backend == first.backend else {"backend": dict(member.backend)}
    return {**member.strategy, "template": dict(member.template), "seed": member.seed, **backend}
