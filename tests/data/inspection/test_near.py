"""Near-duplicates against the plain comparison of all with all."""

import random
from itertools import combinations

import pytest

from promptkit.data.inspection import near
from promptkit.data.inspection.near import bands_for, check_near, jaccard, near_pairs, shingles
from promptkit.errors import MissingExtra, SpecError

WORDS = "the card was lost and my new phone did not come in time although it was paid".split()


@pytest.fixture(scope="module")
def texts():
    draw = random.Random(0)
    made = []
    for _ in range(120):
        words = draw.choices(WORDS, k=16)
        made.append(" ".join(words))
        words[draw.randrange(16)] = draw.choice(WORDS)
        made.append(" ".join(words))
    return list(dict.fromkeys(made))


def test_pairs_are_those_of_comparing_all_with_all(texts):
    exact = {
        (later, earlier)
        for earlier, later in combinations(range(len(texts)), 2)
        if jaccard(shingles(texts[earlier]), shingles(texts[later])) >= 0.8
    }
    found = {(pair.text, pair.other) for pair in near_pairs(texts, 0.8)}
    assert found <= exact  # similarity is computed, never estimated
    assert len(found) > 0.97 * len(exact) > 60


def test_bands_are_cut_so_that_pairs_at_the_threshold_are_found():
    assert bands_for(0.8) == (18, 7)  # 1 - (1 - 0.8**7) ** 18 = 0.985
    assert bands_for(1) == (1, 128)
    for threshold in (0.5, 0.7, 0.9, 0.99):
        bands, width = bands_for(threshold)
        assert 1 - (1 - threshold**width) ** bands >= 0.98


def test_the_same_seed_finds_the_same_pairs(texts):
    assert list(near_pairs(texts, 0.8, seed=3)) == list(near_pairs(texts, 0.8, seed=3))


def test_similarity_is_that_of_character_5_grams():
    assert shingles("abcdefg") == {"abcde", "bcdef", "cdefg"}
    assert shingles("abc") == {"abc"}
    assert jaccard(shingles("abcdefg"), shingles("abcdefx")) == 2 / 4


def test_thousands_of_like_texts_do_not_take_all_pairs():
    texts = [f"your order number {n:05d} has been sent and will reach you tomorrow" for n in
             range(1500)]  # fmt: skip
    pairs = list(near_pairs(texts, 0.7))
    assert len({pair.text for pair in pairs}) > 1400
    assert len(pairs) < 1500 * 40 * near.BUCKET


def test_empty_texts_and_half_characters_do_no_harm():
    half = "half a character \ud83d in a sentence that is long enough"
    assert [pair.text for pair in near_pairs(["", half, half + "!"], 0.8)] == [2]


@pytest.mark.parametrize("threshold", [0, 0.4, 1.1, float("nan")])
def test_a_threshold_that_cannot_be_is_refused(threshold):
    with pytest.raises(SpecError, match=r"give a similarity from 0\.5 to 1"):
        check_near(threshold)


def test_without_datasketch_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(near, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'promptkit\[check\]'"):
        check_near(0.8)
