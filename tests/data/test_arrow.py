import json
import subprocess
import sys

import pyarrow
import pytest
from pyarrow import parquet

from promptkit.data import load
from promptkit.errors import DataError

FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
}


def saved(folder, rows, state=None):
    """Write what ``datasets`` writes, without paying for its import."""
    folder.mkdir(parents=True)
    table = pyarrow.table(rows)
    with (
        pyarrow.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as sink,
        pyarrow.ipc.new_stream(sink, table.schema) as stream,
    ):
        stream.write_table(table)
    files = [{"filename": "data-00000-of-00001.arrow"}]
    (folder / "state.json").write_text(json.dumps({"_data_files": files, **(state or {})}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder


def as_parquet(path, rows, features=None):
    table = pyarrow.table(rows)
    if features:
        noted = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": noted})
    parquet.write_table(table, path)
    return path


def test_parquet_keeps_the_types_of_labels(tmp_path):
    path = as_parquet(tmp_path / "test.parquet", {"text": ["a", "b"], "label": [1, 0]})
    assert [(row.fields["text"], row.label) for row in load(path, fields=("text",))] == [
        ("a", 1),
        ("b", 0),
    ]


def test_parquet_of_a_hub_data_set_gets_its_class_names(tmp_path):
    path = as_parquet(tmp_path / "a.parquet", {"text": ["a"], "label": [1]}, FEATURES)
    rows = load(path, fields=("text",))
    assert rows.labels == ("neg", "pos")
    assert rows.examples[0].label == "pos"


@pytest.mark.parametrize("label", [None, float("nan")])
def test_a_null_or_nan_label_is_a_missing_one(tmp_path, label):
    path = as_parquet(tmp_path / "a.parquet", {"text": ["a", "b"], "label": [1.0, label]})
    with pytest.raises(DataError, match=r"a.parquet row 2: no label \('label' is null\)"):
        load(path, fields=("text",))
    assert load(path, fields=("text",), require_labels=False).examples[1].label is None


def test_a_file_that_is_not_parquet_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_text("text,label\n")
    with pytest.raises(DataError, match="not a Parquet file"):
        load(path, fields=("text",))


def test_bytes_are_no_text(tmp_path):
    path = as_parquet(tmp_path / "a.parquet", {"text": [b"\xff"], "label": [1]})
    with pytest.raises(DataError, match="row 1: 'text' holds a bytes; a field is text"):
        load(path, fields=("text",))


def test_a_saved_dataset_has_class_names_for_numbers(tmp_path):
    folder = saved(tmp_path / "mine", {"text": ["a", "b"], "label": [0, 1]})
    rows = load(folder, fields=("text",))
    assert [row.label for row in rows] == ["neg", "pos"]
    assert (rows.labels, rows.name, rows.split) == (("neg", "pos"), "mine", "mine")


def test_a_saved_dataset_dict_has_its_splits(tmp_path):
    for split in ("train", "test"):
        saved(tmp_path / "mine" / split, {"text": [split], "label": [0]})
    (tmp_path / "mine" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert load(tmp_path / "mine", fields=("text",)).examples[0].fields == {"text": "test"}
    train = load(tmp_path / "mine", split="train", fields=("text",))
    assert train.examples[0].fields == {"text": "train"}


def test_minus_one_is_a_hidden_label_and_other_splits_are_offered(tmp_path):
    for split in ("train", "test"):
        saved(tmp_path / "mine" / split, {"text": [split], "label": [-1]})
    (tmp_path / "mine" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(DataError, match=r"test row 1: no label .* --split \(train\)"):
        load(tmp_path / "mine", fields=("text",))


def test_a_class_number_beyond_the_names_is_refused(tmp_path):
    folder = saved(tmp_path / "mine", {"text": ["a"], "label": [2]})
    with pytest.raises(DataError, match="row 1: class 2, but the file declares 2 classes"):
        load(folder, fields=("text",))


def test_a_damaged_saved_dataset_is_refused(tmp_path):
    folder = saved(tmp_path / "mine", {"text": ["a"], "label": [1]})
    (folder / "data-00000-of-00001.arrow").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not what datasets' save_to_disk writes"):
        load(folder, fields=("text",))
    (folder / "data-00000-of-00001.arrow").unlink()
    with pytest.raises(DataError, match="not what datasets' save_to_disk writes"):
        load(folder, fields=("text",))


def test_what_datasets_itself_saves_is_read(tmp_path):
    # In its own process: datasets leaves files open, which is an error here.
    code = f"""
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value, disable_progress_bars
disable_progress_bars()
features = Features({{"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])}})
rows = Dataset.from_dict({{"text": ["a", "b", "c"], "label": [1, 0, 1]}}, features=features)
rows.select([2, 0]).save_to_disk({str(tmp_path / "one")!r}, num_shards=2)
DatasetDict(train=rows, test=rows).save_to_disk({str(tmp_path / "both")!r})
rows.to_parquet({str(tmp_path / "rows.parquet")!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    one = load(tmp_path / "one", fields=("text",))
    assert [(row.fields["text"], row.label) for row in one] == [("c", "pos"), ("a", "pos")]
    assert one.numbers == (1, 2)
    for source in ("both", "rows.parquet"):
        rows = load(tmp_path / source, fields=("text",))
        assert [row.label for row in rows] == ["pos", "neg", "pos"]
        assert rows.labels == ("neg", "pos")
