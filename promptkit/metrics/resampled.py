"""Two entries on the same folds of cross-validation: the corrected resampled t-test.

Folds share training rows, so that their results are alike and the plain paired t-test finds
differences that are not there. Nadeau and Bengio 2003, "Inference for the generalization error",
take the correlation between two folds to be ``n_test / (n_train + n_test)``, which turns the
variance of the mean of J folds from ``s² / J`` into ``s² (1 / J + n_test / n_train)``. For repeated
cross-validation J counts all folds of all repeats (Bouckaert and Frank 2004). Read as a posterior
it is the Bayesian correlated t-test of Corani and Benavoli 2015. docs/log.md says how well it keeps
its level.
"""

from __future__ import annotations

from math import isinf

import numpy as np
from numpy.typing import ArrayLike

from promptkit.metrics.difference import Difference, difference_of
from promptkit.metrics.student import Student

TEST = "corrected resampled t-test"


def corrected_t(differences: ArrayLike, *, n_train: float, n_test: float) -> Difference:
    """Test whether the mean difference over folds is 0.

    Folds that all show the same difference have no variance, and would make any difference
    certain. Accuracies of ``n_test`` rows are known to one row at best, so that the variance is
    never taken to be smaller than the smallest one that J such folds can show beside none at all:
    one row in one fold, ``1 / (J n_test²)``. No other result is changed by this. All differences 0
    give p = 1, and an interval that still has a width.

    Args:
        differences: (J,) accuracy of the first entry minus that of the second, fold by fold.
        n_train: Training rows of a fold (their mean, where folds differ).
        n_test: Held-out rows of a fold (their mean).

    Raises:
        ValueError: There is no fold, a difference is not finite, or a size is not above 0.
    """
    found = np.asarray(differences, dtype=np.float64)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise ValueError("corrected_t needs one finite difference for each of one or more folds")
    n = len(found)
    mean = float(found.mean())
    factor = variance_factor(n, n_train=n_train, n_test=n_test)
    if n < 2:
        return Difference(mean, None, 0, 1.0, None, None, TEST, "folds")
    variance = max(float(found.var(ddof=1)), smallest_variance(n, n_test))
    error = float(np.sqrt(variance * factor))
    return difference_of(Student(mean, error, n - 1), test=TEST, over="folds")


def variance_factor(n_folds: int, *, n_train: float, n_test: float) -> float:
    """What the variance between folds is multiplied with to give that of their mean.

    Raises:
        ValueError: A number is not above 0.
    """
    sizes = (n_folds, n_train, n_test)
    if not all(size > 0 for size in sizes) or isinf(n_test):
        raise ValueError(f"folds and their sizes must be above 0, not {sizes}")
    return 1 / n_folds + n_test / n_train


def smallest_variance(n_folds: int, n_test: float) -> float:
    """Variance between folds of which one differs from the others by one row."""
    return 1 / (n_folds * n_test**2)
