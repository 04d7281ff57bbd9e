"""What a model says on average is its bias, and is taken off what it says of a row."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.normal import normalised
from promptkit.errors import DataError

#: Rows that an estimate needs: two or three would be told apart by force, since each label has
#: to win about as much as every other. With about ten the method begins to help (its authors'
#: figures on how many rows it takes).
LEAST_ROWS = 10


class BatchCalibration:
    """Batch calibration (Zhou et al. 2024).

    The contextual prior is the mean over unlabelled rows of the label probabilities that the
    model gives; its logarithm is subtracted from each row's log-probabilities. A model that says
    "positive" to everything says nothing by saying it once more.

    It takes the labels to be about equally frequent: where one really is the rule, taking off the
    average takes away what was right.
    """

    needs: Literal["nothing", "unlabelled rows"] = "unlabelled rows"

    def estimate(self, log_p: NDArray[np.float64]) -> NDArray[np.float64]:
        """(k,) the logarithm of the mean probability of each label over the rows.

        Raises:
            DataError: Too few rows for an estimate.
        """
        if len(log_p) < LEAST_ROWS:
            raise DataError(
                f"batch calibration needs {LEAST_ROWS} rows or more to see what the model favours, "
                f"and has {len(log_p)}; give more rows, labelled or not, to learn from or to "
                "predict together"
            )
        with np.errstate(divide="ignore"):
            log_prior: NDArray[np.float64] = np.log(np.exp(normalised(log_p)).mean(axis=0))
        return log_prior

    def apply(
        self, log_p: NDArray[np.float64], log_prior: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """The rows with the prior taken off; by default that of these rows themselves."""
        known = self.estimate(log_p) if log_prior is None else np.asarray(log_prior, np.float64)
        # a label that was given no probability by any row stays where a row has it
        return normalised(np.asarray(log_p, np.float64) - np.where(np.isneginf(known), 0.0, known))
