"""Accounts of costs: counts of the first draw, money by prices, and when tuning pays."""

from math import inf

import pytest

from promptkit.runs.compare.ledger import Prices, accounts_of
from promptkit.runs.compare.nouns import Cell, Entry, Line
from promptkit.runs.compare.work import Work
from promptkit.types import Score

ASKS = Entry("zero-shot", "in_context", {}, "m", 0, fits=False)
LEARNS = Entry("features", "features", {}, "m", 1)


def line(entry, seconds, per_1000, accuracy=0.8):
    size = None if entry.fits else 0
    return Line(entry, size, 100 if entry.fits else 0, Score("accuracy", accuracy, None, None, 10),
                None, seconds, per_1000)  # fmt: skip


def cell(entry, **works):
    size = None if entry.fits else 0
    return Cell(entry.name, size, 0 if entry.fits else -1, 100, (0,), 1.0, 1.0, **works)


def accounts(prices=None, asks=30.0, learns=10.0, joules=None):
    fit, row = Work(0, 200, 0, 1e9, joules), Work(50, 60, 0, 2e9, joules)
    cells = [cell(ASKS, fit_work=Work(), row_work=row), cell(LEARNS, fit_work=fit, row_work=row)]
    lines = [line(ASKS, 0.0, asks), line(LEARNS, 200.0, learns)]
    return accounts_of(lines, cells, prices or Prices())


def test_counts_are_those_of_the_cells_that_began_afresh():
    found = accounts()["features"]
    assert (found.fit_work.flops, found.row_work.prompt_tokens) == (1e9, 50)
    assert (found.fit_seconds, found.row_seconds) == (200.0, 0.01)


def test_energy_is_seconds_times_watts_unless_it_was_read():
    guessed = accounts(Prices(watts=50))["features"]
    assert (guessed.fit_joules, guessed.row_joules, guessed.joules_measured) == (10_000, 0.5, False)
    read = accounts(joules=7.0)["features"]
    assert (read.fit_joules, read.row_joules, read.joules_measured) == (7.0, 7.0, True)


def test_by_time_tuning_pays_once_it_has_saved_what_it_took():
    found = accounts()
    assert found["features"].break_even == pytest.approx(200 / (0.03 - 0.01))
    assert found["zero-shot"].break_even is None


def test_what_is_less_accurate_than_a_prompt_has_nothing_to_pay_back():
    fit, row = Work(0, 200, 0, 1e9), Work(50, 60, 0, 2e9)
    cells = [cell(ASKS, fit_work=Work(), row_work=row), cell(LEARNS, fit_work=fit, row_work=row)]
    lines = [line(ASKS, 0.0, 30.0), line(LEARNS, 200.0, 10.0, accuracy=0.7)]
    assert accounts_of(lines, cells, Prices())["features"].break_even is None


def test_what_predicts_no_faster_never_pays():
    assert accounts(asks=5.0)["features"].break_even == inf


def test_money_counts_hours_energy_and_labels():
    found = accounts(Prices(hour=3.6, kwh=0.0, label=0.1))
    assert found["features"].fit_price == pytest.approx(200 * 0.001 + 100 * 0.1)
    assert found["features"].price_per_1000 == pytest.approx(10 * 0.001)
    assert found["zero-shot"].fit_price == 0.0
    saved = (0.03 - 0.01) * 0.001
    assert found["features"].break_even == pytest.approx((0.2 + 10) / saved)
    energy = accounts(Prices(kwh=1.0, watts=3600.0))["features"]
    assert energy.fit_price == pytest.approx(200 * 3600 / 3.6e6)


def test_a_service_is_paid_by_the_token_and_no_machine_beside():
    found = accounts(Prices(hour=3.6, million_tokens=2.0))
    assert found["zero-shot"].price_per_1000 == pytest.approx(1000 * 50 * 2e-6)
    assert found["features"].price_per_1000 == pytest.approx(0.01)


def test_without_prices_there_is_no_money():
    assert accounts()["features"].price_per_1000 is None
    assert not Prices(watts=10).are_known


def test_prices_below_nothing_are_refused():
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Prices(hour=-1)
