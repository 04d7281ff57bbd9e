"""Labels that are said in one or several words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import CapabilityError, SpecError, nearest
from promptkit.types import Candidate, Evidence, Scalar, label_key

PoolBy = Literal["sum", "mean", "max"]
Normalize = Literal["none", "tokens", "bytes"]


class WordsVerbalizer:
    """Pools the evidence of all candidates that stand for one label.

    Args:
        pool_by: ``sum`` is the probability that any of the words is said (PET with several words:
            Schick & Schütze, 2021), which favours a label with more of them; ``mean`` is the mean
            of their log-probabilities, which does not; ``max`` is that of the best one.
        normalize: ``tokens`` or ``bytes`` divides each candidate's log-probability by its length
            before pooling (per token: Brown et al., 2020), so that long answers are not punished
            for being long; ``none`` leaves it as it is.

    Raises:
        SpecError: An option has no such value.
    """

    def __init__(self, pool_by: PoolBy = "sum", normalize: Normalize = "none") -> None:
        _check("pool_by", pool_by, get_args(PoolBy))
        _check("normalize", normalize, get_args(Normalize))
        self.pool_by: PoolBy = pool_by
        self.normalize: Normalize = normalize

    def pool(
        self, evidence: Evidence, candidates: Sequence[Candidate], labels: Sequence[Scalar]
    ) -> NDArray[np.float64]:
        """(k,) unnormalised log-probabilities in the order of ``labels``.

        A label with a NaN among its candidates is NaN, except that ``-inf`` is a number: a word
        that cannot be said. Evidence that is empty gives NaN for every label.

        Raises:
            SpecError: A label has no candidate, a candidate's label is not among ``labels``, or a
                candidate of length 0 is to be normalised.
            CapabilityError: The evidence lacks the lengths that ``normalize`` divides by.
        """
        groups = _by_label(candidates, labels)
        if not evidence.log_p:
            return np.full(len(labels), np.nan)
        if len(evidence.log_p) != len(candidates):
            raise ValueError(
                f"row {evidence.example_id!r}: {len(evidence.log_p)} values of evidence for "
                f"{len(candidates)} candidates"
            )
        log_p = np.asarray(evidence.log_p, np.float64) / self._lengths(evidence, candidates)
        how = _POOLING[self.pool_by]
        return np.array([how(log_p[group]) for group in groups], np.float64)

    def _lengths(self, evidence: Evidence, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        if self.normalize == "none":
            return np.ones(len(candidates))
        lengths = evidence.n_tokens if self.normalize == "tokens" else evidence.n_bytes
        if len(lengths) != len(candidates):
            raise CapabilityError(
                f"option 'normalize': the backend does not say how many {self.normalize} a "
                "candidate has; use 'none'"
            )
        for candidate, length in zip(candidates, lengths, strict=True):
            if length <= 0:
                raise SpecError(
                    f"option 'normalize': the candidate for label {candidate.label!r} has no "
                    f"{self.normalize}; use 'none'"
                )
        return np.asarray(lengths, np.float64)


def _by_label(candidates: Sequence[Candidate], labels: Sequence[Scalar]) -> list[list[int]]:
    groups: dict[object, list[int]] = {label_key(label): [] for label in labels}
    for index, candidate in enumerate(candidates):
        key = label_key(candidate.label)
        if key not in groups:
            raise SpecError(
                f"a candidate stands for {candidate.label!r}, which is no label of the task; "
                f"{nearest(candidate.label, labels)}"
            )
        groups[key].append(index)
    for label in labels:
        if not groups[label_key(label)]:
            raise SpecError(f"label {label!r} has no candidate: give it at least one word")
    return [groups[label_key(label)] for label in labels]


def _sum(log_p: NDArray[np.float64]) -> float:
    highest = float(log_p.max())
    # All -inf: -inf - -inf would be NaN, and nothing can be said is a fact. NaN passes through.
    if not np.isfinite(highest):
        return highest
    return highest + float(np.log(np.exp(log_p - highest).sum()))


def _mean(log_p: NDArray[np.float64]) -> float:
    return float(log_p.mean())


def _max(log_p: NDArray[np.float64]) -> float:
    return float(log_p.max())


_POOLING: dict[PoolBy, Callable[[NDArray[np.float64]], float]] = {
    "sum": _sum,
    "mean": _mean,
    "max": _max,
}


def _check(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SpecError(f"option {option!r}: no such value {value!r}; {nearest(value, known)}")
