"""Which layers, which pooling, how much regularisation: on rows whose answer is known."""

import numpy as np
import pytest

from promptkit.errors import SpecError
from promptkit.strategies.feature_heads import STRENGTHS
from promptkit.strategies.feature_options import blocks_of, views_of
from promptkit.strategies.layer_choice import (
    View,
    best_strength,
    best_view,
    narrowed,
    proposed,
)
from promptkit.strategies.linear_heads import logistic

VIEWS = [View("mean", (0,)), View("mean", (1,)), View("mean", (2,)), View("cls", (2,))]


def rows(signal, n=60, s=2, w=12, seed=0):
    """(n, w) noise in which the label shows so much."""
    rng = np.random.default_rng(seed)
    targets = np.arange(n) % s
    features = rng.normal(size=(n, w)) / np.sqrt(w)
    features[np.arange(n), targets] += signal
    return features, targets


def views_with(*signals, n=60, s=2):
    found = [rows(signal, n, s, seed=place)[0] for place, signal in enumerate(signals)]
    return found, rows(0, n, s)[1]


def test_the_view_that_shows_the_labels_is_chosen():
    features, targets = views_with(0, 2.0, 0, 0)
    best, told = best_view(VIEWS, features, targets, seed=0)
    assert best == VIEWS[1]
    assert max(told, key=told.get) == VIEWS[1]
    assert set(told) == set(VIEWS)


def test_of_views_that_are_as_good_the_last_layer_and_the_first_pooling_stand():
    features, targets = views_with(2.0, 2.0, 2.0, 2.0)
    for order in ([0, 1, 2, 3], [2, 1, 0, 3]):
        best, _ = best_view([VIEWS[place] for place in order], [features[0]] * 4, targets, seed=0)
        assert best == VIEWS[2]


def test_where_nothing_shows_the_last_layer_stands_but_for_rare_luck():
    chosen = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        features = [rng.normal(size=(40, 12)) for _ in VIEWS]
        chosen.append(best_view(VIEWS, features, np.arange(40) % 2, seed)[0].layers[-1])
    assert chosen.count(2) > 16


def test_where_every_label_has_one_row_it_is_the_last_layer_alone():
    features = [np.eye(4)] * 4
    block = [View("mean", (1, 2)), View("mean", (2,))]
    assert best_view(block, features[:2], np.arange(4), seed=0) == (block[1], {})
    assert best_view(VIEWS, features, np.arange(4), seed=0) == (VIEWS[2], {})
    assert best_strength("logistic", np.eye(4), np.arange(4), seed=0) == (STRENGTHS[1], {})


def test_labels_that_are_not_in_every_part_are_no_obstacle():
    features, _ = views_with(2.0, 0, 0, 0, n=21, s=3)
    targets = np.array([0] * 18 + [1] * 2 + [2])
    best, told = best_view(VIEWS, features, targets, seed=0)
    assert best in VIEWS
    assert all(value < 0 for value in told.values())


@pytest.mark.parametrize("classifier", ["logistic", "svm", "ridge", "knn", "centroid"])
def test_a_regularisation_is_chosen_for_each_classifier(classifier):
    features, targets = rows(1.0)
    strength, told = best_strength(classifier, features, targets, seed=0)
    assert strength > 0
    if classifier != "centroid":
        assert strength in told


def test_noise_is_regularised_more_than_what_is_plain():
    plain = best_strength("logistic", *rows(3.0), seed=0)[0]
    noisy = best_strength("logistic", *rows(0.0), seed=0)[0]
    assert noisy > plain


def test_narrow_features_have_the_same_products_and_give_the_same_predictions():
    features, targets = rows(0.5, n=20, w=50)
    narrow = narrowed(features)
    assert narrow.shape[1] <= 20
    assert narrow @ narrow.T == pytest.approx(features @ features.T)
    wide = logistic(features[:15], targets[:15], 0.5).log_p(features[15:])
    assert logistic(narrow[:15], targets[:15], 0.5).log_p(narrow[15:]) == pytest.approx(
        wide, abs=1e-2
    )
    assert narrowed(features.T) is not None
    assert narrowed(np.zeros((3, 5))).shape == (3, 5)


def test_blocks_are_adjacent_and_the_last_ends_with_the_last_layer():
    for n_states in range(1, 100):
        blocks = blocks_of(n_states)
        assert blocks[-1][-1] == n_states - 1
        assert len(blocks) <= 16
        assert {len(block) for block in blocks} == {min(4, (n_states + 1) // 2)}
    assert blocks_of(3) == [(0, 1), (1, 2)]
    assert blocks_of(1) == [(0,)]


def test_views_stand_for_the_options():
    assert len(views_of("choose", ("mean", "cls"), 7)) == 10
    assert views_of("choose", ("mean",), 3) == [
        View("mean", (0, 1)),
        View("mean", (1, 2)),
        View("mean", (2,)),
    ]
    assert len(views_of("one", ("mean", "cls"), 7)) == 14
    assert views_of("all", ("mean",), 3) == [View("mean", (0, 1, 2))]
    assert views_of([-1, 0], ("max",), 3) == [View("max", (2, 0))]
    with pytest.raises(SpecError, match="layer 7"):
        views_of(7, ("mean",), 7)


def test_logme_proposes_and_held_out_rows_confirm():
    draw = np.random.default_rng(0)
    targets = np.arange(120) % 3
    features = []
    for size in (0.0, 0.3, 2.5, 2.0, 1.5, 0.1):
        own = draw.normal(size=(120, 6))
        own[np.arange(120), targets] += size
        features.append(own)
    views = [View("mean", (layer,)) for layer in range(6)]
    found = proposed(views, features, targets)
    assert found[0].layers == (5,)  # the last layer stands among them, whatever is said of it
    assert {view.layers[0] for view in found} == {5, 2, 3, 4}
    assert proposed(views, features, np.zeros(120, int)) == views
    places = [view.layers[0] for view in found]
    best, told = best_view(found, [features[at] for at in places], targets, 0)
    assert best in found
    assert len(told) == 4
