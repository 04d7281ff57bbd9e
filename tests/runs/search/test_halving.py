"""Halving drops the worse half where tokens are short, and nobody where they are not."""

import numpy as np
import pytest

from promptkit.errors import CapabilityError
from promptkit.runs.search.bench import Measured
from promptkit.runs.search.halving import choose, first_rows, next_look, pick
from promptkit.runs.search.metered import Exceeded, Ledger
from promptkit.runs.search.nouns import Configuration, Part

WORDS, NONE = Part("words"), Part("none")


def space(n, shots=1):
    selector = Part("random") if shots else None
    return [Configuration(i, f"t{i}", shots, selector, WORDS, NONE) for i in range(n)]


class Table:
    """Configuration i is right about the share i / 10 of any rows; a token a row, each once."""

    def __init__(self, ledger, problems=()):
        self.ledger, self.problems, self.paid, self.looks = ledger, problems, {}, []

    def inner(self, one, pool, rows):
        if one.place in self.problems:
            raise CapabilityError(f"t{one.place} cannot")
        new = len(rows) - self.paid.get(one.place, 0)
        if self.ledger.spent + new > self.ledger.limit:
            raise Exceeded
        self.paid[one.place] = len(rows)
        self.ledger.spent += new
        self.looks.append((one.place, len(rows)))
        return measured(
            [(i * 10 + one.place) % 100 >= 100 - 10 * one.place for i in range(len(rows))],
            len(rows),
        )


def measured(right, tokens=0.0):
    return Measured(np.array(right, bool), float(tokens))


def chosen(n, rows, budget, **options):
    ledger = Ledger(10**9)
    bench = Table(ledger, options.pop("problems", ()))
    return choose(bench, space(n), list(range(rows)), ledger, budget, **options), bench


def test_with_tokens_for_all_nothing_is_dropped():
    choice, bench = chosen(8, 160, 8 * 160)
    assert choice.chosen.place == 7
    assert not choice.dropped
    assert choice.complete
    assert [n for _, n in bench.looks] == [40] * 8 + [160] * 8


def test_with_fewer_the_worse_half_is_dropped_and_the_rows_are_doubled():
    choice, bench = chosen(8, 160, 8 * 40 + 4 * 40 + 2 * 80)
    assert choice.chosen.place == 7
    assert choice.dropped == {0, 1, 2, 3, 4, 5}
    assert bench.looks[8:] == [(7, 80), (6, 80), (5, 80), (4, 80), (7, 160), (6, 160)]
    assert bench.ledger.spent == 8 * 40 + 4 * 40 + 2 * 80


def test_rows_to_be_tried_on_are_paid_for_beforehand():
    whole, _ = chosen(8, 160, 8 * 160 + 50, n_held=50)
    assert not whole.dropped
    less, bench = chosen(8, 160, 8 * 160 + 49, n_held=50)
    assert less.dropped
    assert bench.ledger.spent <= 8 * 160 - 1


def test_where_tokens_end_the_best_of_those_on_the_most_rows_is_chosen():
    choice, _ = chosen(8, 160, 3 * 40 + 39)
    assert choice.chosen.place == 2  # the simplest ones were looked at first
    assert not choice.complete
    assert set(choice.seen) == {0, 1, 2}
    choice, _ = chosen(8, 160, 10)
    assert choice.chosen is None


def test_what_cannot_be_is_left_out_and_said():
    choice, _ = chosen(4, 60, 10**6, problems={3})
    assert choice.chosen.place == 2
    assert choice.problems == {3: "t3 cannot"}


@pytest.mark.parametrize(
    ("configurations", "rows", "first"),
    [(1, 300, 300), (2, 300, 300), (4, 300, 150), (20, 300, 32), (16, 1600, 200), (20, 20, 20)],
)
def test_the_first_look_is_so_small_that_halving_ends_with_all_rows(configurations, rows, first):
    assert first_rows(configurations, rows) == first


def test_what_several_ask_alike_is_reckoned_once():
    ways = [
        Configuration(i, "t", 2, Part("random"), WORDS, Part(name))
        for i, name in enumerate(("none", "batch", "channel"))
    ]
    seen = {i: measured([True] * 10, 10) for i in range(3)}
    assert next_look(ways, seen, 30, 40) == (ways, 30)  # 20 for two of them, 20 for channel
    assert next_look(ways, seen, 30, 39) == (ways[:2], 20)


def test_of_equal_ones_the_simplest_is_the_best():
    seen = {0: measured([1, 0, 1, 0]), 1: measured([1, 1, 1, 0]), 2: measured([0, 1, 1, 1])}
    assert pick(space(3), seen, "best").place == 1


def test_the_simplest_within_a_standard_error_of_the_best():
    """Differences of one row in 16: mean 1/16, standard error sqrt(15/256/16) = 0.0605."""
    top = [True] * 16
    one_worse, two_worse = [False, *top[1:]], [False, False, *top[2:]]
    assert pick(space(2), {0: measured(one_worse), 1: measured(top)}, "simplest").place == 1
    # two rows lost and one won: mean 1/16, standard error 0.1074
    seen = {0: measured([*two_worse[:15], True]), 1: measured([*top[:15], False])}
    assert pick(space(2), seen, "simplest").place == 0
    assert pick(space(2), seen, "best").place == 1
    assert pick(space(2), {}, "best") is None
