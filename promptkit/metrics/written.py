"""How good written answers are: metrics of one answer, and a report over all rows.

Answers of text are compared as for SQuAD (Rajpurkar et al. 2016): lower case, no punctuation, no
English articles. Where several texts are right, the one that is met best counts.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from promptkit.errors import MissingExtra, SpecError, nearest
from promptkit.metrics.bootstrap import interval, resampled_means
from promptkit.metrics.evaluate import N_WORST, Mistake, Report, row_counts
from promptkit.plugins import Plugin, imported, plugins_of, the_only
from promptkit.types import Prediction, Score, Value

#: (answer, right answers) to a value from 0 to 1.
Metric = Callable[[str, Sequence[str]], float]
#: What a template may name, the usual ones first.
METRICS = ("exact_match", "token_f1", "rouge_l", "number")
USUAL = METRICS[:2]

#: 1,234.5 and -3 and .5; a comma groups thousands, and the dash of 10-12 is no sign.
_NUMBER = re.compile(r"(?:(?<![\w.])[-+−])?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?")


def metrics_named(names: Sequence[str] | None, tolerance: float = 0.0) -> dict[str, Metric]:
    """The metrics of these names, `USUAL` by default.

    Args:
        names: Of `METRICS`, or entry points of the group ``promptkit.metric``.
        tolerance: How far off a number may be.

    Raises:
        SpecError: No such metric; names the nearest.
        MissingExtra: A package that one of them needs is absent.
    """
    known: dict[str, Metric] = {
        "exact_match": exact_match,
        "token_f1": token_f1,
        "rouge_l": rouge_l,
        "number": partial(number, tolerance=tolerance),
    }
    brought = [one for one in plugins_of("metric") if one.name not in known]
    for name in names or ():
        own = [one for one in brought if one.name == name]
        if own:
            known[name] = _callable(the_only(own))
        if name not in known:
            all_ = [*METRICS, *(one.name for one in brought)]
            raise SpecError(f"task.metrics: no metric {name!r}; {nearest(name, all_)}")
    if "rouge_l" in (names or ()):
        _rouge()
    return {name: known[name] for name in dict.fromkeys(names or USUAL)}


def metric_packages(names: Sequence[str] | None) -> dict[str, str]:
    """Package and version of each of these metrics that another package brings."""
    brought = [one for one in plugins_of("metric") if one.name in (names or ())]
    return {one.package: one.version for one in brought if one.name not in METRICS}


def _callable(plugin: Plugin) -> Metric:
    """A metric of another package: an answer and the right ones in, 0 to 1 out."""
    found: Metric = imported(plugin)
    if not callable(found):
        raise SpecError(f"{plugin.told}: {plugin.attribute} cannot be called; {plugin.remedy}")
    return found


def exact_match(answer: str, right: Sequence[str]) -> float:
    """1 where the answer is one of the right ones, in normal form."""
    return float(any(normal(answer) == normal(one) for one in right))


def token_f1(answer: str, right: Sequence[str]) -> float:
    """Harmonic mean of precision and recall of words, as bags."""
    return max(_f1(normal(answer).split(), normal(one).split()) for one in right)


def rouge_l(answer: str, right: Sequence[str]) -> float:
    """F-measure of the longest common subsequence of words (Lin 2004), by rouge-score.

    Words are runs of letters and digits of any script, where that package knows a to z alone.
    """
    scored = [_rouge().score(one, answer)["rougeL"].fmeasure for one in right]
    return float(max(scored))


def number(answer: str, right: Sequence[str], tolerance: float = 0.0) -> float:
    """1 where the last number of the answer is a right one; a right answer's last number counts.

    >>> number("3 x 4 = 12 apples", ["12"]), number("about 11.9", ["12"], tolerance=0.5)
    (1.0, 1.0)
    """
    said = last_number(answer)
    wanted = [last_number(one) for one in right]
    return float(
        said is not None
        and any(
            one is not None and math.isclose(said, one, rel_tol=1e-9, abs_tol=tolerance)
            for one in wanted
        )
    )


def last_number(text: str) -> float | None:
    """The last number that stands in a text; None where there is none."""
    found = [one.group() for one in _NUMBER.finditer(text) if any(map(str.isdigit, one.group()))]
    return float(found[-1].replace(",", "").replace("−", "-")) if found else None


def normal(text: str) -> str:
    """A text as answers are compared.

    >>> normal("The  Eiffel Tower!")
    'eiffel tower'
    """
    lower = unicodedata.normalize("NFKC", text).lower()
    kept = "".join(one for one in lower if not unicodedata.category(one).startswith("P"))
    words = [word for word in kept.split() if word not in ("a", "an", "the")]
    # of "A" and of "?!" nothing would be left, and all such answers would be alike
    return " ".join(words) or " ".join(lower.split())


def evaluate_written(
    golds: Sequence[Value | None],
    predictions: Sequence[Prediction],
    metrics: dict[str, Metric],
    *,
    seed: int = 0,
    resamples: int = 2000,
    train_golds: Sequence[Value | None] | None = None,
) -> Report:
    """Score written answers; an unscored row counts 0 in each metric.

    Args:
        golds: The right answers of each row; None leaves a row out.
        predictions: One per row; ``label`` is the answer that was read from the reply.
        metrics: By name, the main one first.
        seed: Seed of the resampling.
        resamples: Bootstrap resamples.
        train_golds: Right answers of the training rows, for the baseline: the most frequent one
            given to every row.
    """
    rows = [
        (_texts(gold), one)
        for gold, one in zip(golds, predictions, strict=True)
        if gold is not None
    ]
    n = len(rows)
    unscored = sum(one.label is None for _, one in rows)
    table = np.array(
        [
            [
                0.0 if one.label is None else metric(str(one.label), right)
                for metric in metrics.values()
            ]
            for right, one in rows
        ]
    ).reshape(n, len(metrics))
    scores: list[Score] = []
    baselines: tuple[Score, ...] = ()
    constant: str | None = None
    if n:
        drawn = resampled_means(table, np.random.default_rng([seed, 0]), resamples)
        scores = [
            Score(name, float(table[:, at].mean()), *interval(drawn[:, at]), n, unscored)
            for at, name in enumerate(metrics)
        ]
        baselines, constant = _constant(rows, metrics, train_golds, seed, resamples)
    return Report(
        scores=tuple(scores),
        baselines=baselines,
        per_class=(),
        confusion=(),
        worst=_worst(rows, table),
        majority_label=constant,
        **row_counts(golds, [one for _, one in rows]),
    )


_Row = tuple[tuple[str, ...], Prediction]


def _constant(
    rows: Sequence[_Row],
    metrics: dict[str, Metric],
    train_golds: Sequence[Value | None] | None,
    seed: int,
    resamples: int,
) -> tuple[tuple[Score, ...], str]:
    """The main metric of the most frequent answer, given to every row."""
    known = [_texts(gold)[0] for gold in train_golds or () if gold is not None]
    source = "train" if known else "golds"
    counted = Counter(normal(one) for one in known or [right[0] for right, _ in rows])
    frequent = max(counted, key=lambda one: counted[one])  # the first of several
    answer = next(o for o in known or [right[0] for right, _ in rows] if normal(o) == frequent)
    metric = next(iter(metrics.values()))
    values = np.array([[metric(answer, right)] for right, _ in rows])
    drawn = resampled_means(values, np.random.default_rng([seed, 1]), resamples)[:, 0]
    score = Score(f"constant_of_{source}", float(values.mean()), *interval(drawn), len(rows))
    return (score,), answer


def _worst(rows: Sequence[_Row], table: Any) -> tuple[Mistake, ...]:
    """Answers that the main metric likes least; of those alike, what samples agreed on most."""
    wrong = [
        (float(table[at, 0]), -(one.agreement or 0.0), at)
        for at, (_, one) in enumerate(rows)
        if one.label is not None and table[at, 0] < 1
    ]
    found = []
    for _, _, at in sorted(wrong)[:N_WORST]:
        right, one = rows[at]
        found.append(Mistake(one.example_id, right[0], str(one.label), one.agreement))
    return tuple(found)


def _texts(gold: Value) -> tuple[str, ...]:
    return tuple(map(str, gold)) if isinstance(gold, tuple) else (str(gold),)


def _f1(said: Sequence[str], right: Sequence[str]) -> float:
    common = sum((Counter(said) & Counter(right)).values())
    return 2 * common / (len(said) + len(right)) if common else 0.0


class _Words:
    """What rouge-score takes for a tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"[^\W_]+", text.lower())


@lru_cache(maxsize=1)
def _rouge() -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError as error:
        raise MissingExtra(
            "metric 'rouge_l' needs rouge-score: pip install 'promptkit[rouge]'"
        ) from error
    return RougeScorer(["rougeL"], tokenizer=_Words())
