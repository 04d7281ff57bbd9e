import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.verbalizers.word_search import choose_words, top_words, worth_of

LOG = np.log


def test_a_labels_words_are_its_most_probable_ones():
    means = LOG([[0.1, 0.4, 0.3, 0.2], [0.3, 0.1, 0.3, 0.2]])
    assert top_words(means, 2) == [[1, 2], [0, 2]]
    assert top_words(means, 9) == [[1, 2, 3, 0], [0, 2, 3, 1]]


def test_worth_is_accuracy_and_the_mean_log_probability_of_the_truth():
    own = LOG([[0.6, 0.2], [0.1, 0.3], [0.2, 0.2]])
    right, log_p = worth_of(own, np.array([0, 0, 1]))
    assert right == pytest.approx(1 / 3)  # the third is a tie, and the first label has it
    assert log_p == pytest.approx((math.log(0.75) + math.log(0.25) + math.log(0.5)) / 3)


def test_the_combination_that_answers_most_rows_rightly_is_chosen():
    # words: good, fine, bad; "fine" is said of everything, so that it is no word for label 1
    scores = LOG([[0.5, 0.4, 0.1], [0.4, 0.5, 0.1], [0.2, 0.5, 0.3], [0.1, 0.5, 0.4]])
    targets = np.array([0, 0, 1, 1])
    found = choose_words(scores, targets, [[1, 0], [1, 2]], most=10)
    assert found.columns == (0, 2)
    assert found.accuracy == 1.0
    assert found.tried == 3  # the fourth would say both labels by "fine"


def test_among_equals_the_surest_of_the_truth_is_chosen():
    scores = LOG([[0.6, 0.5, 0.1], [0.1, 0.2, 0.6]])
    found = choose_words(scores, np.array([0, 1]), [[1, 0], [2]], most=10)
    assert found.columns == (0, 2)
    assert found.log_p == pytest.approx((math.log(6 / 7) + math.log(6 / 7)) / 2)


def test_where_combinations_are_many_it_climbs_and_keeps_to_its_budget():
    rng = np.random.default_rng(0)
    targets = np.repeat(np.arange(6), 8)
    scores = rng.normal(size=(48, 60))
    planted = [7, 17, 27, 37, 47, 57]
    for label, column in enumerate(planted):
        scores[:, column] = np.where(targets == label, 3.0, -3.0)
    options = [list(range(label * 10, label * 10 + 10)) for label in range(6)]
    found = choose_words(scores, targets, options, most=400)
    assert found.columns == tuple(planted)
    assert found.accuracy == 1.0
    assert found.tried <= 400
    few = choose_words(scores, targets, options, most=5)
    assert few.tried <= 5
    assert few.accuracy < 1


def test_the_same_seed_chooses_the_same():
    rng = np.random.default_rng(1)
    scores, targets = rng.normal(size=(30, 40)), rng.integers(0, 4, 30)
    options = [list(range(40))] * 4
    one, other = (choose_words(scores, targets, options, 300, seed=3) for _ in range(2))
    assert one == other
    assert len(set(one.columns)) == 4


def test_labels_that_share_their_only_word_cannot_be_told_apart():
    for most in (10, 0):
        with pytest.raises(ValueError, match="no combination"):
            choose_words(np.zeros((2, 1)), np.array([0, 1]), [[0], [0]], most)


@given(st.integers(0, 10_000))
def test_no_combination_of_few_is_better_than_the_chosen_one(seed):
    rng = np.random.default_rng(seed)
    scores, targets = rng.normal(size=(7, 5)), rng.integers(0, 2, 7)
    options = [[0, 1, 2], [2, 3, 4]]
    found = choose_words(scores, targets, options, most=100)
    each = [worth_of(scores[:, pair], targets) for pair in product(*options) if len({*pair}) > 1]
    assert (found.accuracy, found.log_p) == max(each)
