"""What a model says on average is its bias, and is taken off what it says of a row."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.normal import check_rows, log_mean, without
from promptkit.protocols import Learned


class BatchCalibration:
    """Batch calibration (Zhou et al. 2024). Needs unlabelled rows.

    The contextual prior is the mean over unlabelled rows of the label probabilities that the
    model gives; its logarithm is subtracted from each row's log-probabilities. A model that says
    "positive" to everything says nothing by saying it once more.

    It takes the labels to be about equally frequent: where one really is the rule, taking off the
    average takes away what was right.
    """

    needs: Literal["unlabelled rows"] = "unlabelled rows"
    asks: Literal["rows"] = "rows"
    #: Two or three would be told apart by force, since each label has to win about as much as
    #: every other. With about ten the method begins to help (its authors' figures on how many
    #: rows it takes).
    least_rows = 10

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``log_prior`` (k,): the logarithm of each label's mean probability over the rows.

        Raises:
            DataError: Too few rows for an estimate.
        """
        check_rows(len(log_p), self.least_rows, "batch", "what the model favours")
        return {"log_prior": log_mean(log_p)}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The rows with the prior taken off."""
        return without(log_p, learned["log_prior"])
