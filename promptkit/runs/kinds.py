"""What a kind of task asks of a strategy: labels one by one, a mean, or words one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from promptkit.errors import CapabilityError, SpecError
from promptkit.metrics import (
    Report,
    evaluate,
    evaluate_ratings,
    evaluate_sets,
    evaluate_tags,
    evaluate_written,
    metrics_named,
)
from promptkit.prompts import Template
from promptkit.prompts.parts_asked import label_template, rating_template, word_template
from promptkit.protocols import Strategy
from promptkit.runs.spec import EvalSpec, flag
from promptkit.strategies.binary_relevance import BinaryRelevance
from promptkit.strategies.rated import Rated
from promptkit.strategies.word_by_word import WordByWord
from promptkit.types import Prediction, Value

if TYPE_CHECKING:
    from promptkit.strategies.units import Unit

#: Kinds whose rows do not have one label of a fixed set; parts of promptkit that need one say so.
STRUCTURED = ("multilabel", "rate", "tag")
#: Options of rows with one label each.
ONE_LABEL_ONLY = (
    "calibration",
    "verbalizer",
    "order",
    "templates",
    "draws",
    "permutations",
    "out_of_scope",
)
#: Strategies that would tune a whole model for each label.
ONE_MODEL_A_LABEL = ("instruct", "preference", "prompt_based", "self_training", "two_stage")


def of_kind(template: Template, make: Callable[[Template], Strategy]) -> Strategy:
    """A strategy for a task of any kind, out of ones that give a row one label.

    Args:
        template: Its labels settled.
        make: Builds a strategy for a template of kind ``classify`` (or ``choose``, ``generate``).
    """
    task = template.task
    if task.kind == "multilabel":
        return BinaryRelevance({one: make(label_template(template, one)) for one in task.labels})
    if task.kind == "tag":
        return WordByWord(make(word_template(template)), str(task.words))
    if task.kind == "rate":
        return Rated(make(rating_template(template)), task.labels)
    return make(template)


def unit_of(template: Template) -> Unit | None:
    """What of a row has a label, for strategies that can be told; None where rows have one each."""
    if template.task.kind not in ("multilabel", "tag"):
        return None
    from promptkit.strategies.units import SeveralLabels
    from promptkit.strategies.word_units import Words

    if template.task.kind == "multilabel":
        return SeveralLabels()
    return Words(str(template.task.words))


def need_single_labels(template: Template, what: str) -> None:
    """Raise `CapabilityError` where rows do not have one label of a fixed set.

    Args:
        template: Of the task.
        what: What needs them, as the start of a sentence.
    """
    if template.task.kind in STRUCTURED:
        raise CapabilityError(
            f"{what} is for rows with one label, and template {template.name!r} is of kind "
            f"{template.task.kind!r}; leave it out"
        )


def report_of(
    template: Template,
    golds: Sequence[Value | None],
    predictions: Sequence[Prediction],
    known: Sequence[Value | None] | None,
) -> Report:
    """How good predictions are, in the metrics of the kind of task.

    Args:
        template: Of the task.
        golds: Gold labels in the task's terms.
        predictions: One per row.
        known: Those of the training rows, for baselines; None where there are none.
    """
    task, labels = template.keys.task, template.task.labels
    if template.writing:
        metrics = metrics_named(task.metrics, task.tolerance or 0.0)
        return evaluate_written(golds, predictions, metrics, train_golds=known)
    kinds = {"multilabel": evaluate_sets, "rate": evaluate_ratings, "tag": evaluate_tags}
    score = kinds.get(task.kind, evaluate)
    return score(golds, predictions, labels, train_labels=known)


def check_options(asked: EvalSpec, template: Template) -> None:
    """Raise `CapabilityError` where something is asked for that is for rows with one label each."""
    usual = EvalSpec()
    for name in ONE_LABEL_ONLY:
        if getattr(asked, name) != getattr(usual, name):
            need_single_labels(template, f"--{flag(name)}")


def check_strategy(name: str, template: Template, taggers: Sequence[str]) -> None:
    """Refuse a strategy that does not do a kind of task.

    Args:
        name: Of the strategy.
        template: Of the task.
        taggers: Strategies that tag words.

    Raises:
        SpecError: It does not tag words.
        CapabilityError: It would tune a whole model for each label.
    """
    if template.task.kind == "tag" and name not in taggers:
        raise SpecError(
            f"strategy {name!r} does not tag words; these do: {', '.join(sorted(taggers))}"
        )
    if template.task.kind == "multilabel" and name in ONE_MODEL_A_LABEL:
        need_single_labels(template, f"strategy {name!r}")
