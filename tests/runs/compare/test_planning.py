"""Which cells come first, and which a budget drops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.runs.compare.nouns import Draw, Entry
from promptkit.runs.compare.planning import EVERY_ROW, cells_for, within_budget

BASELINE = Entry("majority", "majority", {}, "", 0, always=True)
ZERO = Entry("zero-shot", "in_context", {}, "m", 1, fits=False, always=True)
CHEAP = Entry("cheap", "features", {}, "m", 2)
DEAR = Entry("dear", "full", {}, "m", 3)
DRAWS = [Draw(i, 0, i, tuple(range(10, 50)), tuple(range(i, i + 5))) for i in (0, 5)]
DRAWS = [Draw(n, 0, n, draw.train, draw.held) for n, draw in enumerate(DRAWS)]
COST = {"majority": 1.0, "zero-shot": 2.0, "cheap": 3.0, "dear": 100.0}


def seconds(entry, n_train, n_held):
    return COST[entry.name] * (1 + n_train / 40)


def planned(design="cv", sizes=(0, 8, None)):
    return cells_for([BASELINE, ZERO, CHEAP, DEAR], DRAWS, sizes, design, seconds)


def names(cells):
    return [(cell.entry.name, cell.size, cell.draw) for cell in cells]


def test_what_always_survives_comes_first_then_all_rows_then_fewer():
    assert names(planned()) == [
        ("majority", None, 0), ("majority", 8, 0), ("majority", None, 1), ("majority", 8, 1),
        ("zero-shot", 0, EVERY_ROW),
        ("cheap", None, 0), ("dear", None, 0), ("cheap", None, 1), ("dear", None, 1),
        ("cheap", 8, 0), ("dear", 8, 0), ("cheap", 8, 1), ("dear", 8, 1),
    ]  # fmt: skip


def test_an_entry_that_rows_do_not_change_predicts_every_held_out_row_once():
    (cell,) = [cell for cell in planned() if cell.entry is ZERO]
    assert (cell.n_train, cell.n_held) == (0, 10)


def test_on_a_fixed_test_set_all_rows_are_drawn_once():
    whole = [name for name in names(planned("test")) if name[1] is None]
    assert whole == [("majority", None, 0), ("cheap", None, 0), ("dear", None, 0)]


def test_without_a_budget_nothing_is_dropped():
    assert not any(cell.dropped for cell in within_budget(planned(), None))


def test_the_dearest_go_first_and_an_entrys_later_draw_never_outlives_its_earlier_one():
    cells = within_budget(planned(), 30.0)
    kept = names(cell for cell in cells if not cell.dropped)
    assert ("cheap", None, 0) in kept
    assert ("cheap", None, 1) in kept
    assert not any(name == "dear" for name, _, _ in kept)


def test_time_that_is_spent_counts():
    late = [c for c in within_budget(planned(), 30.0, spent=29.0) if not c.dropped]
    assert {cell.entry.name for cell in late} == {"majority", "zero-shot"}


@given(st.floats(0.1, 1000), st.floats(0, 500))
def test_a_budget_is_kept_by_all_that_may_be_dropped(budget, spent):
    cells = within_budget(planned(), budget, spent)
    sure = sum(cell.seconds for cell in cells if cell.entry.always)
    rest = sum(cell.seconds for cell in cells if not cell.dropped and not cell.entry.always)
    assert not any(cell.dropped for cell in cells if cell.entry.always)
    assert rest == 0 or spent + sure + rest <= budget + 1e-9
    assert names(cells) == names(planned())


def test_predicted_seconds_are_those_of_the_cells_rows():
    dear = next(cell for cell in planned() if cell.entry is DEAR and cell.size is None)
    assert dear.seconds == pytest.approx(200.0)
