import numpy as np
import pytest

from promptkit.errors import SpecError
from promptkit.selectors.dpp import DPPSelector
from promptkit.selectors.nearest import NearestSelector
from promptkit.types import Example
from tests.selectors.plane import EAST, Plane, ids, row

#: Likeness (1 + cosine) / 2 to east: r0 and r1 0.98, r2 0.9, r3 0.5.
#: To r0: r1 1, r2 0.8, r3 0.64; of r2 and r3: 0.2.
POOL = [
    row("r0", "24,7", "a"),
    row("r1", "48,14", "a"),
    row("r2", "4,-3", "b"),
    row("r3", "0,1", "b"),
]


def taken(trade_off, k, **options):
    """As taken: the first one stands last in the prompt."""
    selector = DPPSelector(encoder=Plane(), trade_off=trade_off, **options)
    return ids(selector.fit(POOL).select(EAST, k))[::-1]


def test_each_row_is_the_one_that_adds_most_to_the_determinant():
    # After r0, r2 is new by 1 - 0.64 = 0.36 and r3 by 1 - 0.4096 = 0.5904.
    # trade_off 1: 0.9 + log 0.36 = -0.122 and 0.5 + log 0.5904 = -0.027.
    assert taken(1, 2) == ["r0", "r3"]
    # trade_off 0.1: 9 + log 0.36 = 7.98 and 5 + log 0.5904 = 4.47.
    assert taken(0.1, 2) == ["r0", "r2"]


def test_the_switch_is_where_relevance_outweighs_what_is_new():
    # (0.9 - 0.5) / trade_off = log(0.5904 / 0.36) = 0.4947: trade_off 0.8086.
    assert taken(0.80, 2) == ["r0", "r2"]
    assert taken(0.82, 2) == ["r0", "r3"]


def test_a_row_that_says_nothing_new_comes_last():
    # r1 stands where r0 does: 0 is left of it.
    assert taken(1, 4) == ["r0", "r3", "r2", "r1"]
    assert taken(0.1, 4) == ["r0", "r2", "r3", "r1"]


def test_greedy_choices_are_those_of_whole_determinants():
    class Chance:
        def encode(self, texts):
            own = np.stack([np.random.default_rng(int(text)).normal(size=12) for text in texts])
            return (own / np.linalg.norm(own, axis=1, keepdims=True)).astype(np.float32)

    pool = [Example(f"r{i:02}", {"t": str(i)}, i % 3) for i in range(20)]
    encoder = Chance()
    selector = DPPSelector(encoder=encoder, trade_off=0.4).fit(pool)
    vectors = encoder.encode([row.fields["t"] for row in pool]).astype(float)
    for query in pool[:5]:
        own = encoder.encode([query.fields["t"]])[0].astype(float)
        r = np.exp((1 + vectors @ own) / 2 / (2 * 0.4))
        kernel = r[:, None] * (1 + vectors @ vectors.T) / 2 * r
        chosen = []
        for _ in range(5):
            left = [i for i, row in enumerate(pool) if i not in chosen and row.id != query.id]
            sets = [np.ix_([*chosen, i], [*chosen, i]) for i in left]
            chosen.append(left[int(np.argmax([np.linalg.det(kernel[one]) for one in sets]))])
        assert ids(selector.select(query, 5))[::-1] == [pool[i].id for i in chosen]


def test_a_tiny_trade_off_is_nearest_and_overflows_nowhere():
    pool = [row(f"r{i}", f"9,{i}", "a") for i in range(9)]
    dpp = DPPSelector(encoder=Plane(), trade_off=1e-9).fit(pool)
    assert dpp.select(EAST, 2) == NearestSelector(encoder=Plane()).fit(pool).select(EAST, 2)


def test_candidates_bound_what_is_chosen_among_and_k_goes_before_them():
    assert taken(1, 2, candidates=3) == ["r0", "r2"]
    assert taken(1, 3, candidates=2) == ["r0", "r2", "r1"]


@pytest.mark.parametrize("options", [{"trade_off": 0}, {"trade_off": -1}, {"candidates": 0}])
def test_options_out_of_range_are_errors(options):
    with pytest.raises(SpecError, match=f"option '{next(iter(options))}' is"):
        DPPSelector(**options)
