"""Draws that depend on ids alone."""

import numpy as np

from promptkit.runs.label_next.draws import balanced, chance_order
from promptkit.types import Example

ROWS = [Example(str(number), {"text": f"row {number}"}) for number in range(20)]


def test_a_draw_depends_on_ids_and_not_on_the_order_of_rows():
    order = [ROWS[place].id for place in chance_order(ROWS, 0)]
    turned = ROWS[::-1]
    assert [turned[place].id for place in chance_order(turned, 0)] == order
    assert [ROWS[place].id for place in chance_order(ROWS, 1)] != order
    fewer = [row.id for row in ROWS if row.id != "7"]
    assert [one for one in order if one != "7"] == [
        [row for row in ROWS if row.id != "7"][place].id
        for place in chance_order([row for row in ROWS if row.id in fewer], 0)
    ]


def test_each_label_has_its_turn():
    order, said = np.array([4, 2, 0, 1, 3]), np.array([0, 0, 0, 1, 0])
    assert balanced(order, said, 3).tolist() == [4, 3, 2]
    assert sorted(balanced(order, said, 9).tolist()) == [0, 1, 2, 3, 4]
