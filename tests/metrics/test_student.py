from math import inf, nan

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from scipy.stats import t as t_distribution

from promptkit.metrics.student import Student, quantile

BELIEFS = [(0.03, 0.02, 9), (-0.1, 0.05, 2.5), (0.0, 0.2, 24), (0.3, 0.4, 1.2), (-2.0, 0.1, 4)]


@pytest.mark.parametrize(("mean", "scale", "df"), BELIEFS)
def test_equals_scipy(mean: float, scale: float, df: float) -> None:
    belief, scipys = Student(mean, scale, df), t_distribution(df, mean, scale)
    assert belief.above(0.01) == pytest.approx(scipys.sf(0.01))
    assert belief.interval() == pytest.approx(scipys.interval(0.95))
    assert belief.p_value() == pytest.approx(2 * min(scipys.cdf(0), scipys.sf(0)))


@pytest.mark.parametrize(("mean", "scale", "df"), BELIEFS)
def test_the_expected_gain_is_the_integral_of_the_tail(
    mean: float, scale: float, df: float
) -> None:
    # E[min(max(0, x), 1)] is the integral from 0 to 1 of P(x > u).
    tail = t_distribution(df, mean, scale).sf
    expected, _ = quad(tail, 0, 1, points=[min(max(mean, 0), 1)], epsabs=1e-12)
    assert Student(mean, scale, df).expected_gain() == pytest.approx(expected, abs=1e-9)


def test_a_normal_distribution_by_hand() -> None:
    # E[max(0, x)] of a normal is mean * cdf + scale * density, at mean / scale.
    gain = Student(0.02, 0.01, inf).expected_gain()
    assert gain == pytest.approx(0.02 * norm.cdf(2) + 0.01 * norm.pdf(2))
    assert Student(0.0, 1.0, inf).interval()[1] == pytest.approx(1.959964)
    assert quantile(0.975, 10) == pytest.approx(2.228139)


def test_certainty() -> None:
    sure = Student(0.2, 0.0, 3)
    assert (sure.above(0.1), sure.above(0.3), sure.p_value()) == (1.0, 0.0, 0.0)
    assert (sure.expected_gain(), sure.interval()) == (0.2, (0.2, 0.2))
    assert Student(0.0, 0.0, 3).p_value() == 1.0


def test_without_a_mean_there_is_no_expected_gain() -> None:
    assert Student(0.1, 0.1, 1).expected_gain() is None


def test_a_gain_cannot_be_larger_than_one() -> None:
    gain = Student(0.9, 3.0, 1.01).expected_gain()
    assert gain is not None
    assert 0 < gain < 1
    assert np.isclose(gain, quad(t_distribution(1.01, 0.9, 3.0).sf, 0, 1)[0])


@pytest.mark.parametrize("wrong", [(0, -1, 3), (0, 1, 0), (nan, 1, 3), (0, nan, 3), (0, 1, nan)])
def test_what_is_no_distribution_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="no t distribution"):
        Student(*wrong)
