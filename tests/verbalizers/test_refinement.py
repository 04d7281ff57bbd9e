"""Refined words, with numbers by hand."""

import math

import numpy as np
import pytest

from promptkit.errors import SpecError
from promptkit.verbalizers.refinement import Refined, log_mean, refine, relevance

LOG, INF = np.log, float("inf")
#: Rows by words: good, fine, rare | bad, awful. "fine" is said of all rows alike.
OWNERS = (0, 0, 0, 1, 1)
P = np.array(
    [
        [0.40, 0.20, 0.001, 0.00, 0.10],
        [0.30, 0.20, 0.002, 0.00, 0.10],
        [0.00, 0.20, 0.003, 0.30, 0.20],
    ]
)


def logs(p):
    with np.errstate(divide="ignore"):
        return LOG(p)


def test_the_prior_is_the_mean_probability():
    assert np.exp(log_mean(logs(P))) == pytest.approx([0.7 / 3, 0.2, 0.002, 0.1, 0.4 / 3])
    assert log_mean(logs(np.zeros((2, 1))))[0] == -INF
    assert log_mean(np.full((2, 1), -2000.0)) == pytest.approx([-2000.0])


def test_relevance_is_likeness_to_the_own_name_beside_the_others():
    found = relevance(logs(P), np.array(OWNERS), np.array([0, 3]))
    # fine: cosine with good 0.7 / (sqrt(3) * 0.5), with bad 1 / sqrt(3)
    assert found[1] == pytest.approx((0.7 / (math.sqrt(3) * 0.5)) / (1 / math.sqrt(3)))
    # awful: cosine with bad 0.2 / sqrt(0.06), with good 0.07 / (0.5 * sqrt(0.06))
    assert found[4] == pytest.approx(0.2 / 0.14)
    assert found[0] == found[3] == pytest.approx(1000)  # good and bad are never said together


def test_a_word_like_every_name_has_relevance_one():
    p = np.array([[0.5, 0.1, 0.2], [0.2, 0.1, 0.5]])
    assert relevance(LOG(p), np.array([0, 0, 1]), np.array([0, 2]))[1] == pytest.approx(1)


def test_rare_words_are_dropped_and_the_others_weigh_by_relevance():
    p = np.array([[0.5, 0.1, 0.001, 0.2, 0.2], [0.2, 0.1, 0.001, 0.5, 0.2]])
    found = refine(LOG(p), OWNERS, quantile=0.2)
    # good: 1 against 0.2 / 0.29; fine: 1; rare is gone; bad as good; awful 1
    name = 0.29 / 0.2
    assert found.weights == pytest.approx(
        [name / (name + 1), 1 / (name + 1), 0, name / (name + 1), 1 / (name + 1)]
    )
    assert np.exp(found.log_prior) == pytest.approx([0.35, 0.1, 0.001, 0.35, 0.2])


def test_a_labels_name_is_never_dropped():
    p = np.array([[0.001, 0.5, 0.3, 0.2], [0.001, 0.5, 0.3, 0.2]])
    found = refine(LOG(p), (0, 0, 1, 1), quantile=0.9)
    assert found.weights == pytest.approx([0.5, 0.5, 1, 0])


def test_pooling_is_the_weighted_mean_above_the_prior():
    refined = Refined((0, 0, 1), (0.75, 0.25, 1.0), tuple(LOG([0.2, 0.1, 0.5])))
    pooled = refined.pool(LOG([0.4, 0.1, 0.25]))
    assert pooled == pytest.approx([0.75 * LOG(2), LOG(0.5)])
    assert refined.pool(LOG([0.4, 0.1, 0.25]) + 7) == pytest.approx(pooled + 7)


def test_a_dropped_word_that_cannot_be_said_says_nothing():
    refined = Refined((0, 0, 1), (1.0, 0.0, 1.0), (0.0, -INF, 0.0))
    assert refined.pool(np.array([-1.0, -INF, -2.0])).tolist() == [-1.0, -2.0]


def test_a_name_that_no_row_says_keeps_its_label():
    p = np.array([[0.0, 0.5], [0.0, 0.4]])
    found = refine(logs(p), (0, 1))
    assert found.weights == (1.0, 1.0)
    assert found.pool(logs(np.array([0.0, 0.45]))).tolist() == pytest.approx([-INF, 0.0])
    more = refine(logs(np.array([[0.0, 0.5, 0.3], [0.0, 0.4, 0.3]])), (0, 1, 0), quantile=0)
    assert more.weights == (0.0, 1.0, 1.0)  # another word of the label speaks for it


def test_of_equally_rare_words_the_later_ones_are_dropped():
    p = np.full((2, 4), 0.25)
    assert refine(LOG(p), (0, 0, 1, 1), quantile=0.75).weights == (1, 0, 1, 0)
    assert refine(LOG(p), (0, 0, 1, 1), quantile=0.25).weights == (0.5, 0.5, 1, 0)


@pytest.mark.parametrize(
    ("log_p", "owners", "quantile", "said"),
    [
        (np.zeros((1, 2)), (0, 1), 1.0, "'quantile' is 1.0"),
        (np.zeros((1, 2)), (0, 1), -0.1, "'quantile' is -0.1"),
        (np.zeros((0, 2)), (0, 1), 0.5, "one row at least"),
        (np.zeros((1, 2)), (0, 0), 0.5, "two labels at least"),
    ],
)
def test_what_cannot_be_refined_is_said(log_p, owners, quantile, said):
    with pytest.raises(SpecError, match=said):
        refine(log_p, owners, quantile)
