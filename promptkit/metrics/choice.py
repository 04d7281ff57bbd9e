"""What it costs to choose: the accuracy that each of m entries is expected to lose to the best.

A test asks whether two entries differ; whoever must take one of eight asks which choice loses
least if it is wrong. That is ``E[max_j mu_j - mu_i]``, the expected opportunity loss (Raiffa and
Schlaifer 1961), over what the measurements leave open about the true accuracies mu. It needs no
correction for many comparisons: the more entries are as good as tied, the larger each one's loss.

The belief is a multivariate t distribution around the means, with the covariance of the entries
across folds (or rows and draws): entries that fail on the same rows are compared more sharply than
their own intervals suggest. For two entries it is the t distribution of the pairwise test. Only
differences between entries count, so that what all of them share, such as a hard fold, is taken
out first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from promptkit.metrics.resampled import smallest_variance, variance_factor
from promptkit.metrics.rows import Floats
from promptkit.metrics.two_way import two_way


@dataclass(frozen=True)
class Choice:
    """m entries, weighed against each other.

    Args:
        means: (m,) accuracies, drawn towards the prior means where there are such.
        covariance: (m, m) of what is believed about their differences: each row sums to 0.
        df: Degrees of freedom of the belief.
        regret: (m,) accuracy that choosing this entry is expected to lose to the best one.
        best: (m,) probability that this entry is the best one; they sum to 1.
    """

    means: Floats
    covariance: Floats
    df: float
    regret: Floats
    best: Floats


@dataclass(frozen=True)
class Prior:
    """What was known about the entries before, from other tasks for instance.

    Args:
        means: (m,) expected accuracies; only their differences matter.
        rows: How many labelled rows of the task at hand they are worth; 0 is nothing.
    """

    means: ArrayLike
    rows: float


def choice_over_folds(
    accuracies: ArrayLike,
    *,
    n_train: float,
    n_test: float,
    prior: Prior | None = None,
    seed: int = 0,
    draws: int = 20_000,
) -> Choice:
    """Weigh entries by the J folds of cross-validation, with the variance of `corrected_t`.

    Args:
        accuracies: (J, m) of each fold and entry; two folds or more. Row blocks of one run are
            folds with ``n_train=inf``, and rows themselves are blocks of one row.
        n_train: Training rows of a fold.
        n_test: Held-out rows of a fold.
        prior: What was known before.
        seed: Seed of the Monte Carlo, not negative.
        draws: Its size; 20,000 leave an error of about a hundredth of a standard error.

    Raises:
        ValueError: Shapes or sizes do not fit together.
    """
    found = np.asarray(accuracies, dtype=np.float64)
    if found.ndim != 2 or len(found) < 2 or not found.shape[1] or not np.isfinite(found).all():
        raise ValueError("accuracies must be finite, of shape (folds, entries), two folds or more")
    n_folds = len(found)
    factor = variance_factor(n_folds, n_train=n_train, n_test=n_test)
    centred = found - found.mean(axis=1, keepdims=True)
    centred = centred - centred.mean(axis=0)
    between = shrunk(centred.T @ centred / (n_folds - 1), n_folds - 1)
    between = _with_floor(between, smallest_variance(n_folds, n_test))
    n = n_train + n_test if isfinite(n_train) else n_folds * n_test
    return _choice(found.mean(axis=0), between * factor, n_folds - 1, prior, n, seed, draws)


def choice_over_draws(
    right: ArrayLike, *, prior: Prior | None = None, seed: int = 0, draws: int = 20_000
) -> Choice:
    """Weigh entries by a fixed test set and D draws of the training rows, as `compare_draws` does.

    With one draw, what is weighed is the fitted models, not the ways of fitting them.

    Args:
        right: (m, D, n) whether entry, fitted on draw, is right on row.
        prior: What was known before.
        seed: Seed of the Monte Carlo, not negative.
        draws: Its size.

    Raises:
        ValueError: Shapes do not fit together, or there are fewer than two rows.
    """
    cells = np.asarray(right, dtype=np.float64)
    if cells.ndim != 3 or not len(cells):
        raise ValueError("right must be of shape (entries, draws, rows)")
    parts = two_way(cells - cells.mean(axis=0))
    n = parts.n
    # The half row in each cell of compare_draws, for each pair of entries.
    added = _contrasts(len(cells)) / (2 * (n + 1) * (n + 2))
    spread = None if parts.draws is None else shrunk(parts.draws, parts.n_draws - 1)
    covariance, df = replace(parts, rows=parts.rows + added, draws=spread).total()
    return _choice(cells.mean(axis=(1, 2)), covariance, df, prior, n, seed, draws)


def shrunk(covariance: Floats, df: int) -> Floats:
    """Draw a covariance of contrasts towards one in which all entries vary alike.

    With fewer folds than entries, the covariance as found has directions without any variance,
    along which entries would be told apart with certainty. The amount is that of Chen, Wiesel,
    Eldar and Hero 2010 ("Shrinkage algorithms for MMSE covariance estimation", OAS), in the
    (m - 1)-dimensional space of the contrasts. For two entries there is nothing to shrink.

    Args:
        covariance: (m, m) whose rows sum to 0.
        df: How many independent observations it was estimated from.
    """
    p = len(covariance) - 1
    trace, square = float(np.trace(covariance)), float((covariance**2).sum())
    excess = square - trace**2 / max(p, 1)
    # At or below rounding it is already the target; with all entries the same, it is 0.
    if p < 2 or excess <= 1e-12 * square:
        return covariance
    amount = ((1 - 2 / p) * square + trace**2) / ((df + 1 - 2 / p) * excess)
    amount = min(amount, 1.0)
    return (1 - amount) * covariance + amount * trace / p * _contrasts(p + 1)


def expected_regret(
    means: Floats, covariance: Floats, df: float, *, seed: int = 0, draws: int = 20_000
) -> tuple[Floats, Floats]:
    """``E[min(max_j mu_j - mu_i, 1)]`` and P(i is the best), by Monte Carlo.

    Each draw is used with its mirror image, which takes out most of the noise. A loss ends at 1, as
    in `Student.expected_gain`.

    Args:
        means: (m,) centre of the multivariate t distribution of mu.
        covariance: (m, m) its scale; need not be of full rank.
        df: Its degrees of freedom.
        seed: Not negative.
        draws: How many, mirror images included; at least 2.
    """
    if draws < 2:
        raise ValueError(f"Monte Carlo needs two draws, not {draws}")
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    # The symmetric root is unique; a factor by eigenvectors alone would hang on their signs.
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    rng = np.random.default_rng([seed, 4])
    half = draws // 2
    noise = rng.standard_normal((half, len(means))) @ root
    if isfinite(df):
        noise *= np.sqrt(df / rng.chisquare(df, size=(half, 1)))
    mu = np.concatenate([means + noise, means - noise])
    top = mu.max(axis=1, keepdims=True)
    # Entries that are the same to the last bit share the first place.
    winners = mu == top
    best = (winners / winners.sum(axis=1, keepdims=True)).mean(axis=0)
    return np.asarray(np.minimum(top - mu, 1.0).mean(axis=0)), np.asarray(best)


def _choice(
    means: Floats,
    covariance: Floats,
    df: float,
    prior: Prior | None,
    n: float,
    seed: int,
    draws: int,
) -> Choice:
    """Draw means towards the prior (both normal, the prior worth ``rows`` of n), and weigh."""
    if prior is not None:
        before = np.asarray(prior.means, dtype=np.float64)
        if before.shape != means.shape or not np.isfinite(before).all():
            raise ValueError(f"{len(means)} entries need as many finite prior means")
        if not (prior.rows >= 0 and isfinite(prior.rows)):
            raise ValueError(f"a prior is worth 0 rows or more, not {prior.rows}")
        weight = prior.rows / n
        means = (means + weight * before) / (1 + weight)
        covariance = covariance / (1 + weight)
    regret, best = expected_regret(means, covariance, df, seed=seed, draws=draws)
    return Choice(means, covariance, df, regret, best)


def _contrasts(m: int) -> Floats:
    """(m, m) takes the mean of m numbers out of each."""
    return np.eye(m) - 1 / m


def _with_floor(covariance: Floats, floor: float) -> Floats:
    """No two entries' difference varies less than the floor."""
    m = len(covariance)
    if m < 2:
        return covariance
    alone = covariance.diagonal()
    pairs = (alone[:, None] + alone - 2 * covariance)[np.triu_indices(m, 1)]
    return covariance + max(floor - float(pairs.min()), 0.0) / 2 * _contrasts(m)
