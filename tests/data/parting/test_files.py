"""Parts on disk: in the format of the rows, whole or not at all."""

import hashlib
import json

import datasets
import pyarrow as pa
import pytest
from pyarrow import parquet

from promptkit.data import load
from promptkit.data.packed import pack
from promptkit.data.parting import PartOptions
from promptkit.data.parting.run import split_source
from promptkit.errors import DataError, PromptkitError, SpecError, StoreError

ROWS = [{"id": f"r{n}", "text": f'"t, {n}"\nü', "label": "ab"[n % 2]} for n in range(40)]
CSV = "id,text,label\n" + "".join(
    '{},"{}",{}\n'.format(row["id"], row["text"].replace('"', '""'), row["label"]) for row in ROWS
)
LINES = "".join(json.dumps({**row, "n": 1.0, "more": [1, None]}) + "\n" for row in ROWS)


def read(folder, split):
    return load(folder, split=split, fields=("text",))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", CSV),
        ("rows.tsv.gz", CSV.replace(",", "\t").replace("t\t ", "t, ")),
        ("rows.csv.zst", CSV),
        ("rows.jsonl", LINES),
        ("rows.ndjson.zst", LINES),
        ("rows.json", f"[{','.join(LINES.splitlines())}]"),
    ],
)
def test_parts_are_of_the_format_of_the_rows_and_lose_nothing(home, name, content):
    data = content.encode()
    suffix = name[name.rindex(".") :]
    (home / name).write_bytes(pack(data, suffix) if suffix in (".gz", ".zst") else data)
    split_source(name, "out", PartOptions())
    ending = name.removeprefix("rows")
    assert sorted(path.name for path in (home / "out").iterdir()) == [
        "split.json", f"test{ending}", f"train{ending}", f"validation{ending}",
    ]  # fmt: skip
    whole = {row.id: row for row in load(name, fields=("text",))}
    parts = [row for split in ("train", "validation", "test") for row in read("out", split)]
    assert {row.id: row for row in parts} == whole
    assert len(parts) == 40
    assert load("out", fields=("text",)).split == "test"


def test_values_and_further_columns_are_kept(home):
    (home / "rows.jsonl").write_text(LINES)
    split_source("rows.jsonl", "out", PartOptions())
    row = json.loads((home / "out" / "test.jsonl").read_text().splitlines()[0])
    assert (row["n"], row["more"]) == (1.0, [1, None])
    assert isinstance(row["n"], float)


def test_parquet_keeps_types_and_classes(home):
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"]),
         "n": datasets.Value("int8")}
    )  # fmt: skip
    content = {"text": [f"t{n}" for n in range(20)], "label": [0, 1] * 10, "n": list(range(20))}
    datasets.Dataset.from_dict(content, features=features).to_parquet(home / "rows.parquet")
    split_source("rows.parquet", "out", PartOptions())
    assert parquet.read_schema(home / "out" / "test.parquet").field("n").type == pa.int8()
    rows = read("out", "test")
    assert (rows.labels, {row.label for row in rows}) == (("neg", "pos"), {"neg", "pos"})


def test_the_hub_and_saved_sets_become_parquet(home):
    content = {"text": [f"t{n}" for n in range(20)], "label": ["a", "b"] * 10}
    datasets.Dataset.from_dict(content).save_to_disk(home / "saved")
    split_source("saved", "out", PartOptions())
    assert len(read("out", "test")) == 2
    assert (home / "out" / "test.parquet").is_file()


def test_several_files_by_a_pattern_are_split_as_one(home):
    lines = CSV.splitlines(keepends=True)
    (home / "a.csv").write_text("".join(lines[:41]))
    (home / "b.csv").write_text(lines[0] + "".join(lines[41:]))
    split_source("?.csv", "out", PartOptions(sizes={"test": 10}))
    assert len(read("out", "test")) == 10
    (home / "c.jsonl").write_text(LINES)
    with pytest.raises(SpecError, match=r"rows of several formats \(\.csv \.jsonl\)"):
        split_source("?.*", "other", PartOptions())


def test_what_was_done_is_told_beside_the_parts(home):
    (home / "rows.csv").write_text(CSV)
    split_source("rows.csv", "out", PartOptions(seed=3))
    note = json.loads((home / "out" / "split.json").read_text())
    told = [note[key] for key in ("source", "seed", "how", "rows")]
    assert told == ["rows.csv", 3, "stratified", 40]
    for one in note["parts"].values():
        content = (home / "out" / one["file"]).read_bytes()
        assert one["sha256"] == hashlib.sha256(content).hexdigest()
    assert note["parts"]["train"]["labels"] == [
        {"label": "a", "rows": 16}, {"label": "b", "rows": 16},
    ]  # fmt: skip
    before = (home / "out" / "test.csv").read_bytes()
    split_source("rows.csv", "out", PartOptions(seed=3), force=True)
    assert (home / "out" / "test.csv").read_bytes() == before


def test_nothing_is_written_over_unless_it_is_said(home):
    (home / "rows.csv").write_text(CSV)
    (home / "rows.jsonl").write_text(LINES)
    split_source("rows.csv", "out", PartOptions())
    with pytest.raises(SpecError, match="is there already; name another, or say --force"):
        split_source("rows.jsonl", "out", PartOptions())
    split_source("rows.jsonl", "out", PartOptions(fractions=(0.5, 0.5)), force=True)
    assert sorted(path.name for path in (home / "out").iterdir()) == [
        "split.json", "test.jsonl", "train.jsonl",
    ]  # fmt: skip
    (home / "out" / "notes.txt").write_text("mine")
    with pytest.raises(SpecError, match=r"holds 'notes\.txt', which no split writes"):
        split_source("rows.csv", "out", PartOptions(), force=True)


def test_what_fails_leaves_what_was_there(home, monkeypatch):
    (home / "rows.csv").write_text(CSV)
    split_source("rows.csv", "out", PartOptions())
    before = (home / "out" / "split.json").read_text()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("promptkit.data.parting.files._write", full)
    with pytest.raises(StoreError, match="No space left on device"):
        split_source("rows.csv", "out", PartOptions(seed=1), force=True)
    assert (home / "out" / "split.json").read_text() == before
    assert sorted(path.name for path in home.iterdir()) == ["out", "rows.csv"]


@pytest.mark.parametrize(
    ("source", "output", "told"),
    [
        ("rows.csv", "rows.csv", "is a file; name a folder"),
        ("rows.csv", "no/where", "no such folder no"),
        ("several", "out", "has several splits; say which one with --split: a, b"),
        ("empty.csv", "out", "holds no rows"),
        ("missing.csv", "out", "no such file or folder"),
    ],
)
def test_what_cannot_be_is_one_line(home, source, output, told):
    (home / "rows.csv").write_text(CSV)
    (home / "empty.csv").write_text("text,label\n")
    (home / "several").mkdir()
    for name in "ab":
        (home / "several" / f"{name}.csv").write_text(CSV)
    with pytest.raises(PromptkitError) as caught:
        split_source(source, output, PartOptions())
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_that_cannot_be_read_stop_it(home):
    (home / "rows.csv").write_text(CSV + "only one\n")
    with pytest.raises(DataError, match=r"rows\.csv line 82: 1 column"):
        split_source("rows.csv", "out", PartOptions())
    assert not (home / "out").exists()
