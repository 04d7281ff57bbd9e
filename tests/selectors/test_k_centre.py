import pytest

from promptkit.errors import SpecError
from promptkit.selectors.k_centre import KCentreSelector
from promptkit.types import Example
from tests.selectors.plane import EAST, Plane, ids, row

#: East, north, west and north-east: r3's cosines are 0.8 with r0 and 0.6 with r1.
POOL = [
    row("r0", "1,0", "a"),
    row("r1", "0,1", "a"),
    row("r2", "-1,0", "b"),
    row("r3", "4,3", "b"),
]


def fitted(seed, pool=POOL):
    return KCentreSelector(seed, encoder=Plane()).fit(pool)


def test_each_centre_is_the_row_whose_nearest_centre_is_farthest():
    # sha256("0//r0") is the least of the four. From r0: r1 0, r2 -1, r3 0.8: so r2. Then r1's
    # nearest centre is at 0 and r3's at 0.8.
    assert ids(fitted(0).select(EAST, 4)) == ["r0", "r2", "r1", "r3"]


def test_the_seed_draws_the_first_centre():
    # From r3: r0 0.8, r1 0.6, r2 -0.8: r2. Then r0 0.8 and r1 max(0.6, 0) = 0.6: r1.
    assert ids(fitted(1).select(EAST, 4)) == ["r3", "r2", "r1", "r0"]
    # From r1: r0 0, r2 0, r3 0.6; the tie goes to r0. Then r2 0, r3 0.8.
    assert ids(fitted(2).select(EAST, 4)) == ["r1", "r0", "r2", "r3"]


def test_every_query_is_shown_the_same_whatever_was_asked_before():
    selector = fitted(0)
    queries = [Example(f"q{i}", {"t": f"{i},1"}) for i in range(5)]
    assert [ids(selector.select(query, 2)) for query in queries] == [["r0", "r2"]] * 5
    assert ids(selector.select(EAST, 3)) == ["r0", "r2", "r1"]
    assert ids(selector.select(EAST, 1)) == ["r0"]


def test_a_query_among_the_centres_gets_the_next_one_instead():
    selector = fitted(0)
    assert ids(selector.select(POOL[2], 2)) == ["r0", "r1"]
    copy = Example("elsewhere", {"t": "1,0  R0"})
    assert ids(selector.select(copy, 2)) == ["r2", "r1"]
    assert ids(selector.select(POOL[0], 9)) == ["r2", "r1", "r3"]


def test_rows_at_one_point_are_shown_once_all_points_are():
    pool = [row(f"r{i}", "1,0", "a") for i in range(3)] + [row("r3", "0,1", "a")]
    shown = ids(fitted(0, pool).select(EAST, 4))
    assert shown == ["r0", "r3", "r1", "r2"]


def test_no_query_is_embedded():
    encoder = Plane()
    selector = KCentreSelector(encoder=encoder).fit(POOL)
    selector.select(EAST, 3)
    assert encoder.calls == 1


def test_without_an_encoder_it_cannot_be_fitted():
    with pytest.raises(SpecError, match="'k_centre' needs an encoder"):
        KCentreSelector().fit(POOL)
