"""Which demonstrations a prompt shows, and in which order."""

import pytest

from promptkit.errors import DataError
from promptkit.orders import ORDERS
from promptkit.prompts import find_template
from promptkit.selectors import SELECTORS
from promptkit.strategies.demonstrated import Demonstrated
from promptkit.types import Example
from tests.selectors.trigrams import Trigrams

LABELS = ("negative", "neutral", "positive")
POOL = [Example(f"r{i}", {"text": f"review {i}"}, LABELS[i % 3]) for i in range(9)]
ROWS = [Example(f"q{i}", {"text": f"review {i} and more"}) for i in range(4)]


def shown(order, selector="fixed", shots=4, rows=ROWS):
    """Ids of the shots of each prompt, as they stand in it."""
    built = order if order is None or not isinstance(order, str) else ORDERS.build(order, {})
    made = Demonstrated(
        find_template("sentiment_few_shot"), SELECTORS.build(selector, {}), shots, built
    )
    made.take(POOL)
    return [[shot.example_id for shot in prompt.shots] for prompt in made.prompts(rows)]


def test_without_an_order_shots_stand_as_they_were_selected():
    assert shown(None) == shown("as_selected")
    selector = SELECTORS.build("fixed", {}).fit(POOL)
    assert shown(None) == [[shot.id for shot in selector.select(row, 4)] for row in ROWS]


def test_an_order_arranges_the_shots_of_every_prompt():
    plain, mixed = shown(None), shown("random")
    assert [sorted(own) for own in mixed] == [sorted(own) for own in plain]
    assert mixed != plain
    arranger = ORDERS.build("random", {})
    by_id = {row.id: row for row in POOL}
    for row, before, after in zip(ROWS, plain, mixed, strict=True):
        assert [s.id for s in arranger.arrange(row, [by_id[id_] for id_ in before])] == after


def test_queries_and_shots_are_embedded_together_for_the_order():
    encoder = Trigrams()
    shown(ORDERS.build("nearest_last", {"encoder": encoder}))
    assert len(encoder.calls) == 1
    # the same four shots for all, none of them a copy of a query
    assert len(encoder.calls[0]) == len(ROWS) + 4


def test_without_shots_nothing_is_arranged():
    class Never:
        def fit(self, pool):
            raise AssertionError

        arrange = prepare = fit

    made = Demonstrated(
        find_template("sentiment_few_shot"), SELECTORS.build("none", {}), 0, Never()
    )
    made.take(POOL)
    assert [prompt.shots for prompt in made.prompts(ROWS)] == [()] * 4


@pytest.mark.parametrize("broken", [lambda shots: shots[1:], lambda shots: [shots[0], *shots[:-1]]])
def test_an_order_that_loses_or_doubles_a_shot_is_found_out(broken):
    class Broken:
        def fit(self, pool):
            return self

        def arrange(self, query, shots):
            return broken(list(shots))

    with pytest.raises(DataError, match=r"'q0': order Broken breaks its contract"):
        shown(Broken())
