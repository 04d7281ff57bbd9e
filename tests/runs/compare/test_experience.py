"""The prior from other data sets: which entries it knows, and what it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from promptkit.runs.compare.entries import OFFERS, entries_for
from promptkit.runs.compare.experience import SEEN, WORTH, experience, seen_of

NAMES = ["zero-shot", "features", "lora"]
KNOWN = {"zero-shot": 0.5, "features": 0.7}
MEASURED = np.array([0.80, 0.78, 0.60])


def entries(models=("minilm",)):
    return entries_for(NAMES, models)


def test_entries_that_were_seen_differ_as_they_did_and_the_others_stand_where_measured():
    found = experience(entries(), MEASURED, KNOWN, 50)
    assert found.rows == 50
    assert found.means == pytest.approx([0.69, 0.89, 0.60])
    assert np.array_equal(MEASURED, [0.80, 0.78, 0.60])


def test_a_strategy_with_other_options_is_expected_where_it_was_with_those_that_were_seen():
    names = ["zero-shot", "zero-shot-prior", "few-shot", "few-shot-nearest", "lora"]
    seen = {"zero-shot": 0.5, "zero-shot-batch": 0.6, "few-shot": 0.7}
    told = {entry.name: seen_of(entry, seen) for entry in entries_for(names, ["minilm"])}
    of_strategy = pytest.approx(0.6)
    assert [told[name] for name in names] == [0.5, of_strategy, 0.7, of_strategy, None]
    changed = replace(entries()[1], options={"layers": -1})
    assert seen_of(changed, KNOWN) == 0.7


def test_other_models_were_not_seen():
    assert experience(entries(["./other"]), MEASURED, KNOWN, 50) is None
    both = entries(["minilm", "./other"])
    measured = np.linspace(0.5, 0.9, len(both))
    means = experience(both, measured, KNOWN, 50).means
    moved = {one.name for one, a, b in zip(both, means, measured, strict=True) if a != b}
    assert moved == {"zero-shot (minilm)", "features (minilm)"}


def test_one_entry_alone_has_nothing_to_differ_from():
    assert experience(entries()[:1], MEASURED[:1], KNOWN, 50) is None
    assert experience(entries(), MEASURED, KNOWN, 0) is None


def test_every_way_that_is_offered_unasked_was_seen_and_those_that_tune_the_encoder():
    usual = {name for name, offer in OFFERS.items() if offer.default}
    assert set(SEEN) == usual | {"head", "bitfit", "lora", "top-layers", "full"}
    assert all(0 < value < 1 for value in SEEN.values())
    assert WORTH > 0
