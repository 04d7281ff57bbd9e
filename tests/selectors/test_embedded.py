import numpy as np
import pytest

from promptkit.errors import SpecError
from promptkit.selectors import embedded
from promptkit.selectors.embedded import EmbeddedPool
from promptkit.selectors.pool import Pool
from promptkit.types import Example
from tests.selectors.plane import EAST, Plane, row


class Chance:
    """Random unit vectors that follow from the text."""

    def encode(self, texts):
        vectors = np.stack(
            [np.random.default_rng(list(text.encode())).normal(size=48) for text in texts]
        )
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def of(pool, encoder=None):
    return EmbeddedPool(Pool.of(pool), encoder or Plane(), "nearest")


POOL = [row("r0", "0,1", "a"), row("r1", "4,3", "a"), row("r2", "4,-3", "b"), row("r3", "1,0", "b")]


def found(pool, *given, **named):
    places, cosines = pool.nearest(*given, **named)
    return places.tolist(), cosines.tolist()


def test_the_nearest_come_first_with_their_cosines_and_ties_go_to_the_lower_place():
    pool = of(POOL)
    assert found(pool, EAST, 2) == ([3, 1], [1.0, 0.8])
    assert found(pool, EAST, 9) == ([3, 1, 2, 0], [1.0, 0.8, 0.8, 0.0])


def test_barred_places_and_places_that_are_not_among_those_asked_for_do_not_come_back():
    pool = of(POOL)
    assert found(pool, EAST, 2, {3, 1}) == ([2, 0], [0.8, 0.0])
    assert found(pool, EAST, 1, {3}, np.array([0, 2, 3])) == ([2], [0.8])
    assert found(pool, EAST, 1, {3}, np.array([3])) == ([], [])
    assert found(pool, EAST, 0) == ([], [])


def test_many_queries_searched_together_find_what_each_finds_alone():
    rows = [Example(f"r{i:04}", {"t": f"row {i}"}, i % 3) for i in range(700)]
    queries = [Example(f"q{i}", {"t": f"query {i}"}) for i in range(150)]  # more than two blocks
    together, alone = of(rows, Chance()), of(rows, Chance())
    together.prepare(queries)
    order = np.random.default_rng(0).permutation(len(queries))
    for place in order:
        assert found(together, queries[place], 5) == found(alone, queries[place], 5)


def test_waiting_queries_share_one_product_with_the_pool(monkeypatch):
    rows = [Example(f"r{i:04}", {"t": f"row {i}"}, 0) for i in range(50)]
    queries = [Example(f"q{i}", {"t": f"query {i}"}) for i in range(10)]
    monkeypatch.setattr(embedded, "_COSINES", 200)  # four queries of fifty rows
    pool = of(rows, Chance())
    pool.prepare(queries)
    blocks = []
    for query in queries:
        pool.nearest(query, 3)
        blocks.append(list(pool._cosines))
    names = [f"query {i}" for i in range(10)]
    assert blocks == [names[:4]] * 4 + [names[4:8]] * 4 + [names[8:]] * 2


def test_the_cosines_of_whole_pools_decide_no_order_by_their_last_bits(monkeypatch):
    # As if the product of many were off, each row otherwise.
    pool = of([row(f"r{i}", "4,3", "a") for i in range(40)])
    noise = np.random.default_rng(0).normal(0, 1e-6, 40).astype(np.float32)
    monkeypatch.setattr(pool, "_rough", lambda query: np.float32(0.8) + noise)
    assert found(pool, EAST, 3) == ([0, 1, 2], [0.8, 0.8, 0.8])


def test_vectors_of_queries_are_forgotten_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr(embedded, "_REMEMBERED", 4)
    pool = of(POOL)
    for start in range(0, 30, 3):
        pool.prepare([Example(f"q{i}", {"t": f"{i},1"}) for i in range(start, start + 3)])
        assert len(pool._seen) <= 4
        assert found(pool, EAST, 1)[0] == [3]


def test_an_empty_pool_embeds_nothing():
    encoder = Plane()
    pool = of([], encoder)
    assert found(pool, EAST, 3) == ([], [])
    assert encoder.calls == 0


def test_without_an_encoder_there_is_none():
    with pytest.raises(SpecError, match="selector 'nearest' needs an encoder"):
        EmbeddedPool(Pool.of(POOL), None, "nearest")
