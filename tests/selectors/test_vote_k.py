import pytest

from promptkit.errors import SpecError
from promptkit.selectors.vote_k import VoteKSelector
from promptkit.types import Example
from tests.selectors.plane import EAST, Plane, ids, row

#: Cosines: r0 with r1 0.96, r2 0.8, r3 0; r1 with r2 0.936, r3 0.28; r2 with r3 0.6.
#: So r0 votes for r1, r1 for r0, r2 for r1 and r3 for r2.
POOL = [
    row("r0", "1,0", "a"),
    row("r1", "24,7", "a"),
    row("r2", "4,3", "b"),
    row("r3", "0,1", "b"),
]


def fitted(pool=POOL, **options):
    return VoteKSelector(encoder=Plane(), **{"neighbours": 1, **options}).fit(pool)


def test_each_row_elected_has_most_of_the_votes_that_still_count():
    # r1 has two votes. Then r0's and r2's count a tenth, and r1's none: r2 has r3's vote, r0 and
    # r3 have none; of these the lower id goes first.
    assert ids(fitted().select(EAST, 4)) == ["r1", "r2", "r0", "r3"]


def test_a_voter_with_two_elected_neighbours_counts_a_hundredth():
    # Two votes each: r0 for r1 r2, r1 for r0 r2, r2 for r1 r0, r3 for r2 r1. Three votes have r1
    # and r2, two has r0: r1 goes first. Then r1 counts no more, and r0, r2 and r3 a tenth: r0 has
    # r2's, r2 those of r0 and r3, r3 none: r2. Then r0 and r3 count a hundredth and nobody votes
    # for r0 or r3 any more.
    selector = fitted(neighbours=2)
    assert ids(selector.select(EAST, 4)) == ["r1", "r2", "r0", "r3"]
    assert selector.weights_.tolist() == pytest.approx([0.0, 0.0, 0.0, 0.0])
    selector = fitted(neighbours=2)
    selector.select(EAST, 2)
    by_row = dict(zip(selector.voters_.tolist(), selector.weights_.tolist(), strict=True))
    assert by_row == pytest.approx({0: 0.01, 1: 0.0, 2: 0.0, 3: 0.01})


def test_every_query_is_shown_the_same_whatever_was_asked_before():
    selector = fitted()
    assert ids(selector.select(EAST, 3)) == ["r1", "r2", "r0"]
    queries = [Example(f"q{i}", {"t": f"{i},1"}) for i in range(5)]
    assert [ids(selector.select(query, 2)) for query in queries] == [["r1", "r2"]] * 5


def test_an_elected_query_gets_the_next_row_instead():
    assert ids(fitted().select(POOL[1], 2)) == ["r2", "r0"]
    copy = Example("elsewhere", {"t": "24,7  R1"})
    assert ids(fitted().select(copy, 2)) == ["r2", "r0"]


def test_of_a_large_pool_some_drawn_rows_vote():
    pool = [row(f"r{i:02}", f"{i},9", "a") for i in range(30)]
    one, other = (fitted(pool, voters=5, neighbours=3, seed=seed) for seed in (0, 1))
    assert len(one.voters_) == 5
    assert one.votes_.shape == (5, 3)
    assert sorted(one.voters_) != sorted(other.voters_)
    assert len(one.select(EAST, 30)) == 30


def test_a_dense_group_gets_one_seat_before_a_far_row_gets_its_own():
    pool = [row(f"a{i}", f"100,{i}", "a") for i in range(6)]
    pool += [row(f"b{i}", f"{i},100", "b") for i in range(4)]
    # a2 has the votes of a0, a1 and a3; a3 those of a2, a4 and a5, of which a2's counts no more;
    # b1 has those of b0, b2 and b3.
    assert ids(fitted(pool, neighbours=2).select(Example("q", {"t": "1,1"}), 2)) == ["a2", "b1"]


@pytest.mark.parametrize("options", [{"discount": 1}, {"neighbours": 0}, {"voters": 0}])
def test_options_out_of_range_are_errors(options):
    with pytest.raises(SpecError, match=f"option '{next(iter(options))}' is"):
        VoteKSelector(**options)
