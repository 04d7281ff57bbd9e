"""Linear classifiers on frozen features, as arrays: fitted by scikit-learn, kept without it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Linear:
    """A score for each label: (n, w) features times weights, plus bias.

    The log-probabilities are a softmax over the scores. For logistic regression these are its own
    probabilities; for a support vector machine and for ridge regression the scores are distances
    from a border, and the softmax keeps their order and says little about how sure they are.

    Args:
        weights: (s, w) for the s labels that training rows have.
        bias: (s,)
    """

    weights: Floats
    bias: Floats

    def log_p(self, features: Floats) -> Floats:
        """(n, s) normalised log-probabilities."""
        return log_softmax(features @ self.weights.T + self.bias)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What has to be kept."""
        return {"weights": self.weights, "bias": self.bias}


def logistic(features: Floats, targets: Places, strength: float, tol: float = 1e-4) -> Linear:
    """Multinomial logistic regression with a squared penalty.

    Args:
        features: (n, w).
        targets: (n,) from 0 to s - 1, each of them at least once.
        strength: Weight of the penalty; scikit-learn's C is its inverse.
        tol: When to stop.
    """
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=1 / strength, max_iter=1000, tol=tol)
    model = quietly(regression.fit, features, targets)
    weights, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(weights) == 1:  # for two labels: the second one's against the first's
        return Linear(np.vstack([0 * weights, weights]), np.array([0.0, bias[0]]))
    return Linear(np.ascontiguousarray(weights), bias)


def svm(features: Floats, targets: Places, strength: float) -> Linear:
    """A linear support vector machine for each label against the rest (squared hinge loss)."""
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=1 / strength, max_iter=10_000, random_state=0, dual=True)
    return _against_the_rest(quietly(model.fit, features, targets))


def ridge(features: Floats, targets: Places, strength: float) -> Linear:
    """Least squares to +1 for a row's own label and -1 for the others, with a squared penalty."""
    from sklearn.linear_model import RidgeClassifier

    model = RidgeClassifier(alpha=strength)
    return _against_the_rest(quietly(model.fit, features, targets))


def centroid(features: Floats, targets: Places, strength: float) -> Linear:
    """Negative squared distance to the mean of each label's rows; nothing is regularised.

    The square of the row itself is the same for every label, so what is left is linear
    (scikit-learn's NearestCentroid, with probabilities).

    On the state of a prompt's last token, where the answer would begin, the means are prototypes
    that stand in the place of label words: the prototypical verbalizer (Cui et al., 2022) in its
    plain form, without the projection that is trained there by contrast. So it is asked for:
    ``--strategy features --template T --option reading=prompt --option pooling=last --option
    layers=-1 --option scaling=unit --option classifier=centroid --option statements=false``.
    """
    from sklearn.neighbors import NearestCentroid

    model = quietly(NearestCentroid().fit, features, targets)
    means = np.asarray(model.centroids_, np.float64)
    return Linear(2 * means, -(means**2).sum(axis=1))


LINEAR: dict[str, Callable[[Floats, Places, float], Linear]] = {
    "logistic": logistic,
    "svm": svm,
    "ridge": ridge,
    "centroid": centroid,
}


def constant(width: int) -> Linear:
    """For one label alone: it is certain."""
    return Linear(np.zeros((1, width)), np.zeros(1))


def log_softmax(scores: Floats) -> Floats:
    """(n, s) scores, normalised in nats."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    normalised: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return normalised


def _against_the_rest(model: Any) -> Linear:
    """A score for each label from one-against-the-rest classifiers; two labels have one."""
    weights = np.atleast_2d(np.asarray(model.coef_, np.float64))
    bias = np.atleast_1d(np.asarray(model.intercept_, np.float64))
    if len(weights) == 1:
        weights, bias = np.vstack([-weights, weights]), np.array([-bias[0], bias[0]])
    return Linear(np.ascontiguousarray(weights), bias)


def quietly(fit: Callable[..., Any], features: Any, targets: Places) -> Any:
    """Fit on one thread, and without two notices of scikit-learn between the lines of a table.

    One says that the last digit is not reached: after a thousand steps what is left is far below
    what another draw of rows would change. The other asks whether so many labels for so few rows
    are numbers: here they never are.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes is greater than")
        return fit(features, targets)


def one_thread() -> AbstractContextManager[Any]:
    """No sharing out of numpy's matrix products, which are small where rows are few.

    A choice among layers for 77 labels took sixteen times as long with two threads that wait for
    each other.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1, user_api="blas")
    return limits
