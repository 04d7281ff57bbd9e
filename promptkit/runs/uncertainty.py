"""What acting on the uncertainty of a run brings: thresholds, label sets, and how they do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from promptkit.metrics.conformal import Conformal, SetReport
from promptkit.metrics.exact import share
from promptkit.metrics.out_of_scope import Scope
from promptkit.metrics.selective import Curve, Threshold
from promptkit.types import Scalar, Score


@dataclass(frozen=True)
class Abstaining:
    """Rows that are not answered, because the model is not sure enough.

    Args:
        threshold: What decides.
        plain: The threshold that reaches the accuracy on the training rows without a guarantee;
            None where no guarantee was asked for.
        curve: Coverage against accuracy on the evaluated rows.
        answered: Share of the evaluated rows that are answered.
        accuracy: Share of right ones among those.
    """

    threshold: Threshold
    plain: Threshold | None
    curve: Curve
    answered: Score
    accuracy: Score

    @property
    def scores(self) -> tuple[Score, ...]:
        """Figures of the evaluated rows."""
        area = Score("aurc", self.curve.aurc, None, None, self.curve.n)
        return (self.answered, self.accuracy, area)


@dataclass(frozen=True)
class LabelSets:
    """Label sets, and how they do on the evaluated rows.

    Args:
        rule: What decides.
        report: How it does.
        n_without: Evaluated rows without a prediction; they have no set and are left out.
    """

    rule: Conformal
    report: SetReport
    n_without: int

    @property
    def scores(self) -> tuple[Score, ...]:
        """Figures of the evaluated rows."""
        n, report = self.report.coverage.n, self.report
        size = Score("set_size", report.mean_size, None, None, n)
        counts = (share("single_sets", report.n_single, n), share("empty_sets", report.n_empty, n))
        return (report.coverage, size, *counts)


@dataclass(frozen=True)
class OutOfScope:
    """Rows of none of the labels, told by the probability of the most probable label.

    Args:
        label: What the data call them.
        rule: How the threshold was chosen, in words.
        scope: How it does on the evaluated rows.
    """

    label: Scalar
    rule: str
    scope: Scope


@dataclass(frozen=True)
class Uncertainty:
    """What was asked for, of one run; a part that was not is None.

    Args:
        n: Training rows that thresholds were chosen on, those of none of the labels left out.
        fingerprint: Of the run that answered them.
        notes: What a reader must know of these rows.
        abstain: See `Abstaining`.
        sets: See `LabelSets`.
        scope: See `OutOfScope`.
        columns: By name, a value for each evaluated row: ``abstained``, ``label_set`` and
            ``out_of_scope``; with the last also ``gold``, where rows of no label have theirs.
    """

    n: int
    fingerprint: str
    notes: tuple[str, ...]
    abstain: Abstaining | None
    sets: LabelSets | None
    scope: OutOfScope | None
    columns: dict[str, tuple[Any, ...]]

    @property
    def scores(self) -> tuple[Score, ...]:
        """All figures of the evaluated rows."""
        parts = (self.abstain, self.sets, self.scope.scope if self.scope else None)
        return tuple(score for part in parts if part is not None for score in part.scores)

    def to_json(self) -> dict[str, Any]:
        """JSON values; the columns are left out."""
        told: dict[str, Any] = {
            "chosen_on": {"n": self.n, "fingerprint": self.fingerprint, "notes": self.notes},
            "scores": [asdict(score) for score in self.scores],
        }
        if self.abstain:
            plain, curve = self.abstain.plain, self.abstain.curve
            points = zip(
                curve.lowest.tolist(),
                curve.coverage.tolist(),
                curve.accuracy.tolist(),
                strict=True,
            )
            told["abstain"] = {
                "threshold": asdict(self.abstain.threshold),
                "without_guarantee": asdict(plain) if plain else None,
                "curve": [dict(zip(("lowest", "coverage", "accuracy"), p, strict=True))
                          for p in points],
            }  # fmt: skip
        if self.sets:
            told["conformal"] = {
                **asdict(self.sets.rule),
                "n_without": self.sets.n_without,
                "by_label": [
                    {"label": label, **asdict(score)} for label, score in self.sets.report.by_label
                ],
            }
        if self.scope:
            told["out_of_scope"] = {
                "label": self.scope.label,
                "rule": self.scope.rule,
                "above": self.scope.scope.above,
            }
        return told
