"""Label-prior matching, by hand."""

import numpy as np
import pytest

from promptkit.calibration.prior_matching import PriorMatching
from promptkit.errors import DataError, SpecError

ROWS = np.log([[0.9, 0.1]] * 6 + [[0.4, 0.6]] * 6)


def test_the_mean_probabilities_come_out_as_wanted():
    # by symmetry of log-odds: log(9) + w and log(2/3) + w must be opposite, w = -log(6) / 2
    matching = PriorMatching()
    learned = matching.learn(ROWS)
    weight = learned["log_weight"]
    assert weight[0] - weight[1] == pytest.approx(-np.log(9 * 2 / 3) / 2, abs=1e-6)
    assert np.exp(matching.apply(ROWS, learned)).mean(axis=0) == pytest.approx([0.5, 0.5], abs=1e-6)


@pytest.mark.parametrize("k", [2, 3, 77])
def test_any_shares_are_reached_for_any_number_of_labels(k):
    random = np.random.default_rng(k)
    rows = random.normal(0, 3, (300, k)) + random.normal(0, 2, k)
    shares = random.uniform(0.5, 1.5, k)
    shares /= shares.sum()
    matching = PriorMatching(list(shares))
    found = np.exp(matching.apply(rows, matching.learn(rows))).mean(axis=0)
    assert found == pytest.approx(shares, abs=1e-5)


def test_shares_of_labels_count_each_label_once_more_than_it_occurs():
    matching = PriorMatching("labels")
    assert matching.needs == "labelled rows"
    golds = np.array([0] * 9 + [1] * 3)
    found = np.exp(matching.apply(ROWS, matching.learn(ROWS, golds))).mean(axis=0)
    assert found == pytest.approx([10 / 14, 4 / 14], abs=1e-6)


def test_a_label_that_no_row_gives_a_chance_is_left_out_of_the_shares():
    rows = np.hstack([ROWS, np.full((12, 1), -np.inf)])
    matching = PriorMatching()
    found = np.exp(matching.apply(rows, matching.learn(rows))).mean(axis=0)
    assert found == pytest.approx([0.5, 0.5, 0.0], abs=1e-6)


@pytest.mark.parametrize("prior", ["even", [0.5, 0.6], [1.0, 0.0]])
def test_shares_that_are_none_are_refused(prior):
    with pytest.raises(SpecError, match="prior_matching"):
        PriorMatching(prior)


def test_shares_for_another_number_of_labels_are_refused():
    with pytest.raises(DataError, match="3 shares for 2 labels"):
        PriorMatching([0.2, 0.3, 0.5]).learn(ROWS)
