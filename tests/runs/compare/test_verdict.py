"""The rules of the verdict, one by one and together."""

from dataclasses import replace

import numpy as np
import pytest

from promptkit.metrics.choice import Prior
from promptkit.runs.compare import rules, verdict, weighing
from promptkit.runs.compare.experience import WORTH
from promptkit.runs.compare.grid import Grid
from promptkit.runs.compare.lines import lines_of
from promptkit.runs.compare.nouns import Cell, Draw, Entry, Limits, Line, Plan
from promptkit.runs.compare.rules import Case
from promptkit.runs.compare.spec import CompareSpec
from promptkit.types import Score

SIMPLE = Entry("simple", "tfidf", {}, "", 1)
MIDDLE = Entry("middle", "features", {}, "minilm", 2)
HEAVY = Entry("heavy", "full", {"epochs": 3}, "minilm", 3)
GUESS = Entry("guess", "random", {}, "", 0, fits=False)


def line(entry, accuracy=0.8, **other):
    score = None if accuracy is None else Score("accuracy", accuracy, None, None, 100)
    return Line(entry, None if entry.fits else 0, 50, score, score, **other)


def case(*lines, loss=(), p=(), limits=None, expected=None):
    names = [one.entry.name for one in lines]
    values = expected or [one.accuracy.value if one.accuracy else 0.0 for one in lines]
    return Case(
        lines=tuple(lines),
        limits=limits or Limits(),
        loss=dict(zip(names, loss or [0.0] * len(names), strict=True)),
        expected=dict(zip(names, values, strict=True)),
        p_value=dict(zip(names, p or [1.0] * len(names), strict=True)),
    )


def left(made):
    return [one.entry.name for one in made.lines]


def test_finished_drops_what_has_no_result_and_says_why():
    made = rules.finished(case(line(SIMPLE), line(HEAVY, None, problem="no memory")))
    assert left(made) == ["simple"]
    assert made.reasons == ("heavy has no result (no memory)",)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (Limits(train_minutes=1), "adapting takes 2.0 minutes, 1 allowed"),
        (Limits(latency_ms=10), "a prediction takes 30.0 ms, 10 allowed"),
        (Limits(memory_bytes=2**30), "it takes 3.00 GiB of memory, 1.00 allowed"),
        (Limits(stored_bytes=1024), "60.5 KiB have to be kept, 1 KiB allowed"),
    ],
)
def test_within_limits_drops_what_costs_too_much(limits, told):
    heavy = line(HEAVY, 0.9, fit_seconds=120.0, seconds_per_1000=30.0, peak_bytes=3 * 2**30,
                 stored_bytes=61_952)  # fmt: skip
    made = rules.within_limits(case(line(SIMPLE), heavy, limits=limits))
    assert left(made) == ["simple"]
    assert told in made.reasons[0]
    assert "without that limit, heavy would stand first" in made.would_change[0]


def test_guesses_are_never_recommended():
    assert left(rules.guessing_is_no_way(case(line(GUESS, 0.9), line(SIMPLE)))) == ["simple"]


def test_the_best_is_the_simpler_of_two_alike():
    assert rules.names_the_best(case(line(MIDDLE), line(SIMPLE))).best == "simple"


def test_where_other_data_sets_turn_the_order_it_is_said_and_how_to_leave_them_out():
    made = case(line(SIMPLE, 0.72), line(HEAVY, 0.70), expected=[0.69, 0.71])
    alone = rules.names_the_best(made)
    assert (alone.best, alone.top, alone.reasons) == ("heavy", "simple", ())
    told = rules.names_the_best(replace(made, measured_alone=False))
    assert told.reasons == (
        "simple has 0.720 on these rows and heavy 0.700; other data sets, which count as "
        f"{WORTH:g} rows here, speak for heavy",
    )
    assert told.would_change == ("by these rows alone (--no-prior), simple stands first",)


def test_told_apart_drops_what_a_test_finds_worse_but_never_the_best():
    made = replace(case(line(SIMPLE, 0.6), line(HEAVY, 0.9), p=[0.01, 0.0]), best="heavy")
    assert left(rules.told_apart(made)) == ["heavy"]


def test_loses_little_drops_what_would_cost_more_than_is_bearable():
    made = case(line(SIMPLE), line(MIDDLE), line(HEAVY), loss=[0.03, 0.009, 0.001])
    made = rules.loses_little(replace(made, best="heavy"))
    assert left(made) == ["middle", "heavy"]
    assert "simple (3.0)" in made.reasons[0]


