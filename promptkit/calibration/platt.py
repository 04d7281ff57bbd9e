"""Each label's probability through a sigmoid that was fitted on labelled rows."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from promptkit.calibration.normal import check_rows, normalised
from promptkit.protocols import Learned

#: Log-odds are cut there: beyond, a probability cannot be told from 0 or 1.
FARTHEST = 36.0


class PlattScaling:
    """Platt scaling (Platt 1999), one label against the rest. Needs labelled rows.

    A label's log-odds go through a sigmoid with a slope and an offset of its own, fitted with
    Platt's softened targets, so that rows that are told apart without fault do not make the model
    infinitely sure. The labels' values are then normalised (Zadrozny & Elkan 2002). A label with
    fewer than two rows takes the sigmoid of all labels together.
    """

    needs: Literal["labelled rows"] = "labelled rows"
    asks: Literal["rows"] = "rows"
    least_rows = 10

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``slope`` and ``offset``, (k,) each.

        Raises:
            DataError: Too few rows.
        """
        check_rows(len(log_p), self.least_rows, "platt", "how sure the model may be")
        assert golds is not None
        odds = log_odds(log_p)
        right = np.arange(odds.shape[1])[None, :] == golds[:, None]
        shared = _sigmoid(odds.ravel(), right.ravel())
        own = [
            _sigmoid(odds[:, label], right[:, label]) if right[:, label].sum() >= 2 else shared
            for label in range(odds.shape[1])
        ]
        return {"slope": np.array([a for a, _ in own]), "offset": np.array([b for _, b in own])}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The rows through the sigmoids, normalised; what a row rules out stays ruled out."""
        value = log_odds(log_p) * learned["slope"] + learned["offset"]
        mended = -np.logaddexp(0.0, -value)
        return normalised(np.where(np.isneginf(log_p), -np.inf, mended))


def log_odds(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, k) log(p / (1 - p)) of normalised rows, cut at 36."""
    rows = normalised(log_p)
    with np.errstate(divide="ignore"):
        others = np.log(-np.expm1(np.minimum(rows, 0.0)))
        found: NDArray[np.float64] = np.clip(rows - others, -FARTHEST, FARTHEST)
    return found


def _sigmoid(odds: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset; each row counts as right and as wrong, weighted by Platt's targets."""
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    target = np.where(right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    model = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-8)
    model.fit(
        np.concatenate([odds, odds])[:, None],
        np.repeat([1, 0], len(odds)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    return float(model.coef_[0, 0]), float(model.intercept_[0])
