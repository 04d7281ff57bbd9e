"""The same prompts on several backends, or on one in several ways: do they say the same?

One after the other answers all rows, so that two models need not fit into memory together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from promptkit.errors import BackendError, CapabilityError, DataError
from promptkit.prompts.yamlfile import YamlFile, validate
from promptkit.runs.build import build
from promptkit.runs.models import forget_backends
from promptkit.runs.spec import EvalSpec
from promptkit.runs.trial import Trial
from promptkit.strategies.in_context import InContext
from promptkit.types import Evidence, Prediction, Value, flat

#: Rows that are told of each pair, those that differ most.
WORST_SHOWN = 5
#: What of a variant is asked for under its own name; the rest are options of the backend.
_OWN = ("model", "dtype", "device", "batch_size")


@dataclass(frozen=True)
class Variant:
    """A backend and how it serves the model.

    Args:
        name: As the user wrote it, such as ``hf:dtype=bfloat16``.
        backend: Its name in the registry.
        options: Its options.
    """

    name: str
    backend: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """What one variant said about the rows.

    Args:
        name: The variant's.
        words: (n, c) the candidates' texts.
        evidence: A row each.
        predictions: A row each.
    """

    name: str
    words: Sequence[Sequence[str]]
    evidence: Sequence[Evidence]
    predictions: Sequence[Prediction]


@dataclass(frozen=True)
class RowGap:
    """How far two variants are apart on one row.

    Args:
        example_id: The row.
        gap: Largest difference of a candidate's log_p, in nats.
        word: That candidate.
        log_p: What each said of it.
        labels: What each decided.
    """

    example_id: str
    gap: float
    word: str
    log_p: tuple[float, float]
    labels: tuple[Value | None, Value | None]


@dataclass(frozen=True)
class Agreement:
    """Two variants on the same rows.

    Args:
        names: The variants'.
        n: Rows.
        n_compared: Rows that both scored.
        largest: Largest difference of a log_p in nats; nan where no row was compared.
        changed: Ids of the rows that are decided differently, those that only one scored included.
        n_ties: Rows whose two best labels are no further apart than the tolerance, for either.
        n_changed_ties: How many of the changed ones these are.
        n_other_tokens: Rows with a candidate that one scored as more tokens than the other.
        worst: The rows that differ most, the farthest first.
        problem: Why a row was left unscored by one, the first such row's.
    """

    names: tuple[str, str]
    n: int
    n_compared: int
    largest: float
    changed: tuple[str, ...]
    n_ties: int
    n_changed_ties: int
    n_other_tokens: int
    worst: tuple[RowGap, ...]
    problem: str = ""

    def holds(self, tolerance: float) -> bool:
        """Whether they agree: every row within the tolerance, and no other decision."""
        return self.n_compared > 0 and self.largest <= tolerance and not self.changed


def agreements(
    asked: EvalSpec,
    variants: Sequence[Variant],
    tolerance: float,
    on_variant: Callable[[str], None] = lambda name: None,
) -> list[Agreement]:
    """Every pair of variants, on the rows that are asked for.

    Args:
        asked: Rows, template, model and demonstrations; the same for all.
        variants: Two or more.
        tolerance: Nats; see `Agreement.n_ties`.
        on_variant: Told which one begins.

    Raises:
        CapabilityError: One that reads statements about labels, and no words.
        PromptkitError: One that cannot answer.
    """
    trials = [_trial(asked, variant) for variant in variants]  # what is wrong is said at once
    said = []
    for variant, trial in zip(variants, trials, strict=True):
        on_variant(variant.name)
        said.append(_answered(trial, variant.name))
    return [agreement(one, other, tolerance) for one, other in combinations(said, 2)]


def _trial(asked: EvalSpec, variant: Variant) -> Trial:
    own = {key: value for key, value in variant.options.items() if key in _OWN}
    rest = {key: value for key, value in variant.options.items() if key not in _OWN}
    keys = asked.model_dump(exclude_unset=True) | own
    keys |= {"backend": variant.backend, "cache": False}  # each is asked, none is remembered
    keys |= {"backend_options": {**asked.backend_options, **rest}}
    trial = build(validate(EvalSpec, YamlFile(variant.name, keys)))
    if _prompting(trial, with_model=False).backend.reads != "text":
        raise CapabilityError(
            f"{variant.name}: it compares statements about labels and scores no words, so that its "
            "numbers are of another kind; name backends that serve language models"
        )
    return trial


def _answered(trial: Trial, name: str) -> Said:
    """What a variant says about the rows; its model is let go of afterwards."""
    strategy = _prompting(trial, with_model=True)
    backend = strategy.backend
    try:
        strategy.fit(trial.train.examples if trial.train else ())
        rows = trial.data.examples
        evidence = strategy.gather(rows)
        words = [
            [flat(one.text) for one in trial.template.candidates(row, backend.reads)]
            for row in rows
        ]
        return Said(name, words, evidence, strategy.conclude(rows, evidence))
    finally:
        if hasattr(backend, "close"):
            backend.close()
        del strategy, backend
        forget_backends()


def _prompting(trial: Trial, *, with_model: bool) -> InContext:
    strategy = trial.strategy(with_model)
    assert isinstance(strategy, InContext)
    return strategy


def agreement(one: Said, other: Said, tolerance: float) -> Agreement:
    """How far two are apart.

    Raises:
        DataError: They did not answer the same rows.
        BackendError: Neither scored any row.
    """
    rows = [row.example_id for row in one.evidence]
    if rows != [row.example_id for row in other.evidence] or list(one.words) != list(other.words):
        raise DataError(f"{one.name} and {other.name} were asked about different rows or words")
    gaps, changed, ties, only_one, other_tokens = [], [], set(), [], 0
    for i, name in enumerate(rows):
        found = one.evidence[i], other.evidence[i]
        decided = one.predictions[i], other.predictions[i]
        if decided[0].label != decided[1].label:
            changed.append(name)
        if any(_is_tie(row, tolerance) for row in decided):
            ties.add(name)
        scored = [bool(row.log_p) and not row.problem for row in found]
        if all(scored):
            gaps.append(_gap(name, one.words[i], found, decided))
            other_tokens += found[0].n_tokens != found[1].n_tokens
        elif any(scored):
            only_one.append(found[scored.index(False)].problem or "no evidence")
    if not gaps and not only_one:
        why = next((row.problem for row in one.evidence if row.problem), "no evidence")
        raise BackendError(f"{one.name} and {other.name}: neither scored a row: {why}")
    worst = sorted(gaps, key=lambda row: -row.gap)
    return Agreement(
        names=(one.name, other.name),
        n=len(rows),
        n_compared=len(gaps),
        largest=worst[0].gap if worst else math.nan,
        changed=tuple(changed),
        n_ties=len(ties),
        n_changed_ties=len(ties & set(changed)),
        n_other_tokens=other_tokens,
        worst=tuple(worst[:WORST_SHOWN]),
        problem=only_one[0] if only_one else "",
    )


def _gap(
    name: str,
    words: Sequence[str],
    found: tuple[Evidence, Evidence],
    decided: tuple[Prediction, Prediction],
) -> RowGap:
    pairs = list(zip(found[0].log_p, found[1].log_p, strict=True))
    apart = [_difference(*pair) for pair in pairs]
    at = max(range(len(apart)), key=apart.__getitem__)
    labels = decided[0].label, decided[1].label
    return RowGap(name, apart[at], words[at], pairs[at], labels)


def _difference(one: float, other: float) -> float:
    """Nats between two log-probabilities; a NaN agrees with nothing, not even with another."""
    if one == other:  # both -inf: a word that neither can say
        return 0.0
    apart = abs(one - other)
    return math.inf if math.isnan(apart) else apart


def _is_tie(row: Prediction, tolerance: float) -> bool:
    if row.log_p is None or len(row.log_p) < 2:
        return False
    first, second = sorted(row.log_p, reverse=True)[:2]
    return row.tied or first - second <= tolerance
