"""How sure a model may be: one number that all log-probabilities are divided by."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from promptkit.calibration.normal import check_rows, normalised
from promptkit.protocols import Learned

#: The least and the most that log-probabilities are divided by.
LEAST, MOST = 0.01, 100.0
#: A label is taken to have this log-probability at least: one row whose right label the model rules
#: out would decide alone otherwise.
FLOOR = float(np.log(np.finfo(np.float64).eps))


class TemperatureScaling:
    """Temperature scaling (Guo et al. 2017). Needs labelled rows.

    The log-probabilities are divided by the one temperature under which the right labels of the
    rows are most probable. No prediction changes; how sure the model is of it does.
    """

    needs: Literal["labelled rows"] = "labelled rows"
    asks: Literal["rows"] = "rows"
    least_rows = 10

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``temperature`` (1,), between 0.01 and 100.

        Raises:
            DataError: Too few rows.
        """
        check_rows(len(log_p), self.least_rows, "temperature", "how sure the model may be")
        assert golds is not None
        rows = normalised(np.maximum(normalised(log_p), FLOOR))

        def loss(log_temperature: float) -> float:
            scaled = normalised(rows / np.exp(log_temperature))
            return float(-scaled[np.arange(len(rows)), golds].mean())

        ends = (float(np.log(LEAST)), float(np.log(MOST)))
        # convex in 1 / T, so that there is one valley
        found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-8})
        return {"temperature": np.array([np.exp(found.x)])}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The rows, divided and normalised."""
        return normalised(normalised(log_p) / float(learned["temperature"][0]))
