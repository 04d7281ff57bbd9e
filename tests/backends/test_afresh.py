"""Inside a block that begins afresh, caches know only what was computed inside."""

import numpy as np

from promptkit.backends.afresh import afresh
from promptkit.backends.embedding import EmbeddingBackend
from promptkit.backends.feature_cache import FeatureCache
from promptkit.backends.feature_shards import Stored
from promptkit.types import Piece


def row(value):
    return Stored(np.full((1, 2), value, np.float32), 0, 2)


def test_a_cache_hides_what_it_knew_and_knows_it_again_afterwards(tmp_path):
    cache = FeatureCache(tmp_path, "model")
    cache.put("mean", {b"old": row(1)})
    with afresh():
        assert cache.get("mean", [b"old"]) == {}
        cache.put("mean", {b"new": row(2)})
        assert set(cache.get("mean", [b"old", b"new"])) == {b"new"}
        assert cache.get("cls", [b"new"]) == {}
    assert set(cache.get("mean", [b"old", b"new"])) == {b"old", b"new"}


def test_an_encoder_reads_again_what_it_remembers():
    encoder = EmbeddingBackend()
    text = (Piece("a text", True),)

    def computed():
        before = encoder.cost.computed_tokens
        encoder.vectors([text])
        return encoder.cost.computed_tokens - before

    assert computed() > 0
    assert computed() == 0
    with afresh():
        assert computed() > 0
        assert computed() == 0
    assert computed() == 0
