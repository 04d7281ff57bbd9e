"""The model's answers over many rows are brought to the shares that labels should have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from promptkit.calibration.normal import check_rows, normalised
from promptkit.errors import DataError, SpecError
from promptkit.protocols import Learned


class PriorMatching:
    """Label-prior matching (Liusie et al. 2023). Needs unlabelled rows.

    Each label gets one weight, such that the mean probability of every label over the rows is the
    share that it should have. Batch calibration divides by the mean once; here the means come
    out as wanted. The weights are the minimum of a convex function, so there is one answer.

    Args:
        prior: ``uniform``; ``labels``, the shares of the training rows' labels, each counted once
            more than it occurs (then labelled rows are needed); or the shares themselves, in the
            order of the labels.

    Raises:
        SpecError: Shares that are not above 0 or do not sum to one.
    """

    asks: Literal["rows"] = "rows"
    least_rows = 10

    def __init__(self, prior: str | Sequence[float] = "uniform") -> None:
        if isinstance(prior, str):
            if prior not in ("uniform", "labels"):
                raise SpecError(
                    f"calibration 'prior_matching': prior is 'uniform', 'labels' or a list of "
                    f"shares, got {prior!r}"
                )
        elif not all(share > 0 for share in prior) or abs(sum(prior) - 1) > 1e-6:
            raise SpecError(
                f"calibration 'prior_matching': the shares {list(prior)} must be above 0 and sum "
                "to 1"
            )
        self.prior = prior
        self.needs: Literal["unlabelled rows", "labelled rows"] = (
            "labelled rows" if prior == "labels" else "unlabelled rows"
        )

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``log_weight`` (k,): what is added to the labels' log-probabilities.

        Raises:
            DataError: Too few rows, or shares for another number of labels.
        """
        check_rows(len(log_p), self.least_rows, "prior_matching", "what the model favours")
        rows = normalised(log_p)
        wanted = self._shares(rows.shape[1], golds)
        said = ~np.isneginf(rows).all(axis=0)  # what no row gives a chance cannot be raised
        weight = np.zeros(rows.shape[1])
        weight[said] = _weights(rows[:, said], wanted[said] / wanted[said].sum())
        return {"log_weight": weight}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The rows, weighted."""
        return normalised(np.asarray(log_p, np.float64) + learned["log_weight"])

    def _shares(self, k: int, golds: NDArray[np.int64] | None) -> NDArray[np.float64]:
        if self.prior == "uniform":
            return np.full(k, 1 / k)
        if self.prior == "labels":
            assert golds is not None
            counts = np.bincount(golds, minlength=k) + 1.0
            return np.asarray(counts / counts.sum(), np.float64)
        if len(self.prior) != k:
            raise DataError(
                f"calibration 'prior_matching': {len(self.prior)} shares for {k} labels"
            )
        return np.asarray(self.prior, np.float64)


def _weights(rows: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) the w that minimises mean(logsumexp(row + w)) - wanted @ w.

    Its gradient is the mean probability of each label minus the wanted share.
    """

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        moved = rows + w
        highest = moved.max(axis=1)
        total = np.exp(moved - highest[:, None]).sum(axis=1)
        p = np.exp(moved - highest[:, None]) / total[:, None]
        value = float((highest + np.log(total)).mean() - wanted @ w)
        return value, p.mean(axis=0) - wanted

    options = {"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9}
    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x - found.x.mean(), np.float64)
