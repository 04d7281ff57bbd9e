"""Whether the probabilities can be believed: ECE, Brier score, log loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.metrics.rows import UNSCORED, Floats, Ints, Rows

#: Equal-width bins of the expected calibration error (Guo et al. 2017).
BINS = 15

#: Where log loss is cut: below this a probability cannot be told from 0. As scikit-learn does.
SMALLEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Probabilities:
    """Per-row figures of the m rows that have a prediction and probabilities.

    Args:
        row: (m,) which of the n rows.
        confidence: (m,) probability of the most probable label.
        chosen: (m,) probability of the predicted label; less than ``confidence`` only if the
            prediction was not the most probable label.
        gap: (m,) 1 or 0 for right or wrong, minus the confidence.
        brier: (m,) squared differences to the one-hot gold label, summed over labels: 0 to 2.
        log_loss: (m,) minus log probability of the gold label, in nats.
    """

    row: Ints
    confidence: Floats
    chosen: Floats
    gap: Floats
    brier: Floats
    log_loss: Floats

    @property
    def bins(self) -> Ints:
        """(m,) the calibration bin of each row; bin b holds confidences in (b/15, (b+1)/15].

        Rounded first: ``exp(log(0.2)) * 15`` may be 3.0000000000000004, which would put a
        confidence of exactly 3/15 one bin too high.
        """
        upper = np.ceil(np.round(self.confidence * BINS, 9)).astype(np.int64)
        return np.clip(upper - 1, 0, BINS - 1)


def probabilities_of(rows: Rows) -> Probabilities:
    """Collect the rows that are scored and have a (k,) ``log_p`` without NaN or +inf.

    Raises:
        ValueError: A row's probabilities do not sum to one; a bug of a strategy or calibrator.
    """
    row = np.array([place for place in range(len(rows.gold)) if _usable(rows, place)], np.int64)
    log_p = _padded(rows, row)
    p = np.exp(log_p)
    off = np.abs(p.sum(axis=1) - 1) > 1e-3
    if off.any():
        name = rows.predictions[row[off.argmax()]].example_id
        raise ValueError(f"row {name!r}: probabilities sum to {p[off.argmax()].sum():.4g}, not 1")
    place, gold = np.arange(len(row)), rows.gold[row]
    confidence = p.max(axis=1, initial=0.0)
    one_hot = np.zeros_like(p)
    one_hot[place, gold] = 1
    return Probabilities(
        row=row,
        confidence=confidence,
        chosen=p[place, rows.predicted[row]],
        gap=rows.correct[row] - confidence,
        brier=((p - one_hot) ** 2).sum(axis=1),
        log_loss=-np.maximum(log_p[place, gold], np.log(SMALLEST)),
    )


def columns(found: Probabilities) -> Floats:
    """(m, 17) what has to be averaged over rows: the gap in its bin's column, Brier, log loss."""
    gaps: NDArray[np.float64] = np.zeros((len(found.row), BINS))
    gaps[np.arange(len(found.row)), found.bins] = found.gap
    return np.column_stack([gaps, found.brier, found.log_loss])


def metrics_of(means: Floats) -> dict[str, Floats]:
    """The three metrics from the means of `columns`, for leading axes of any shape.

    * ``ece``: expected calibration error, the mean distance of confidence and accuracy over 15
      equal-width bins of the top probability, weighted by rows (Guo et al. 2017, "On Calibration
      of Modern Neural Networks").
    * ``brier``: the score for several classes as Brier (1950) had it, the sum over classes of
      squared differences, so that it runs from 0 to 2 and not to 1.
    * ``log_loss``: in nats; probabilities below 2.2e-16 count as that.
    """
    ece = np.abs(means[..., :BINS]).sum(axis=-1)
    return {"ece": np.asarray(ece), "brier": means[..., BINS], "log_loss": means[..., BINS + 1]}


def _usable(rows: Rows, place: int) -> bool:
    log_p = rows.predictions[place].log_p
    if rows.predicted[place] == UNSCORED or not log_p:
        return False
    # NaN compares false with everything, so this turns away NaN and +inf, and lets -inf pass.
    return all(value < float("inf") for value in log_p)


def _padded(rows: Rows, row: Ints) -> Floats:
    """(m, widest k) log_p; a row with fewer choices is filled up with probability 0."""
    taken = [rows.predictions[place].log_p or () for place in row]
    widest = max(map(len, taken), default=1)
    filled = [log_p + (-np.inf,) * (widest - len(log_p)) for log_p in taken]
    return np.array(filled, dtype=np.float64).reshape(len(taken), widest)
