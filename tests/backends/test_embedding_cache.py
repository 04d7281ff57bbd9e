"""Vectors of pools are kept from run to run; a run is told nothing else by them."""

import numpy as np
import pytest

from promptkit.backends import embedding_cache
from promptkit.backends.embedding_cache import KeptEncoder


class Counting:
    """(1, 0) turned by the length of the text; remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        angles = np.array([len(text) for text in texts], np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(embedding_cache, "_CHUNK", 5)
    monkeypatch.setattr(embedding_cache, "_WORTH", 3)


TEXTS = ["", "a", "bb", "a", "ccc", "\ud800", "eeeee", "ffffff", "a", "gg gggg"]


def test_each_text_is_embedded_once_and_comes_back_in_its_place(tmp_path):
    encoder = Counting()
    kept = KeptEncoder(encoder, "model", tmp_path)
    expected = Counting().encode(TEXTS)
    for _ in range(2):
        assert np.array_equal(kept.encode(TEXTS), expected)
    assert sorted(encoder.asked) == sorted(set(TEXTS))


def test_another_run_reads_them_from_the_disk(tmp_path):
    first = KeptEncoder(Counting(), "model", tmp_path).encode(TEXTS)
    later = Counting()
    assert np.array_equal(KeptEncoder(later, "model", tmp_path).encode(TEXTS), first)
    assert later.asked == []
    assert [folder.name for folder in tmp_path.iterdir()] == ["model-sentence"]


def test_another_model_reads_nothing_of_it(tmp_path):
    KeptEncoder(Counting(), "model", tmp_path).encode(TEXTS)
    other = Counting()
    KeptEncoder(other, "another", tmp_path).encode(TEXTS)
    assert len(other.asked) == len(set(TEXTS))


def test_a_few_texts_make_no_file(tmp_path):
    encoder = Counting()
    kept = KeptEncoder(encoder, "model", tmp_path)
    kept.encode(["a", "bb"])
    kept.encode(["a", "bb"])
    assert encoder.asked == ["a", "bb"]  # but are held in memory
    assert not list(tmp_path.rglob("*.safetensors"))


def test_without_a_folder_memory_alone_is_used(tmp_path):
    encoder = Counting()
    kept = KeptEncoder(encoder, "model", None)
    kept.encode(TEXTS)
    kept.encode(TEXTS)
    assert len(encoder.asked) == len(set(TEXTS))


def test_what_memory_cannot_hold_is_right_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_cache, "_REMEMBERED", 20)  # two vectors
    kept = KeptEncoder(Counting(), "model", tmp_path)
    for _ in range(2):
        assert np.array_equal(kept.encode(TEXTS), Counting().encode(TEXTS))


def test_no_texts_have_no_vectors():
    assert KeptEncoder(Counting(), "model", None).encode([]).shape == (0, 0)


def test_a_file_that_cannot_be_read_is_computed_again(tmp_path):
    first = KeptEncoder(Counting(), "model", tmp_path).encode(TEXTS)
    for file in tmp_path.rglob("*.safetensors"):
        file.write_bytes(b"broken")
    again = Counting()
    assert np.array_equal(KeptEncoder(again, "model", tmp_path).encode(TEXTS), first)
    assert len(again.asked) == len(set(TEXTS))
