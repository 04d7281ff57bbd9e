import pytest

from promptkit.errors import SpecError
from promptkit.selectors.mmr import MMRSelector
from promptkit.selectors.nearest import NearestSelector
from promptkit.types import Example
from tests.selectors.plane import EAST, Plane, ids, row
from tests.selectors.trigrams import Trigrams

#: Cosines with east: 0.96 twice (one direction), 0.8 on the other side, 0.
#: Cosines with r0: r1 1, r2 0.96 * 0.8 - 0.28 * 0.6 = 0.6, r3 0.28; r2 with r3: -0.6.
POOL = [
    row("r0", "24,7", "a"),
    row("r1", "48,14", "a"),
    row("r2", "4,-3", "b"),
    row("r3", "0,1", "b"),
]


def taken(diversity, k, **options):
    """As taken: the first one stands last in the prompt."""
    selector = MMRSelector(encoder=Plane(), diversity=diversity, **options)
    return ids(selector.fit(POOL).select(EAST, k))[::-1]


def test_a_second_row_in_one_direction_waits_for_one_that_says_something_new():
    # Half of each: r1 0.48 - 0.5 = -0.02, r2 0.4 - 0.3 = 0.1, r3 0 - 0.14 = -0.14; so r2, after
    # which r1 keeps -0.02 and r3 keeps -0.14, as its likeness to r0 is the greater one.
    assert taken(0.5, 2) == ["r0", "r2"]
    assert taken(0.5, 4) == ["r0", "r2", "r1", "r3"]


def test_without_diversity_it_is_nearest():
    assert taken(0, 4) == ["r0", "r1", "r2", "r3"]
    pool = [Example(f"r{i:02}", {"t": f"{w} {i % 7}"}, i % 3) for i, w in enumerate("abcd" * 8)]
    mmr = MMRSelector(encoder=Trigrams(), diversity=0).fit(pool)
    nearest = NearestSelector(encoder=Trigrams()).fit(pool)
    for query in pool:
        assert mmr.select(query, 6) == nearest.select(query, 6)


def test_with_nothing_but_diversity_the_first_row_is_still_the_nearest():
    # Then the one least like those taken: r3 (0.28), r2 (0.6), r1 (1).
    assert taken(1, 4) == ["r0", "r3", "r2", "r1"]


def test_the_weight_decides_where_the_switch_is():
    # r1 before r2 while (1 - d) * 0.96 - d > (1 - d) * 0.8 - 0.6 d: d below 0.16 / 0.56 = 2 / 7.
    assert taken(0.28, 2) == ["r0", "r1"]
    assert taken(0.29, 2) == ["r0", "r2"]


def test_candidates_bound_what_is_chosen_among_and_k_goes_before_them():
    assert taken(0.5, 2, candidates=2) == ["r0", "r1"]
    assert taken(0.5, 3, candidates=2) == ["r0", "r2", "r1"]


def test_shown_last_is_what_was_taken_first():
    assert ids(MMRSelector(encoder=Plane()).fit(POOL).select(EAST, 2)) == ["r2", "r0"]


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_a_weight_is_from_0_to_1(diversity):
    with pytest.raises(SpecError, match="must be from 0 to 1"):
        MMRSelector(diversity=diversity)


def test_candidates_are_one_or_more():
    with pytest.raises(SpecError, match="'candidates' is 0"):
        MMRSelector(candidates=0)
