"""A calibration: what a model says on average, averaged before the logarithm is undone."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.normal import check_rows, normalised, without
from promptkit.protocols import Learned


class GeometricCalibration:
    """Takes off the mean log-probability of each label over unlabelled rows.

    Batch calibration takes off the logarithm of the mean probability, which the few rows that the
    model is sure of hardly move; here they count as much as they are sure.
    """

    needs: Literal["unlabelled rows"] = "unlabelled rows"
    asks: Literal["rows"] = "rows"
    least_rows = 10

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``log_prior`` (k,); a label that some row rules out has none."""
        check_rows(len(log_p), self.least_rows, "geometric", "what the model favours")
        return {"log_prior": normalised(log_p).mean(axis=0)}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The rows with the prior taken off."""
        return without(log_p, learned["log_prior"])
