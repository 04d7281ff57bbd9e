"""Clusters: one row of each, where nothing is labelled yet first."""

import numpy as np

from promptkit.runs.label_next.spread import diverse, typical

#: Three groups, of five, four and three rows around a middle that is itself a row.
MIDDLES = ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0))
GROUPS = np.array(
    [
        (x + dx, y + dy)
        for (x, y), n in zip(MIDDLES, (5, 4, 3), strict=True)
        for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))[:n]
    ]
)
GROUP = np.repeat([0, 1, 2], (5, 4, 3))


def test_the_middle_of_each_group_is_typical_and_the_largest_group_comes_first():
    places, sizes = typical(GROUPS, 3, seed=0)
    assert places.tolist() == [0, 5, 9]
    assert sizes.tolist() == [5, 4, 3]


def test_groups_without_a_label_come_first():
    places, _ = typical(GROUPS, 2, seed=0, labelled=1)  # the middle of the first group
    assert [GROUP[place + 1] for place in places] == [1, 2]


def test_no_row_comes_twice_and_no_more_than_there_are():
    places, _ = typical(GROUPS, 50, seed=0)
    assert sorted(places) == list(range(12))


def test_unsure_rows_of_different_groups_are_diverse():
    worth = np.where(GROUP == 1, 0.9, 0.8)
    places = diverse(GROUPS, worth, 3, seed=0)
    assert sorted(GROUP[places]) == [0, 1, 2]
    assert GROUP[places[0]] == 1  # the most unsure first


def test_as_many_come_as_were_asked_for_though_texts_are_alike():
    assert len(set(diverse(np.ones((30, 2)), np.linspace(0, 1, 30), 2, seed=0).tolist())) == 2
