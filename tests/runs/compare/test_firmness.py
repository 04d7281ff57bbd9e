"""How firm a verdict is."""

from dataclasses import replace

import numpy as np
import pytest

from promptkit.runs.compare.firmness import RESAMPLES, Firmness, Information, told
from promptkit.runs.compare.grid import Outcome
from tests.runs.compare.made import comparison


def test_shares_of_resamples_sum_to_one_and_each_repeat_is_left_out():
    found = comparison(n=120, repeats=3)
    assert sum(found.firmness.shares.values()) == pytest.approx(1.0)
    whole = [share * RESAMPLES for share in found.firmness.shares.values()]
    assert whole == pytest.approx([round(one) for one in whole])
    assert len(found.firmness.without) == 3
    assert found.recommendation.entry.name in found.firmness.shares


def test_a_clear_winner_is_firm():
    found = comparison(n=600, seed=1)
    assert found.recommendation.entry.name == "full"
    assert found.firmness.shares["full"] > 0.9
    assert set(found.firmness.without) == {"full"}
    assert found.firmness.information.perfect < 0.01


def test_more_information_is_worth_no_less_than_nothing_and_no_more_than_all():
    known = comparison(n=60, seed=3).firmness.information
    assert 0 <= known.hour <= known.perfect + 0.01
    assert 0 <= known.rows <= known.perfect + 0.01
    assert known.repeats > 0


def test_what_one_repeat_does_not_tell_is_not_said_to_be_nothing():
    found = comparison(n=60, repeats=1)
    known = found.firmness.information
    assert (known.hour, known.is_exhausted) == (None, False)
    assert any("one repeat does not tell" in line for line in found.recommendation.firm)


def test_what_the_limits_rule_out_is_no_choice_that_more_knowledge_could_change():
    found = comparison(n=60, max_latency_ms=15)  # features take 10 ms, the others 20 and 30
    assert found.recommendation.entry.name == "features"
    assert found.firmness.information is None
    assert comparison(n=60, max_latency_ms=25).firmness.information is not None


def test_each_way_of_knowing_more_has_its_sentence():
    base = Information(3, 0.004, False, 0.01, 0.02)
    said = {
        "another hour of compute (3 more repeats) is worth 0.4 points": base,
        "an hour of compute is not enough for another repeat": replace(base, repeats=0),
        "more compute can tell nothing more": replace(base, hour=None, is_exhausted=True),
    }
    for start, known in said.items():
        (_, line) = told(Firmness({"full": 1.0}, (), known), "full")
        assert line.startswith(start)
        assert line.endswith("are worth 1.0 points to it, and certainty 2.0")


def test_the_same_comparison_is_as_firm_again():
    assert comparison(n=60).firmness == comparison(n=60).firmness


def test_it_is_told_in_sentences():
    found = comparison(n=60)
    lines = told(found.firmness, found.recommendation.entry.name)
    assert "of 100 cases" in lines[0]
    assert any("another hour of compute" in line for line in lines)


def test_a_row_that_occurs_twice_counts_twice_as_rows_of_their_own():
    one = Outcome(np.array([0, 1, 0]), np.array([0, 0, 0]), np.array([4, 2, 0]), 8)
    twice = one.repeated(np.array([1, 0, 0, 0, 2]))
    assert twice.predicted.tolist() == [0, 0, 0]
    assert sorted(twice.places.tolist()) == [0, 4, 9]
    assert one.repeated(np.array([0, 0, 3, 0, 0])).right.tolist() == [False] * 3
