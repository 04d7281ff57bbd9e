"""What a cell will take, from what cells took."""

import pytest

from promptkit.runs.compare.nouns import Cell
from promptkit.runs.compare.timing import Timing


def timing(*points):
    made = Timing()
    for point in points:
        made.add(*point)
    return made


def test_nothing_measured_is_nothing():
    assert Timing().seconds(100, 100) == 0


def test_a_fixed_part_and_a_part_for_each_row():
    made = timing((8, 2.0, 8, 0.8), (24, 4.0, 8, 0.8))
    assert made.seconds(16, 0) == pytest.approx(3.0)
    assert made.seconds(104, 0) == pytest.approx(14.0)
    assert made.seconds(24, 10) == pytest.approx(5.0)


def test_a_fit_that_got_faster_with_more_rows_is_not_extrapolated_below_zero():
    made = timing((8, 4.0, 8, 0.0), (24, 3.0, 8, 0.0))
    assert made.seconds(1000, 0) == pytest.approx(3.0)


def test_one_point_grows_with_the_rows():
    assert timing((10, 2.0, 1, 0.0)).seconds(30, 0) == pytest.approx(6.0)


def test_a_finished_cell_corrects_the_guess():
    made = timing((8, 2.0, 8, 0.0), (24, 4.0, 8, 0.0))
    made.add_cell(Cell("x", None, 0, 100, (0, 1), 20.0, 0.0))
    assert made.seconds(100, 0) == pytest.approx(20.0)


def test_a_failed_cell_says_nothing():
    made = timing((8, 2.0, 8, 0.0))
    made.add_cell(Cell("x", None, 0, 100, (), 0.1, 0.0, problem="no"))
    assert made.seconds(8, 0) == pytest.approx(2.0)


def test_a_fit_that_finds_its_rows_known_is_apart():
    made = timing((8, 2.0, 8, 0.8), (24, 4.0, 8, 0.8))
    made.add(24, 1.0, 8, 0.08, fresh=False, new=False)
    assert made.seconds(24, 0, fresh=False) == pytest.approx(1.0)
    assert made.seconds(8, 0, fresh=False) == pytest.approx(2.0 / 4)
    assert made.seconds(24, 10, fresh=True, new=False) == pytest.approx(4.0 + 0.1)
    assert made.seconds(24, 10, fresh=True, new=True) == pytest.approx(4.0 + 1.0)


def test_between_measured_rows_the_nearest_two_tell():
    made = timing((10, 1.0, 0, 0.0), (20, 2.0, 0, 0.0), (100, 4.0, 0, 0.0))
    assert made.seconds(60, 0, fresh=True) == pytest.approx(3.0)
    assert made.seconds(190, 0, fresh=True) == pytest.approx(7.0)
