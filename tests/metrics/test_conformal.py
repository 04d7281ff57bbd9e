"""Label sets that hold the right label as often as is said."""

import numpy as np
import pytest

from promptkit.errors import DataError, SpecError
from promptkit.metrics.conformal import (
    adaptive_scores,
    conformal,
    draws_of,
    least_scores,
    set_report,
)

P = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])


def test_least_scores_are_what_is_left():
    assert least_scores(P) == pytest.approx(1 - P)


def test_adaptive_scores_by_hand():
    found = adaptive_scores(P, np.array([0.0, 0.5]))
    assert found[0] == pytest.approx([0, 0.5, 0.8])
    # of the two equal ones the first declared stands above
    assert found[1] == pytest.approx([0.8 + 0.05, 0.9 + 0.05, 0.4])


def test_the_quantile_by_hand():
    # nine scores 0.1 to 0.9 at level 0.8: place ceil(10 * 0.8) = 8
    p = np.array([[1 - s, s] for s in np.arange(1, 10) / 10])
    rule = conformal(p, np.zeros(9, int), 0.8, np.zeros(9))
    assert rule.most == pytest.approx(0.8)
    assert rule.sets(np.array([[0.25, 0.75], [0.15, 0.85]]), np.zeros(2)).tolist() == [
        [True, True],
        [False, True],
    ]


def test_a_row_of_which_nothing_is_probable_enough_has_an_empty_set():
    sure = np.array([[0.95, 0.03, 0.02]] * 20)
    rule = conformal(sure, np.zeros(20, int), 0.9, np.zeros(20))
    sets = rule.sets(np.array([[0.4, 0.3, 0.3], [0.96, 0.02, 0.02]]), np.zeros(2))
    assert sets.tolist() == [[False] * 3, [True, False, False]]
    report = set_report(sets, np.array([0, 0]), ("x", "y", "z"))
    assert (report.n_empty, report.n_single, report.mean_size) == (1, 1, 0.5)
    assert report.coverage.value == 0.5


def test_coverage_by_label_by_hand():
    sets = np.array([[True, False], [False, True], [True, True]])
    report = set_report(sets, np.array([0, 0, 1]), ("x", 0))
    assert [(label, score.value, score.n) for label, score in report.by_label] == [
        ("x", 0.5, 2),
        (0, 1.0, 1),
    ]


@pytest.mark.parametrize(("level", "needed"), [(0.9, 9), (0.95, 19), (0.99, 99)])
def test_too_few_rows_are_refused_and_it_is_said_how_many_are_needed(level, needed):
    def rule(n):
        return conformal(np.full((n, 2), 0.5), np.zeros(n, int), level, np.zeros(n))

    assert rule(needed).n == needed
    with pytest.raises(DataError, match=f"need {needed} labelled rows .* there are {needed - 1}"):
        rule(needed - 1)


def test_a_level_that_is_no_share_is_refused():
    with pytest.raises(SpecError, match="between 0 and 1"):
        conformal(P, np.array([0, 1]), 90, np.zeros(2))


def test_a_draw_depends_on_the_row_alone():
    one, other = draws_of(["a", "b", "c"]), draws_of(["c", "a"])
    assert one[[2, 0]].tolist() == other.tolist()
    assert draws_of(["a"], 1)[0] != one[0]
    many = draws_of([str(i) for i in range(2000)])
    assert many.mean() == pytest.approx(0.5, abs=0.02)
    assert 0 <= many.min() < many.max() < 1


def world(rng, n, k=5):
    """Rows whose model is too sure of itself."""
    z = rng.normal(size=(n, k)) * 2
    true = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    gold = np.array([rng.choice(k, p=row) for row in true])
    said = np.exp(2 * z)
    return said / said.sum(axis=1, keepdims=True), gold


@pytest.mark.parametrize("method", ["least", "adaptive"])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_sets_reach_their_coverage_over_twenty_seeds(method, level):
    coverages = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p, gold = world(rng, 700)
        draws = rng.random(700)
        rule = conformal(p[:200], gold[:200], level, draws[:200], method)
        sets = rule.sets(p[200:], draws[200:])
        coverages.append(set_report(sets, gold[200:], range(5)).coverage.value)
    # Beta(181, 20)-like over 200 rows, binomial over 500: one run's spread, and the mean of 20
    spread = np.sqrt(level * (1 - level) * (1 / 200 + 1 / 500) / 20)
    assert level - 3 * spread <= np.mean(coverages) <= level + 1 / 201 + 3 * spread


def test_taking_all_labels_up_to_the_level_would_not_reach_it():
    p, gold = world(np.random.default_rng(0), 2000)
    naive = adaptive_scores(p, np.ones(2000)) <= 0.9
    assert set_report(naive, gold, range(5)).coverage.value < 0.8


def test_where_the_coverage_lies_is_what_simulations_find():
    rule = conformal(np.full((100, 2), 0.5), np.zeros(100, int), 0.9, np.zeros(100))
    rng = np.random.default_rng(0)
    # the true coverage is where the 91st of 100 uniform scores lies
    found = np.sort(rng.random((20_000, 100)), axis=1)[:, 90]
    assert rule.expected == pytest.approx(np.percentile(found, [2.5, 97.5]), abs=0.005)
