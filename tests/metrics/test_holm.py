from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.metrics.holm import holm


def test_by_hand() -> None:
    # .01 * 4, .02 * 3, .03 * 2 (raised to .06), .04 * 1 (raised to .06).
    assert holm([0.02, 0.01, 0.04, 0.03]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_none_goes_past_one() -> None:
    assert holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])


def test_one_test_is_left_alone_and_none_are_fine() -> None:
    assert holm([0.03]) == pytest.approx([0.03])
    assert holm([]).shape == (0,)


def test_ties_get_the_same() -> None:
    assert holm([0.01, 0.2, 0.01, 0.01]) == pytest.approx([0.04, 0.2, 0.04, 0.04])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms())
def test_between_raw_and_bonferroni_whatever_the_order(values: list[float], random) -> None:
    found = holm(values)
    assert (found >= np.array(values)).all()
    assert (found <= np.minimum(np.array(values) * len(values), 1) + 1e-12).all()
    order = random.sample(range(len(values)), len(values))
    assert holm([values[i] for i in order]) == pytest.approx(found[order])


@pytest.mark.parametrize("wrong", [[0.1, nan], [-0.1], [1.1], [[0.1]]])
def test_what_is_no_p_value_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="p-values"):
        holm(wrong)
