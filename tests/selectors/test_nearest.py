import numpy as np
import pytest

from promptkit.errors import SpecError
from promptkit.protocols import CanEncode
from promptkit.selectors.nearest import NearestSelector
from promptkit.types import Example
from tests.selectors.trigrams import Trigrams

#: cosines with "east": 1, 0.8, 0, -1
VECTORS = {"east": (1, 0), "east by north": (0.8, 0.6), "north": (0, 1), "west": (-1, 0)}


class Compass:
    def encode(self, texts):
        return np.array([VECTORS[text.partition("#")[0]] for text in texts], np.float32)


def rows(*texts):
    return [Example(f"r{i}", {"t": text}, i % 2) for i, text in enumerate(texts)]


EAST = Example("q", {"t": "east"})


def ids(shots):
    return [shot.id for shot in shots]


def test_the_nearest_stands_last_or_first():
    pool = rows("west", "north", "east by north")
    assert ids(NearestSelector(encoder=Compass()).fit(pool).select(EAST, 2)) == ["r1", "r2"]
    first = NearestSelector(encoder=Compass(), order="nearest_first").fit(pool)
    assert ids(first.select(EAST, 3)) == ["r2", "r1", "r0"]


def test_ties_go_to_the_lower_id():
    pool = rows("north#1", "north#2", "north#3", "west")
    selector = NearestSelector(encoder=Compass(), order="nearest_first").fit(pool[::-1])
    assert ids(selector.select(EAST, 2)) == ["r0", "r1"]


def test_a_copy_of_the_query_is_not_its_own_nearest_neighbour():
    # OpenICL's and DSPy's nearest neighbours have no guard: the copy is the first one found.
    pool = rows("EAST ", "east by north")
    vectors = {**VECTORS, "EAST ": (1, 0)}

    class Loud:
        def encode(self, texts):
            return np.array([vectors[text] for text in texts], np.float32)

    assert ids(NearestSelector(encoder=Loud()).fit(pool).select(EAST, 1)) == ["r1"]


def test_without_an_encoder_it_cannot_be_fitted():
    with pytest.raises(SpecError, match="needs an encoder"):
        NearestSelector().fit(rows("east"))


def test_the_pool_is_embedded_once_and_each_query_once():
    encoder = Trigrams()
    assert isinstance(encoder, CanEncode)
    selector = NearestSelector(encoder=encoder).fit(rows("one", "two", "ONE "))
    assert encoder.calls == [["one", "two"]]
    for _ in range(3):
        selector.select(EAST, 1)
    assert encoder.calls[1:] == [["east"]]


def test_preparing_changes_the_calls_and_not_the_shots():
    pool = rows("tea for two", "tea time", "the sun", "a map")
    queries = [Example(f"q{i}", {"t": text}) for i, text in enumerate(["tea", "sun", "map", "tea"])]
    lazy = NearestSelector(encoder=Trigrams()).fit(pool)
    encoder = Trigrams()
    eager = NearestSelector(encoder=encoder).fit(pool)
    eager.prepare(queries)
    eager.prepare(queries)
    assert [eager.select(q, 2) for q in queries] == [lazy.select(q, 2) for q in queries]
    assert encoder.calls[1:] == [["tea", "sun", "map"]]


def test_noise_in_the_last_bits_decides_no_order():
    class Noisy:
        def encode(self, texts):
            noise = np.random.default_rng(len(texts)).normal(0, 1e-8, (len(texts), 2))
            return Compass().encode(texts) + noise.astype(np.float32)

    pool = rows(*(f"north#{i}" for i in range(9)))
    selector = NearestSelector(encoder=Noisy(), order="nearest_first").fit(pool)
    assert ids(selector.select(EAST, 3)) == ["r0", "r1", "r2"]


def test_a_pool_of_a_hundred_thousand_rows_is_searched():
    class Chance:
        def encode(self, texts):
            vectors = np.random.default_rng(0).normal(size=(len(texts), 64)).astype(np.float32)
            return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    pool = [Example(f"r{i:06}", {"t": f"text {i}"}, i % 2) for i in range(100_000)]
    selector = NearestSelector(encoder=Chance()).fit(pool)
    queries = [Example(f"q{i}", {"t": f"query {i}"}) for i in range(20)]
    selector.prepare(queries)
    assert all(len(selector.select(query, 8)) == 8 for query in queries)
