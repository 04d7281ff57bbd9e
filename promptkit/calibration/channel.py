"""The label is given and the text is what has to be explained."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.normal import normalised
from promptkit.protocols import Learned


class ChannelScoring:
    """Noisy channel scoring (Min et al. 2022). Needs no rows.

    A row is scored by P(text | label) and not by P(label | text): the prompt says the label, and
    the row's own text is what the model is asked to continue with, once for each label. All texts
    of a row are the same, so that nothing has to be divided by a length, and what a model likes to
    answer anyway cannot count. By Bayes' rule, with labels that are equally frequent, these are
    the labels' probabilities. See `promptkit.prompts.channel`.
    """

    needs: Literal["nothing"] = "nothing"
    asks: Literal["channel"] = "channel"
    least_rows = 0

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """Nothing."""
        return {}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The same, normalised."""
        return normalised(log_p)
