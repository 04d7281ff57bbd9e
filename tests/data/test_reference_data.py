"""The evaluation data beside a developer's checkout, read as a user would read it."""

from pathlib import Path

import pytest

from promptkit.data import apply_labels, load, train_split_of
from promptkit.errors import DataError

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no evaluation data at {DATA}"),
]


@pytest.mark.parametrize(
    ("name", "train", "test", "labels"),
    [
        ("sst2", 6920, 1821, 2),
        ("banking77", 10003, 3080, 77),
        ("trec", 5452, 500, 6),
        ("tweet_sentiment", 2000, 12284, 3),
    ],
)
def test_both_splits_load_with_the_cards_labels(name, train, test, labels):
    rows = load(DATA / name, fields=("text",))
    training = train_split_of(DATA / name, fields=("text",))
    assert (rows.name, rows.split, len(rows)) == (name, "test", test)
    assert training is not None
    assert len(training) == train
    assert rows.labels is not None
    assert len(rows.labels) == labels
    assert apply_labels(training, rows.labels) == (training, 0)


def test_the_development_split_is_there_to_be_named():
    assert len(load(DATA / "sst2", split="dev", fields=("text",))) == 872


def test_repeated_texts_get_ids_of_their_own():
    training = load(DATA / "trec", split="train", fields=("text",))
    ids = [row.id for row in training]
    assert len(set(ids)) == len(ids) == 5452
    assert sum("-" in row_id for row_id in ids) == 71


def test_the_known_empty_text_is_found():
    with pytest.raises(DataError, match=r"cr/test\.jsonl line 362: 'text' is empty"):
        load(DATA / "cr", fields=("text",))


def test_text_without_labels_loads_where_none_are_needed():
    rows = load(DATA / "prose", split="heldout", fields=("text",), require_labels=False)
    assert len(rows) == 994
    assert rows.labels is None
