"""Scores equal what a slow computation of their own definitions gives, and have its invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf

from promptkit.errors import DataError
from promptkit.transferability import SCORES, leep, prepared, scored
from promptkit.transferability.h_score import h_score
from promptkit.transferability.leep import nleep
from promptkit.transferability.logme import logme
from promptkit.transferability.separability import PENALTIES, fisher, neighbours, ridge


def drawn(n=60, w=9, labels=3, apart=1.0, seed=0):
    """(n, w) features with labels' means apart, and (n,) targets of which each label has some."""
    draw = np.random.default_rng(seed)
    targets = np.concatenate([np.arange(labels), draw.integers(labels, size=n - labels)])
    means = draw.normal(size=(labels, w)) * apart
    return draw.normal(size=(n, w)) + means[targets], targets


@pytest.mark.parametrize(("n", "w"), [(40, 6), (20, 50)])
def test_logme_is_the_highest_evidence_of_a_bayesian_regression(n, w):
    features, targets = drawn(n, w)
    slow = []
    for label in range(3):
        wanted = (targets == label) - (targets == label).mean()

        def surprise(logs, wanted=wanted):
            prior, noise = np.exp(logs)
            covariance = np.eye(n) / noise + features @ features.T / prior
            return -multivariate_normal.logpdf(wanted, np.zeros(n), covariance)

        found = min(
            (minimize(surprise, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9,
             "maxiter": 4000}) for start in ([0, 0], [3, 3])),
            key=lambda one: one.fun,
        )  # fmt: skip
        slow.append(-found.fun / n)
    assert logme(features, targets) == pytest.approx(np.mean(slow), abs=2e-4)


def test_h_score_by_inverting_the_shrunk_covariance():
    features, targets = drawn(50, 80)
    shrunk, shrinkage = ledoit_wolf(features)
    means = np.stack([features[targets == y].mean(axis=0) for y in targets])
    between = (1 - shrinkage) * np.cov(means, rowvar=False, bias=True)
    slow = np.trace(np.linalg.inv(shrunk) @ between)
    assert h_score(features, targets) == pytest.approx(slow, rel=1e-8)


def test_leep_by_counting():
    draw = np.random.default_rng(1)
    known = draw.dirichlet(np.ones(4), size=30)
    _, targets = drawn(30)
    total = 0.0
    for i in range(30):
        told = 0.0
        for z in range(4):
            joint = sum(known[j, z] for j in range(30) if targets[j] == targets[i]) / 30
            told += known[i, z] * joint / (sum(known[:, z]) / 30)
        total += np.log(told)
    assert leep(known, targets) == pytest.approx(total / 30, rel=1e-10)
    assert leep(np.eye(3)[targets], targets) == pytest.approx(0)  # it knows the labels already


def test_nleep_is_leep_of_the_mixture_and_0_at_most():
    features, targets = drawn(90, 12, apart=4)
    assert -0.3 < nleep(features, targets) <= 1e-12  # the last digit of the mixture is free
    draw = np.random.default_rng(0)
    assert nleep(features, draw.permutation(targets)) < nleep(features, targets) - 0.3


def test_fisher_from_its_sums():
    features, targets = drawn()
    whole = features.mean(axis=0)
    own = [features[targets == y] for y in range(3)]
    between = sum(len(x) * ((x.mean(axis=0) - whole) ** 2).sum() for x in own)
    within = sum(((x - x.mean(axis=0)) ** 2).sum() for x in own)
    assert fisher(features, targets) == pytest.approx(between / within)


def test_neighbours_by_asking_each_row(monkeypatch):
    from promptkit.transferability import separability

    features, targets = drawn(50, 4)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    right = 0
    for i in range(50):
        alike = {j: unit[i] @ unit[j] for j in range(50) if j != i}
        near = sorted(alike, key=alike.get, reverse=True)[:5]
        votes = [sum(1 + 1e-6 * alike[j] for j in near if targets[j] == y) for y in range(3)]
        right += int(np.argmax(votes) == targets[i])
    assert neighbours(features, targets) == right / 50
    monkeypatch.setattr(separability, "CHUNK", 7)
    assert neighbours(features, targets) == right / 50


def test_the_linear_probe_is_that_of_fits_without_each_row():
    features, targets = drawn(30, 40, apart=0.6)
    wanted = np.eye(3)[targets]
    centred = features - features.mean(axis=0)
    scale = (np.linalg.svd(centred, compute_uv=False) ** 2).mean()
    found = []
    for penalty in PENALTIES:
        told = []
        for i in range(30):
            rest = np.delete(np.arange(30), i)
            # the penalty is on the weights alone, and the intercept is free
            own = np.hstack([features[rest], np.ones((29, 1))])
            free = np.diag([penalty * scale] * 40 + [0.0])
            weights = np.linalg.solve(own.T @ own + free, own.T @ wanted[rest])
            told.append(np.append(features[i], 1) @ weights)
        told = np.array(told)
        found.append((((told - wanted) ** 2).mean(), (told.argmax(1) == targets).mean()))
    assert ridge(features, targets) == pytest.approx(min(found)[1])


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-3, 1e3))
def test_rotation_scale_and_order_change_no_score(seed, scale):
    features, targets = drawn(40, 6, seed=seed)
    draw = np.random.default_rng(seed)
    rotation = np.linalg.qr(draw.normal(size=(6, 6)))[0]
    order, names = draw.permutation(40), draw.permutation(3)
    plain = scored(features, targets)
    moved = scored(
        ((features @ rotation) * scale + draw.normal(size=6))[order], names[targets[order]]
    )
    for name in SCORES:
        if name != "nleep":  # whose mixture starts from where its rows lie
            assert moved[name] == pytest.approx(plain[name], rel=1e-4, abs=1e-5), name


@pytest.mark.parametrize("name", SCORES)
def test_labels_that_lie_apart_score_higher(name):
    near, far = drawn(120, 8, apart=0.3), drawn(120, 8, apart=3.0)
    assert scored(*far)[name] > scored(*near)[name]


def test_what_cannot_be_judged_is_refused_and_what_is_constant_is_not():
    with pytest.raises(DataError, match="two labels"):
        scored(np.ones((5, 2)), np.zeros(5, int))
    assert np.isfinite(list(scored(np.ones((8, 2)), np.arange(8) % 2).values())).all()
    assert prepared(np.ones((3, 2))).tolist() == [[0, 0]] * 3
