"""Nothing is mended."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.normal import normalised
from promptkit.protocols import Learned


class NoCalibration:
    """Leaves the model's probabilities as they are."""

    needs: Literal["nothing"] = "nothing"
    asks: Literal["rows"] = "rows"
    least_rows = 0

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """Nothing, whatever the rows."""
        return {}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The same, normalised."""
        return normalised(log_p)
