"""Curves of a comparison, and the advice on labelling."""

from dataclasses import replace

import numpy as np
import pytest

from promptkit.metrics.power_law import fit_curve
from promptkit.runs.compare.growth import Growth, advice_for
from tests.runs.compare.made import CHEAP, DEAR, comparison


def grown(entry, accuracies, error=0.003, noise=0.002):
    sizes = (16, 32, 64, 128)
    curve = fit_curve(sizes, accuracies, np.eye(4) * error**2, noise=noise)
    return Growth(entry, sizes, tuple(accuracies), curve, None)


def advised(own, other=None, n=128):
    plan = replace(comparison().plan, n_rows=n)
    growths = {CHEAP.name: grown(CHEAP, own)}
    if other:
        growths[DEAR.name] = grown(DEAR, other)
    return advice_for(plan, growths, CHEAP)


def test_a_curve_that_still_rises_says_label_more():
    found = advised([0.5, 0.58, 0.65, 0.71])
    assert (found.kind, found.more) == ("label", 128)
    assert found.sentence.startswith("label more: 128 more labelled rows are expected to bring")
    assert found.gain.low < found.gain.mean < found.gain.high


def test_a_flat_curve_says_change_the_strategy():
    found = advised([0.700, 0.702, 0.701, 0.702])
    assert found.kind == "enough"
    assert "change the strategy, or the model" in found.sentence


def test_what_cannot_be_told_is_said_to_be_so():
    plan = replace(comparison().plan, n_rows=128)
    unsure = {CHEAP.name: grown(CHEAP, [0.66, 0.68, 0.69, 0.705], error=0.02)}
    assert advice_for(plan, unsure, CHEAP).kind == "unclear"


def test_where_labels_have_few_rows_it_is_said_that_the_curve_does_not_know():
    found = comparison()
    many = replace(found.plan, n_rows=128, labels=tuple(range(40)))
    growths = {CHEAP.name: grown(CHEAP, [0.5, 0.58, 0.65, 0.71])}
    assert "a label has 3.2 rows on average" in advice_for(many, growths, CHEAP).sentence
    assert "on average" not in advised([0.5, 0.58, 0.65, 0.71]).sentence


def test_another_way_that_will_be_ahead_is_named():
    found = advised([0.700, 0.702, 0.701, 0.702], other=[0.40, 0.52, 0.62, 0.695])
    assert found.other == DEAR
    assert "with 256 rows full is expected to be ahead of it" in found.sentence


def test_without_a_curve_there_is_no_advice():
    assert advice_for(comparison().plan, {}, CHEAP) is None


def test_every_way_that_learns_has_a_curve_and_the_last_size_tests_it():
    found = comparison()
    assert set(found.growths) == {"features", "full"}
    growth = found.growths["features"]
    assert growth.sizes == (8, 16, 32, 60)
    held = growth.held
    assert held.n == 60
    assert held.foretold.low < held.foretold.mean < held.foretold.high
    assert held.came == pytest.approx(growth.accuracies[-1])


def test_three_sizes_make_a_curve_and_two_do_not():
    assert comparison(sizes=(16, 32, None)).growths["full"].held is None
    assert comparison(sizes=(16, None)).growths == {}
