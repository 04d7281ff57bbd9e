"""What a model answers to a row that says nothing is its bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.normal import log_mean, without
from promptkit.errors import SpecError
from promptkit.protocols import Learned
from promptkit.types import Example


class ContextualCalibration:
    """Contextual calibration (Zhao et al. 2021, "Calibrate Before Use"). Needs no rows.

    The model is asked about texts without content, with instruction and demonstrations as for any
    row; the mean of the probabilities that it gives there is what it favours, and each row's
    probabilities are divided by it. That is the paper's diagonal affine map without an offset.

    Args:
        content_free: The texts that stand in every field; those of the paper by default.

    Raises:
        SpecError: There is none.
    """

    needs: Literal["nothing"] = "nothing"
    asks: Literal["texts"] = "texts"
    least_rows = 0

    def __init__(self, content_free: Sequence[str] = ("N/A", "[MASK]", "")) -> None:
        if isinstance(content_free, str) or not content_free:
            raise SpecError(
                f"calibration 'contextual': content_free is a list of texts, got {content_free!r}"
            )
        self.content_free = content_free

    def texts(self, rows: Sequence[Example], fields: Sequence[str]) -> list[Example]:
        """A row for each content-free text; no other row is looked at."""
        return [
            Example(f"content-free {number}", dict.fromkeys(fields, text))
            for number, text in enumerate(self.content_free)
        ]

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``log_prior`` (k,): the logarithm of the mean probability over the texts."""
        return {"log_prior": log_mean(log_p)}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The rows with the prior taken off."""
        return without(log_p, learned["log_prior"])
