"""Nothing is mended."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.normal import normalised


class NoCalibration:
    """Leaves the model's probabilities as they are."""

    needs: Literal["nothing", "unlabelled rows"] = "nothing"

    def estimate(self, log_p: NDArray[np.float64]) -> NDArray[np.float64]:
        """No label is favoured: zeros, whatever the rows."""
        return np.zeros(log_p.shape[1])

    def apply(
        self, log_p: NDArray[np.float64], log_prior: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """The same, normalised."""
        return normalised(log_p)
