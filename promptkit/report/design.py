"""What was compared on what, in words: the head of plans and comparisons."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.report.figures import allowed_time, rows
from promptkit.report.plain import LABEL_WIDTH, naming, plain, shorten
from promptkit.runs.compare.nouns import Plan, Size, size_name
from promptkit.types import Scalar

#: Labels that are named; of more, the first ones and their number.
LABELS_NAMED = 6


def plan_facts(plan: Plan) -> list[tuple[str, str]]:
    """Names and values: data, labels, design, sizes and what can be shown."""
    models = list(dict.fromkeys(entry.model for entry in plan.entries if entry.model))
    facts = [
        ("data", f"{plain(plan.data)}, {rows(plan.n_rows).replace(' row', ' labelled row')}"),
        ("labels", labels_text(plan.labels)),
        ("design", design_text(plan)),
        ("sizes", f"{sizes_text(plan.sizes)} labelled rows"),
        ("models" if len(models) > 1 else "model", "\n".join(map(plain, models))),
        ("can show", detectable_text(plan)),
    ]
    return [(name, value) for name, value in facts if value]


def design_text(plan: Plan) -> str:
    """Such as ``5-fold cross-validation, 3 times``."""
    if plan.design == "cv":
        return f"{plan.folds}-fold cross-validation, {_times(plan.repeats)}"
    draws = "1 draw" if plan.repeats == 1 else f"{plan.repeats} draws"
    return f"test set of {rows(plan.n_held)}, {draws} of the labelled rows"


def detectable_text(plan: Plan) -> str:
    """The smallest difference that these rows can show."""
    if plan.detectable is None:
        return "no differences of accuracy: the rows are too few for a test"
    return f"differences of accuracy from about {plan.detectable:.3f} on"


def labels_text(labels: Sequence[Scalar]) -> str:
    """Their number and the first of them."""
    name = naming(labels)
    told = [shorten(name(label), LABEL_WIDTH) for label in labels[:LABELS_NAMED]]
    rest = len(labels) - len(told)
    return f"{len(labels)}: {', '.join(told)}" + (f" and {rest} more" if rest else "")


def sizes_text(sizes: Sequence[Size]) -> str:
    """Such as ``0, 8, 32 and all``."""
    return listed([size_name(size) for size in sizes])


def listed(words: Sequence[str]) -> str:
    """Words with commas, and ``and`` before the last.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def budget_text(plan: Plan) -> str:
    """The budget, or that there is none."""
    return "none" if plan.budget_seconds is None else allowed_time(plan.budget_seconds)


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")
