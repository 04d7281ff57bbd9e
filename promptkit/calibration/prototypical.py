"""Where the model's answers lie close together is a class, whatever the answers say."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from promptkit.calibration.normal import check_rows, normalised
from promptkit.errors import DataError
from promptkit.protocols import Learned

#: Rows for each label that a mixture is fitted on at least.
ROWS_PER_LABEL = 5
#: Label probabilities below this one are taken for it: their logarithms would be far away from all
#: others and decide alone.
SMALLEST = 1e-6


class PrototypicalCalibration:
    """Prototypical calibration (Han et al. 2023). Needs unlabelled rows.

    A mixture with one Gaussian for each label is fitted on the label log-probabilities of the
    rows; the matching of Gaussians to labels is the one with the highest sum of mean
    probabilities. A row's label is that of the Gaussian that it most likely comes from, so that the
    border between two labels need not be where the model likes them equally.

    Args:
        n_init: Starts of the fit, of which the most likely one stays.
        seed: Seed of the starts.
    """

    needs: Literal["unlabelled rows"] = "unlabelled rows"
    asks: Literal["rows"] = "rows"
    least_rows = 2 * ROWS_PER_LABEL

    def __init__(self, n_init: int = 10, seed: int = 0) -> None:
        self.n_init, self.seed = n_init, seed

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``weights`` (k,), ``means`` (k, k) and ``precisions`` (k, k, k), in the labels' order.

        Raises:
            DataError: Too few rows for so many labels.
        """
        rows = _floored(log_p)
        k = rows.shape[1]
        check_rows(len(rows), ROWS_PER_LABEL * k, "prototypical", f"where the {k} labels lie")
        if len(np.unique(rows.round(6), axis=0)) < 2 * k:
            raise DataError(
                "prototypical calibration: the model answers alike to nearly all rows, so that "
                "no classes can be told apart; use --calibration batch"
            )
        order = np.lexsort(rows.T[::-1])  # the order of the rows decides nothing
        mixture = GaussianMixture(
            k, covariance_type="full", reg_covar=1e-3, n_init=self.n_init, random_state=self.seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(rows[order])
        _, label_of = linear_sum_assignment(-np.exp(normalised(mixture.means_)))
        cluster_of = np.argsort(label_of)
        return {
            "weights": mixture.weights_[cluster_of],
            "means": mixture.means_[cluster_of],
            "precisions": mixture.precisions_cholesky_[cluster_of],
        }

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The log-probabilities of the Gaussians given each row."""
        mixture = GaussianMixture(len(learned["weights"]), covariance_type="full")
        mixture.weights_, mixture.means_ = learned["weights"], learned["means"]
        mixture.precisions_cholesky_ = learned["precisions"]
        found = np.log(np.maximum(mixture.predict_proba(_floored(log_p)), np.finfo(float).tiny))
        return normalised(np.where(np.isneginf(log_p), -np.inf, found))


def _floored(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    return normalised(np.maximum(normalised(log_p), np.log(SMALLEST)))
