import pytest

from promptkit.errors import SpecError
from promptkit.selectors.nearest_per_class import NearestPerClassSelector, rounds_for
from promptkit.types import Example, label_key
from tests.selectors.plane import EAST, Plane, ids, row

#: Cosines with east: a 0.96, 0.8, 0.6; b 0.28, 0; c -1.
POOL = [
    row("r0", "24,7", "a"),
    row("r1", "4,3", "a"),
    row("r2", "3,4", "a"),
    row("r3", "7,24", "b"),
    row("r4", "0,1", "b"),
    row("r5", "-1,0", "c"),
]


def shown(k, pool=POOL, query=EAST):
    return ids(NearestPerClassSelector(encoder=Plane()).fit(pool).select(query, k))


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, ["r0"]),
        (2, ["r3", "r0"]),  # below the number of labels: those with the most similar rows
        (3, ["r5", "r3", "r0"]),
        (4, ["r1", "r5", "r3", "r0"]),  # the second round begins with 0.8 of a, not 0 of b
        (5, ["r4", "r1", "r5", "r3", "r0"]),  # c has no second row
        (6, ["r2", "r4", "r1", "r5", "r3", "r0"]),
        (9, ["r2", "r4", "r1", "r5", "r3", "r0"]),
    ],
)
def test_labels_take_turns_and_what_is_taken_first_stands_last(k, expected):
    assert shown(k) == expected


def test_where_nearest_would_show_one_class_every_class_is_shown():
    pool = [row(f"a{i}", f"9,{i}", "a") for i in range(8)] + [row("b", "-1,1", "b")]
    assert ids(NearestPerClassSelector(encoder=Plane()).fit(pool).select(EAST, 2)) == ["b", "a0"]


def test_ties_of_two_labels_go_to_the_lower_id():
    pool = [row("r1", "4,3", "a"), row("r0", "4,-3", "b"), row("r2", "4,3", "b")]
    assert shown(1, pool) == ["r0"]
    assert shown(3, pool) == ["r2", "r1", "r0"]


def test_the_query_takes_no_turn_of_its_class():
    # Without r3 itself, b's nearest is r4, whose cosine with (0.28, 0.96) is 0.96; that of a's
    # nearest, r2 (0.6, 0.8), is 0.936.
    assert shown(3, query=POOL[3]) == ["r5", "r2", "r4"]
    copy = Example("elsewhere", {"t": POOL[3].fields["t"].upper()})
    assert shown(3, query=copy) == ["r5", "r2", "r4"]


def test_a_class_that_is_the_query_alone_is_left_out():
    assert shown(2, query=POOL[5]) == ["r2", "r4"]  # cosines with west: b 0, a -0.6


def test_labels_that_python_holds_equal_are_different_ones():
    labels = [0, False, 0.0, "", ("x", 0), ("x", False)]
    pool = [row(f"{place}{n}", "1,1", x) for place, x in enumerate(labels) for n in "ab"]
    shots = NearestPerClassSelector(encoder=Plane()).fit(pool).select(EAST, 6)
    assert {label_key(shot.label) for shot in shots} == {label_key(label) for label in labels}


def test_rounds_are_as_many_as_it_takes():
    assert [rounds_for([1, 5, 5], k) for k in (0, 1, 3, 4, 5, 6, 11, 99)] == [
        0, 1, 1, 2, 2, 3, 5, 5,
    ]  # fmt: skip
    assert rounds_for([], 3) == 0


def test_without_an_encoder_it_cannot_be_fitted():
    with pytest.raises(SpecError, match="'nearest_per_class' needs an encoder"):
        NearestPerClassSelector().fit(POOL)
