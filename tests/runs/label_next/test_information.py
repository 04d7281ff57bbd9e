"""How much a label tells of other rows, against numbers by hand and the plain inverse."""

import numpy as np
import pytest

from promptkit.runs.label_next.information import informative


def test_two_rows_by_hand():
    # covariance [[1, 2], [2, 4]]; the second row takes 5/3 of 5/2 away, then the first 5/42 of 5/6
    places, shares = informative(np.array([[1.0], [2.0]]), np.full(2, 0.5), 2, penalty=1.0)
    assert places.tolist() == [1, 0]
    assert shares == pytest.approx([2 / 3, 1 / 7])


def test_the_share_taken_away_is_that_of_the_inverse_of_the_information():
    chance = np.random.default_rng(0)
    features, variance = chance.normal(size=(12, 4)), chance.uniform(0.1, 0.5, 12)
    labelled, penalty = 3, 0.7
    places, shares = informative(features, variance, 2, penalty, labelled)

    def left(known):
        information = penalty * np.eye(4) + sum(
            variance[row] * np.outer(features[row], features[row]) for row in known
        )
        own = features @ np.linalg.inv(information) @ features.T
        return float(variance @ np.diagonal(own))

    known, done = list(range(labelled)), 0
    for place, share in zip(places, shares, strict=True):
        before = left(known)
        gains = {row: before - left([*known, row]) for row in range(labelled, 12)
                 if row not in known}  # fmt: skip
        assert max(gains, key=gains.get) == place + labelled
        assert share == pytest.approx(gains[place + labelled] / before)
        known.append(place + labelled)
        done += 1
    assert done == 2


def test_copies_of_what_was_chosen_or_labelled_come_last():
    features = np.array([[3.0, 0.0], [3.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    assert informative(features, np.full(4, 0.5), 3, 0.01)[0].tolist()[:2] == [0, 2]
    assert informative(features, np.full(4, 0.5), 3, 0.01, labelled=1)[0][0] == 1  # row 2 of all


def test_no_more_rows_come_than_there_are_and_a_sure_model_still_gives_some():
    features = np.eye(3)
    assert sorted(informative(features, np.zeros(3), 9, 1.0)[0]) == [0, 1, 2]
