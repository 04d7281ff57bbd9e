import datasets
import pytest

from promptkit.data import load, train_split_of
from promptkit.data.row_stream import row_stream
from promptkit.errors import DataError


def rows(*texts):
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])}
    )
    content = {"text": list(texts), "label": [1] * len(texts)}
    return datasets.Dataset.from_dict(content, features=features)


@pytest.fixture
def hub(monkeypatch):
    """Stand in for ``load_dataset``; calls are noted."""
    calls = []

    def load_dataset(*args, **options):
        calls.append((args, options))
        return datasets.DatasetDict(train=rows("of train"), test=rows("of test", "too"))

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return calls


@pytest.mark.parametrize(
    ("source", "args", "split"),
    [
        ("hf:owner/name", ("owner/name", None), "test"),
        ("hf:owner/name:config", ("owner/name", "config"), "test"),
        ("hf:owner/name:train", ("owner/name", None), "train"),
        ("hf:owner/name:config:train", ("owner/name", "config"), "train"),
        ("hf:owner/name::train", ("owner/name", None), "train"),
        ("hf:imdb", ("imdb", None), "test"),
    ],
)
def test_an_id_names_data_set_configuration_and_split(hub, source, args, split):
    loaded = load(source, fields=("text",))
    # In particular, trust_remote_code is never among them.
    assert hub == [(args, {})]
    assert loaded.split == split
    assert loaded.origin == source
    assert loaded.labels == ("neg", "pos")
    assert loaded.examples[0].label == "pos"
    assert loaded.examples[0].fields == {"text": f"of {split}"}


def test_rows_are_named_by_id_and_split(hub):
    assert load("hf:owner/name", fields=("text",)).where(1) == "hf:owner/name [test] row 2"


def test_training_rows_come_from_the_same_place(hub):
    train = train_split_of("hf:owner/name", fields=("text",))
    assert train is not None
    assert train.split == "train"
    assert train_split_of("hf:owner/name:train", fields=("text",)) is None


def test_an_unknown_split_lists_those_there_are(hub):
    with pytest.raises(DataError, match="no split 'dev'; its splits are train, test"):
        load("hf:owner/name", split="dev", fields=("text",))


def test_two_different_splits_are_refused(hub):
    with pytest.raises(DataError, match="names the split 'train', and --split says 'test'"):
        load("hf:owner/name:train", split="test", fields=("text",))


@pytest.mark.parametrize("source", ["hf:", "hf:a:b:c:d"])
def test_a_malformed_id_is_refused(hub, source):
    with pytest.raises(DataError, match="write hf:owner/name"):
        load(source, fields=("text",))
    assert hub == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionError("Couldn't reach 'a/b' on the Hub (OfflineModeIsEnabled)"), "save_to_disk"),
        (FileNotFoundError("Dataset 'a/b' doesn't exist on the Hub"), "check the name"),
        (ValueError("Config name is missing.\nPlease pick one"), "name a configuration"),
        (RuntimeError("Dataset scripts are no longer supported"), "its own code run"),
        (KeyError(), "KeyError; check the name"),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(monkeypatch, error, told):
    def load_dataset(*args):
        raise error

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(DataError) as caught:
        load("hf:a/b", fields=("text",))
    assert told in str(caught.value)
    assert str(caught.value).startswith("hf:a/b: ")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.fixture
def parts(tmp_path):
    """A folder of Parquet files that `load_dataset` reads as it reads the Hub."""
    for split, n in (("train", 5), ("test", 3)):
        rows(*(f"{split} {i}" for i in range(n))).to_parquet(tmp_path / f"{split}-0.parquet")
    return f"hf:{tmp_path}"


def test_the_first_rows_come_without_the_others_and_with_their_classes(parts, monkeypatch):
    loaded = load(parts, fields=("text",), split="train", limit=2)
    assert [row.fields["text"] for row in loaded] == ["train 0", "train 1"]
    assert (loaded.labels, loaded.examples[0].label) == (("neg", "pos"), "pos")
    monkeypatch.setattr(datasets.Dataset, "iter", None)  # which reads what was downloaded
    assert load(parts, fields=("text",), limit=2).split == "test"


def test_rows_are_streamed_for_predictions(parts):
    stream = row_stream(f"{parts}:train", 2)
    assert stream.columns == ("text", "label")
    assert [len(batch) for batch in stream.batches] == [2, 2, 1]
    assert stream.place.file == f"{parts}:train [train]"


def test_columns_of_json_lines_are_known_before_the_first_row(tmp_path):
    (tmp_path / "train.jsonl").write_text('{"text": "a", "n": 1}\n' * 3)
    stream = row_stream(f"hf:{tmp_path}", 10)
    assert stream.columns == ("text", "n")
    assert next(stream.batches).rows[2] == {"text": "a", "n": 1}


def test_a_connection_that_ends_is_told_in_one_line(parts, monkeypatch):
    def broken(*args, **options):
        yield from ()
        raise ConnectionError("Couldn't reach it\nat all")

    monkeypatch.setattr(datasets.IterableDataset, "iter", broken)
    with pytest.raises(DataError, match="the Hub cannot be reached") as caught:
        load(parts, fields=("text",), limit=1)
    assert "\n" not in str(caught.value)
