"""Ratings: kappa with quadratic weights where numbers are of the scale, errors in its units."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from promptkit.metrics import evaluate_ratings
from promptkit.types import Prediction

SCALE = (1, 2, 3, 4, 5)


def said(*numbers):
    return [Prediction(str(n), one, None) for n, one in enumerate(numbers)]


def values(report):
    return {score.metric: score.value for score in report.scores}


def test_agreement_is_kappa_with_quadratic_weights():
    draw = np.random.default_rng(0)
    golds = draw.integers(1, 6, 60).tolist()
    own = np.clip(np.array(golds) + draw.integers(-1, 2, 60), 1, 5).tolist()
    kappa = cohen_kappa_score(golds, own, weights="quadratic", labels=SCALE)
    found = values(evaluate_ratings(golds, said(*map(float, own)), SCALE))
    assert found["agreement"] == pytest.approx(kappa)
    assert found["pearson"] == pytest.approx(np.corrcoef(golds, own)[0, 1])


def test_hand_computed():
    found = values(evaluate_ratings([1, 5, 2.5], said(2.0, 5.0, 2.6), SCALE, train_labels=[3, 4]))
    assert found["mae"] == pytest.approx(1.1 / 3)
    assert found["rmse"] == pytest.approx(np.sqrt(1.01 / 3))
    assert found["mae_of_median"] == pytest.approx((2.5 + 1.5 + 1) / 3)
    assert found["accuracy"] == pytest.approx(1 / 3)  # 2.6 is a 3, and 2.5 a 2


def test_an_unscored_row_is_as_far_off_as_can_be():
    report = evaluate_ratings([2, 4], said(None, 4.0), SCALE)
    assert values(report)["mae"] == pytest.approx(1.5)
    assert values(report)["accuracy"] == 0.5
    # even at the end of the scale that the row's number is nearest to, it is not right
    assert values(evaluate_ratings([1, 4], said(None, 4.0), (1, 4)))["accuracy"] == 0.5
    assert report.n_unscored == 1


def test_a_constant_agrees_with_nothing():
    found = values(evaluate_ratings([1, 3, 5], said(3.0, 3.0, 3.0), SCALE))
    assert found["agreement"] == found["pearson"] == 0
