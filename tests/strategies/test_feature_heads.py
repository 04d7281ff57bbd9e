"""Classifiers as arrays against scikit-learn's own, scaling and the mean of layers by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.svm import LinearSVC

from promptkit.strategies.feature_heads import CLASSIFIERS, fit_head, grid_of, head_of
from promptkit.strategies.scalar_mix import mix_weights
from promptkit.strategies.scaling import Scaling

RNG = np.random.default_rng(0)
THEIRS = {
    "logistic": LogisticRegression(C=2.0, max_iter=1000),
    "svm": LinearSVC(C=2.0, dual=True, random_state=0, max_iter=10_000),
    "ridge": RidgeClassifier(alpha=0.5),
    "centroid": NearestCentroid(),
    "knn": KNeighborsClassifier(5, weights=lambda far: np.exp(-(far**2))),
}


def rows(n=60, s=3, w=8):
    targets = np.arange(n) % s
    features = RNG.normal(size=(n, w))
    features[np.arange(n), targets] += 2
    return features, targets


@pytest.mark.parametrize("s", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_predictions_are_those_of_scikit_learn(name, s):
    features, targets = rows(s=s)
    strength = 5 if name == "knn" else 0.5
    head = fit_head(name, features, targets, strength)
    new, _ = rows(200, s)
    log_p = head.log_p(new)
    assert log_p.shape == (200, s)
    assert np.exp(log_p).sum(axis=1) == pytest.approx(np.ones(200))
    theirs = THEIRS[name].fit(features, targets)
    assert np.array_equal(log_p.argmax(axis=1), theirs.predict(new))
    if name == "logistic":
        assert np.exp(log_p) == pytest.approx(theirs.predict_proba(new), abs=1e-3)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_arrays_hold_all_of_it(name):
    features, targets = rows()
    head = fit_head(name, features, targets, grid_of(name)[0])
    assert np.array_equal(head_of(head.arrays()).log_p(features), head.log_p(features))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_label_alone_is_certain(name):
    head = fit_head(name, np.ones((3, 4)), np.zeros(3, int), 1)
    assert head.log_p(np.ones((2, 4))).tolist() == [[0.0], [0.0]]


def test_a_label_without_a_near_row_is_unlikely_and_not_impossible():
    features = np.array([[0.0], [0.1], [9.0]])
    head = fit_head("knn", features, np.array([0, 0, 1]), 2)
    log_p = head.log_p(np.array([[0.0], [1000.0]]))
    assert np.exp(log_p[0]) == pytest.approx([2.49 / 2.99, 0.5 / 2.99], abs=1e-2)
    assert log_p[1, 1] > log_p[1, 0]
    assert np.isfinite(log_p).all()


def test_standard_features_have_mean_zero_equal_deviations_and_length_about_one():
    states = RNG.normal(size=(50, 2, 16)).astype(np.float32) * 7 + 3
    states[:, :, 0] = 100 + RNG.normal(size=(50, 2))
    scaled = Scaling().fit(states).apply(states)
    assert scaled.mean(axis=0) == pytest.approx(np.zeros((2, 16)), abs=1e-7)
    assert scaled.std(axis=0) == pytest.approx(np.full((2, 16), 0.25), abs=1e-4)
    assert np.linalg.norm(scaled, axis=-1).mean() == pytest.approx(1, abs=0.1)


def test_what_is_the_same_in_every_row_says_nothing():
    states = np.ones((5, 1, 3), np.float32)
    assert np.array_equal(Scaling().fit(states).apply(states * 2), np.zeros((5, 1, 3)))
    zero = np.zeros((5, 1, 3), np.float32)
    assert np.isfinite(Scaling("unit").fit(zero).apply(zero)).all()


def test_other_scalings_are_what_they_say():
    states = RNG.normal(size=(5, 2, 3)).astype(np.float32)
    assert np.linalg.norm(Scaling("unit").fit(states).apply(states), axis=-1) == pytest.approx(
        np.ones((5, 2))
    )
    assert np.array_equal(Scaling("none").fit(states).apply(states), states)


def test_the_mean_of_layers_leans_to_the_layer_that_tells_the_labels():
    targets = np.arange(40) % 2
    states = RNG.normal(size=(40, 3, 6))
    states[np.arange(40), 1, targets] += 3
    mix = mix_weights(states, targets, 0.1)
    assert mix.sum() == pytest.approx(1)
    assert mix.argmax() == 1
    assert mix[1] > 0.5


def test_the_mean_of_layers_is_one_that_no_neighbour_beats():
    from promptkit.strategies.linear_heads import log_softmax

    targets = np.arange(30) % 3
    states = RNG.normal(size=(30, 2, 4))
    states[np.arange(30), targets % 2, targets] += 2

    def loss(mix):
        mixed = np.tensordot(states, mix, axes=(1, 0))
        head = fit_head("logistic", mixed, targets, 0.3)
        log_p = log_softmax(mixed @ head.weights.T + head.bias)
        return -log_p[np.arange(30), targets].sum() + 0.15 * (head.weights**2).sum()

    mix = mix_weights(states, targets, 0.3)
    assert (mix > 0.1).all()
    for step in (0.03, -0.03):
        beside = np.array([mix[0] + step, mix[1] - step])
        assert loss(beside) > loss(mix) - 1e-3