def test_what_is_expected_from_other_data_sets_too_is_said_to_be():
    made = replace(case(line(SIMPLE), line(HEAVY), loss=[0.03, 0.0]), best="heavy")
    told = rules.loses_little(replace(made, measured_alone=False)).reasons[0]
    assert f"with other data sets counted as {WORTH:g} rows: simple (3.0)" in told
    assert "other data sets" not in rules.loses_little(made).reasons[0]


def test_where_even_the_best_may_lose_much_what_loses_no_more_stays():
    made = replace(case(line(SIMPLE), line(HEAVY), loss=[0.03, 0.03]), best="heavy")
    assert left(rules.loses_little(made)) == ["simple", "heavy"]


def test_the_simplest_of_what_remains_is_taken():
    assert left(rules.simplest(case(line(HEAVY), line(SIMPLE)))) == ["simple"]


def compared(accuracies, n=200, correlation=0.6, seed=0, **asked):
    """A verdict about entries of known accuracy on a test set, whose errors are correlated.

    What other data sets showed is left out, unless asked for.
    """
    rng = np.random.default_rng(seed)
    entries = (SIMPLE, MIDDLE, HEAVY)
    shared = rng.standard_normal(n)
    draw = Draw(0, 0, 0, tuple(range(n, n + 50)), tuple(range(n)))
    cells = []
    for entry, accuracy in zip(entries, accuracies, strict=True):
        own = rng.standard_normal(n)
        skill = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
        right = skill < np.quantile(skill, accuracy)
        cells.append(Cell(entry.name, None, 0, 50, tuple(np.where(right, 0, 1).tolist()), 1.0, 1.0))
    plan = Plan("d", "test", 50, n, ("x", "y"), 1, 1, entries, (None,), (), None, 0.05)
    golds = (0,) * (n + 50)
    lines = lines_of(plan, cells, golds, [draw])
    spec = CompareSpec(data="d.csv", **{"prior": False, **asked})
    made = weighing.case_of(plan, lines, Grid(cells, golds, [draw]), spec)
    return verdict.decided(made, plan, spec)


def test_a_clear_winner_is_recommended_however_heavy():
    found = compared([0.6, 0.65, 0.9])
    assert found.entry == HEAVY == found.best
    assert found.headline.startswith("Use heavy: the best of 3 ways")
    assert found.command == (
        "promptkit tune --strategy full --data d.csv --option epochs=3 --output my_model"
    )


def test_of_equals_the_simplest_is_recommended():
    found = compared([0.8, 0.8, 0.8], n=2000)
    assert found.entry == SIMPLE
    assert found.expected_loss <= rules.BEARABLE
    assert "simplest" in found.rules


def test_a_much_worse_simple_way_is_not_recommended_for_want_of_rows():
    """On 40 rows no test tells 0.55 from 0.75 apart with certainty, yet the loss is known."""
    found = [compared([0.55, 0.75, 0.75], n=40, seed=seed).entry for seed in range(5)]
    assert SIMPLE not in found


def test_limits_bind_and_the_verdict_says_what_they_cost():
    found = compared([0.6, 0.65, 0.9], max_train_minutes=0.01)
    assert found.entry is None
    assert found.headline == "Nothing can be recommended."
    assert found.would_change


def test_what_other_data_sets_showed_decides_among_equals_and_is_outvoted_by_many_rows(monkeypatch):
    monkeypatch.setattr(weighing, "experience", speaks_for_the_heavy)
    assert compared([0.8, 0.8, 0.8], n=60, prior=True).entry == HEAVY
    assert compared([0.8, 0.8, 0.8], n=60, prior=False).entry != HEAVY
    assert compared([0.8, 0.8, 0.8], n=4000, prior=True).entry == SIMPLE
    assert compared([0.9, 0.7, 0.7], n=300, prior=True).entry == SIMPLE


def speaks_for_the_heavy(entries, measured):
    assert entries == [SIMPLE, MIDDLE, HEAVY]
    assert measured.shape == (3,)
    return Prior([0.7, 0.7, 0.8], WORTH)


def test_nothing_to_choose_from():
    plan = Plan("d", "test", 50, 10, ("x", "y"), 1, 1, (SIMPLE,), (None,), (), None, None)
    made = case(line(SIMPLE, None, problem="failed"))
    found = verdict.decided(made, plan, CompareSpec(data="d.csv"))
    assert found.entry is None
    assert "failed" in found.reasons[0]
