"""A label that is likely as an answer to anything is no answer to this row."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.normal import log_mean, without
from promptkit.protocols import Learned


class PMICalibration:
    """Pointwise mutual information with a domain premise (Holtzman et al. 2021). Needs no rows.

    What counts is not P(label | row) but P(label | row) / P(label | premise): the premise is a
    few words behind which a label comes as it does in this domain, without instruction,
    demonstrations or row. By default it is what the template says behind a row's last text, such
    as "Sentiment:".

    Args:
        premise: The words.
    """

    needs: Literal["nothing"] = "nothing"
    asks: Literal["premise"] = "premise"
    least_rows = 0

    def __init__(self, premise: str | None = None) -> None:
        self.premise = premise

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``log_prior`` (k,): the labels' log-probabilities behind the premise."""
        return {"log_prior": log_mean(log_p)}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The rows with the premise's log-probabilities taken off."""
        return without(log_p, learned["log_prior"])
