import numpy as np
import pytest

from promptkit.metrics.two_way import cochran_df, two_way


def test_by_hand() -> None:
    # Draw means .5 and 1, row means 1 and .5, grand mean .75; what is left over is .25 each.
    found = two_way([[[1, 0], [1, 1]]])
    assert found.draws is not None
    assert found.rows.item() == pytest.approx(0.125 / 2)
    assert found.draws.item() == pytest.approx(0.125 / 2)
    assert found.both.item() == pytest.approx(4 * 0.25**2 / 1 / 4)
    variance, _ = found.total()
    assert variance.item() == pytest.approx(0.0625)


def test_one_draw_tells_of_rows_only() -> None:
    found = two_way([[[1, 0, 0, 1]]])
    variance, df = found.total()
    assert found.draws is None
    assert (variance.item(), df) == (pytest.approx(1 / 3 / 4), 3)


def test_parts_are_found_again() -> None:
    rng = np.random.default_rng(0)
    shape = (400, 1, 8, 50)
    row, draw = rng.normal(size=(400, 1, 1, 50)), rng.normal(size=(400, 1, 8, 1))
    values = 0.3 * row + 0.2 * draw + 0.5 * rng.normal(size=shape)
    parts = [two_way(one) for one in values]
    rows = np.mean([part.rows for part in parts])
    draws = np.mean([part.draws for part in parts if part.draws is not None])
    both = np.mean([part.both for part in parts])
    assert both == pytest.approx(0.25 / 400, rel=0.03)
    assert rows == pytest.approx(0.09 / 50 + 0.25 / 400, rel=0.03)
    assert draws == pytest.approx(0.04 / 8 + 0.25 / 400, rel=0.07)


def test_the_variance_is_never_below_that_over_rows() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        found = two_way(rng.integers(0, 2, size=(1, 3, 20)))
        assert found.total()[0].item() >= found.rows.item() - 1e-15


def test_many_entries_give_a_covariance_with_the_variances_on_it() -> None:
    values = np.random.default_rng(2).integers(0, 2, size=(4, 3, 30)).astype(float)
    variance, df = two_way(values).total()
    assert variance.shape == (4, 4)
    assert np.linalg.eigvalsh(variance).min() > -1e-15
    assert two_way(values).rows[2, 2] == pytest.approx(two_way(values[2:3]).rows.item())
    assert 2 <= df <= 29


def test_degrees_of_freedom_lie_between_those_of_the_parts() -> None:
    assert cochran_df([(1.0, 99), (0.0, 2)]) == 99
    assert cochran_df([(0.0, 99), (1.0, 2)]) == 2
    assert cochran_df([(0.0, 99), (0.0, 2)]) == 99
    assert 2 < cochran_df([(1.0, 99), (1.0, 2)]) < cochran_df([(10.0, 99), (1.0, 2)]) < 99


@pytest.mark.parametrize("wrong", [[[1, 0]], [[[1]]], np.zeros((1, 0, 5)), [[[1, np.nan]]]])
def test_what_is_no_table_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"values must be|a variance needs"):
        two_way(wrong)
