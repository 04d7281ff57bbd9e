import numpy as np
import pytest
from scipy.stats import binom

from promptkit.metrics.bootstrap import (
    centred_interval,
    interval,
    resampled_margins,
    resampled_means,
    resampled_together,
)
from promptkit.metrics.classification import accuracy, balanced_accuracy, macro_f1, margins_of

CONFUSION = np.array([[30, 5, 5], [10, 15, 0]])


def test_percentiles_by_hand() -> None:
    assert interval(np.arange(101.0)) == (2.5, 97.5)


def test_nothing_resampled_gives_no_interval() -> None:
    assert interval(np.array([])) == (None, None)
    assert centred_interval(np.array([]), 0.5) == (None, None)


def test_a_resample_has_as_many_rows_as_the_original() -> None:
    drawn = resampled_margins(CONFUSION, np.random.default_rng(0), 50)
    assert (drawn.support.sum(axis=1) == 65).all()
    assert (drawn.predicted.sum(axis=1) <= 65).all()
    assert (drawn.hits <= np.minimum(drawn.support, drawn.predicted)).all()


def test_the_interval_of_accuracy_is_the_binomials() -> None:
    drawn = accuracy(resampled_margins(CONFUSION, np.random.default_rng(0), 20_000))
    expected = np.array(binom.ppf([0.025, 0.975], 65, 45 / 65)) / 65
    assert interval(drawn) == pytest.approx(tuple(expected), abs=1.01 / 65)


def test_drawing_cells_has_the_distribution_of_drawing_rows() -> None:
    gold = np.repeat([0, 0, 0, 1, 1], [30, 5, 5, 10, 15])
    predicted = np.repeat([0, 1, 2, 0, 1], [30, 5, 5, 10, 15])
    rng = np.random.default_rng(1)
    by_rows = []
    for _ in range(4000):
        drawn = rng.integers(65, size=65)
        counts = np.zeros((2, 3), dtype=np.int64)
        np.add.at(counts, (gold[drawn], predicted[drawn]), 1)
        margins = margins_of(counts)
        by_rows.append((float(balanced_accuracy(margins)), float(macro_f1(margins))))
    cells = resampled_margins(CONFUSION, np.random.default_rng(2), 4000)
    ours = np.column_stack([balanced_accuracy(cells), macro_f1(cells)])
    levels = [2.5, 25, 50, 75, 97.5]
    reference = np.percentile(np.array(by_rows), levels, axis=0)
    assert np.abs(np.percentile(ours, levels, axis=0) - reference).max() < 0.01


def test_resampled_means_have_the_mean_and_error_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=(400, 2))
    means = resampled_means(values, np.random.default_rng(1), 5000)
    assert means.mean(axis=0) == pytest.approx(values.mean(axis=0), abs=0.005)
    assert means.std(axis=0) == pytest.approx(values.std(axis=0) / 20, rel=0.05)


def test_columns_are_resampled_together() -> None:
    values = np.random.default_rng(0).normal(size=100)
    means = resampled_means(np.column_stack([values, -values]), np.random.default_rng(1), 100)
    assert means[:, 0] == pytest.approx(-means[:, 1])


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(30, 1))
    whole = resampled_means(values, np.random.default_rng(1), 64)
    monkeypatch.setattr("promptkit.metrics.bootstrap.CHUNK", 64)
    # Up to rounding: a product of another shape may add in another order.
    assert resampled_means(values, np.random.default_rng(1), 64) == pytest.approx(whole)


def test_a_centred_interval_holds_its_value_and_stays_above_zero() -> None:
    low, high = centred_interval(np.linspace(0.1, 0.3, 1001), 0.05)
    assert low == 0.0
    assert high == pytest.approx(0.145)


def test_predictions_resampled_together_get_the_same_rows() -> None:
    rng = np.random.default_rng(0)
    gold, first = rng.integers(0, 3, size=(2, 80))
    other = rng.integers(0, 4, size=80)
    drawn = resampled_together(gold, np.array([first, other, first]), 3, rng, 40)
    assert drawn.hits.shape == drawn.support.shape == drawn.predicted.shape == (40, 3, 3)
    assert (drawn.support[:, 0] == drawn.support[:, 1]).all()
    assert (drawn.hits[:, 0] == drawn.hits[:, 2]).all()
    assert (drawn.predicted[:, 0].sum(axis=1) == 80).all()
    assert (drawn.predicted[:, 1].sum(axis=1) < 80).any(), "the last column is for unscored rows"


def test_one_prediction_alone_is_drawn_like_its_confusion_matrix() -> None:
    gold = np.repeat([0, 0, 0, 1, 1], [30, 5, 5, 10, 15])
    predicted = np.repeat([0, 1, 2, 0, 1], [30, 5, 5, 10, 15])
    one = resampled_margins(CONFUSION, np.random.default_rng(3), 20)
    other = resampled_together(gold, predicted[None], 2, np.random.default_rng(3), 20)
    assert (one.hits == other.hits[:, 0]).all()
    assert (one.predicted == other.predicted[:, 0]).all()
