"""What ``--abstain``, ``--conformal`` and ``--out-of-scope`` ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from promptkit.errors import SpecError
from promptkit.metrics.conformal import Method
from promptkit.metrics.selective import Goal
from promptkit.runs.spec import EvalSpec
from promptkit.types import Scalar

_GOALS: dict[str, Goal] = {
    "": "accuracy",
    "accuracy": "accuracy",
    "empirical accuracy": "empirical accuracy",
    "coverage": "coverage",
}
_METHODS: dict[str, Method] = {"": "least", "least": "least", "adaptive": "adaptive"}


@dataclass(frozen=True)
class Wishes:
    """What was asked for.

    Args:
        abstain: How much of what the answered rows are to have.
        conformal: How often a label set is to hold the right label, and what kind of set.
        out_of_scope: The gold label of rows of none of the labels.
    """

    abstain: tuple[float, Goal] | None = None
    conformal: tuple[float, Method] | None = None
    out_of_scope: Scalar | None = None

    def __bool__(self) -> bool:
        wished = (self.abstain, self.conformal, self.out_of_scope)
        return any(one is not None for one in wished)


def wishes_of(asked: EvalSpec) -> Wishes:
    """What the options say, checked.

    Raises:
        SpecError: One that cannot be read, or several draws.
    """
    wishes = Wishes(
        None if asked.abstain is None else _amount("--abstain", asked.abstain, _GOALS),
        None if asked.conformal is None else _amount("--conformal", asked.conformal, _METHODS),
        asked.out_of_scope,
    )
    if wishes and asked.seeds > 1:
        names = ("abstain", "conformal", "out_of_scope")
        given = next(name for name in names if getattr(wishes, name) is not None)
        raise SpecError(f"--{given.replace('_', '-')} is for one draw; leave out --seeds")
    return wishes


def _amount(option: str, said: str, kinds: dict[str, Any]) -> tuple[float, Any]:
    """``0.9 accuracy`` as a share and a kind."""
    number, _, kind = said.strip().partition(" ")
    kind = " ".join(kind.split())
    try:
        amount = float(number)
    except ValueError:
        amount = -1.0
    if not 0 < amount < 1 or kind not in kinds:
        forms = ", ".join(f"'0.9 {name}'".replace(" '", "'") for name in kinds)
        raise SpecError(
            f"{option} {said!r}: write a share between 0 and 1 and what it is of: {forms}"
        )
    return amount, kinds[kind]
