"""Each label's probability through a rising staircase that was fitted on labelled rows."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from promptkit.calibration.normal import check_rows, normalised
from promptkit.protocols import Learned


class IsotonicCalibration:
    """Isotonic regression (Zadrozny & Elkan 2002), one label against the rest. Needs labelled rows.

    How often a label is right, as a function of its probability that never falls. It bends where
    the rows bend, so it needs more of them than a sigmoid does: with few, prefer ``platt``. A step
    of 0 is nobody's certainty, so each value is mixed with the model's own probability, which
    counts as much as one row. A label with fewer than two rows takes the function of all labels
    together.
    """

    needs: Literal["labelled rows"] = "labelled rows"
    asks: Literal["rows"] = "rows"
    least_rows = 20

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``x`` and ``y``, the corners of all labels' functions one behind the other.

        ``start`` (k + 1,) is where each label's begin, ``n`` (1,) the number of rows.

        Raises:
            DataError: Too few rows.
        """
        check_rows(len(log_p), self.least_rows, "isotonic", "how sure the model may be")
        assert golds is not None
        p = np.exp(normalised(log_p))
        right = np.arange(p.shape[1])[None, :] == golds[:, None]
        shared = _corners(p.ravel(), right.ravel())
        own = [
            _corners(p[:, label], right[:, label]) if right[:, label].sum() >= 2 else shared
            for label in range(p.shape[1])
        ]
        sizes = np.cumsum([0, *(len(x) for x, _ in own)])
        return {
            "x": np.concatenate([x for x, _ in own]),
            "y": np.concatenate([y for _, y in own]),
            "start": sizes.astype(np.float64),
            "n": np.array([float(len(p))]),
        }

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The rows through the functions, normalised."""
        p = np.exp(normalised(log_p))
        start = learned["start"].astype(np.int64)
        mended = np.empty_like(p)
        for label in range(p.shape[1]):
            own = slice(start[label], start[label + 1])
            mended[:, label] = np.interp(p[:, label], learned["x"][own], learned["y"][own])
        n = float(learned["n"][0])
        with np.errstate(divide="ignore"):
            mixed = np.log((n * mended + p) / (n + 1))
        return normalised(np.where(p == 0, -np.inf, mixed))


def _corners(
    p: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p, right)
    return (
        np.asarray(fitted.X_thresholds_, np.float64),
        np.asarray(fitted.y_thresholds_, np.float64),
    )
