import hashlib

import numpy as np

from promptkit.selectors.draw import Lots

NAMES = ["a", "b", "row 3", "ключ", "\ud800"]
WORD = 2**64 - 1


def digest(name):
    return hashlib.sha256(name.encode(errors="surrogatepass")).digest()


def by_hand(seed, query_id, name):
    """The same with Python's whole numbers, one row at a time."""

    def word(data):
        return int.from_bytes(data, "little")

    key = digest(f"{seed}/{query_id}/")
    lot = word(digest(name)[:8])
    for half in (key[:8], key[8:16]):
        lot ^= word(half)
        lot = (lot ^ lot >> 30) * 0xBF58476D1CE4E5B9 & WORD
        lot = (lot ^ lot >> 27) * 0x94D049BB133111EB & WORD
        lot ^= lot >> 31
    return (lot >> 11) / 2**53


def test_a_lot_follows_from_seed_query_and_name():
    for seed, query_id in ((0, "q"), (7, "q"), (0, "\udfff")):
        expected = [by_hand(seed, query_id, name) for name in NAMES]
        assert Lots(seed, NAMES).drawn(query_id).tolist() == expected


def test_a_row_keeps_its_lot_whichever_rows_stand_beside_it():
    few, all_ = Lots(1, NAMES[::2]).drawn("q"), Lots(1, NAMES).drawn("q")
    assert few.tolist() == all_[::2].tolist()
    assert Lots(1, NAMES).drawn("q", np.array([3, 1])).tolist() == all_[[3, 1]].tolist()


def test_drawing_changes_nothing():
    lots = Lots(0, NAMES)
    first = lots.drawn("q")
    lots.drawn("another")
    assert lots.drawn("q").tolist() == first.tolist()


def test_lots_are_even_and_of_two_queries_independent():
    lots = Lots(0, (f"r{i}" for i in range(20_000)))
    # query ids and seeds that differ little
    drawn = np.stack([lots.drawn(f"q{i}") for i in range(6)])
    other = Lots(1, (f"r{i}" for i in range(20_000))).drawn("q0")
    correlations = np.corrcoef(np.vstack([drawn, other])) - np.eye(7)
    assert abs(correlations).max() < 0.03  # standard deviation 0.007
    counts = np.histogram(drawn, bins=10, range=(0, 1))[0]
    assert abs(counts - 12_000).max() < 450  # standard deviation 104
    # of any two rows, each comes first half of the time
    pairs = np.mean([lots.drawn(f"q{i}")[:200] < lots.drawn(f"q{i}")[200:400] for i in range(300)])
    assert abs(pairs - 0.5) < 0.01


def test_no_rows_have_no_lots():
    assert Lots(0, []).drawn("q").tolist() == []
