"""Several files by one pattern are one data set whose rows know their own file and line."""

import gzip
import json
import os

import pyarrow as pa
import pytest
from pyarrow import parquet

from promptkit.data import columns_of, load, train_split_of
from promptkit.data.patterns import pattern_name
from promptkit.data.row_stream import row_stream
from promptkit.errors import DataError


@pytest.fixture
def parts(home):
    (home / "parts").mkdir()
    (home / "parts" / "b.csv").write_text("label,text\ny,three\ny,four\n")
    (home / "parts" / "a.csv").write_text('text,label\n"one\n",x\ntwo,y\n')
    return home / "parts"


def failure(source, **options):
    with pytest.raises(DataError) as caught:
        load(source, fields=("text",), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_are_read_in_the_order_of_their_names(parts):
    rows = load("parts/*.csv", fields=("text",))
    assert [row.fields["text"] for row in rows] == ["one\n", "two", "three", "four"]
    assert (rows.name, rows.split, rows.origin) == ("parts", "parts", "parts/*.csv")
    assert [rows.where(i) for i in range(4)] == [
        "parts/a.csv line 2", "parts/a.csv line 4", "parts/b.csv line 2", "parts/b.csv line 3",
    ]  # fmt: skip
    assert rows.taking([3]).where(0) == "parts/b.csv line 3"
    assert columns_of("parts/*.csv") == ("text", "label")
    assert train_split_of("parts/*.csv") is None


def test_messages_name_the_file_and_line(parts):
    (parts / "c.csv").write_text("text,label\nfive,x\n ,x\n")
    assert failure("parts/*.csv").startswith("parts/c.csv line 3: 'text' is only white space")
    (parts / "c.csv").write_text("text,label\nfive\n")
    assert failure("parts/*.csv").startswith("parts/c.csv line 2: 1 column where the header has 2")


def test_an_id_in_two_files_is_named_in_both(home):
    for name in "ab":
        (home / f"{name}.csv").write_text("id,text,label\n7,a,x\n")
    assert failure("?.csv") == (
        "b.csv line 2: id '7' was already used on a.csv line 2; ids must be unique"
    )


def test_other_columns_are_refused_before_a_row_is_read(parts):
    (parts / "c.csv").write_text("text,gold,n\nfive,x,1\n")
    assert failure("parts/*.csv") == (
        "parts/c.csv: lacks 'label' and has 'gold', 'n' besides, where parts/a.csv has 'text', "
        "'label'; files of one pattern need the same columns"
    )


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("parts/*.cvs", "parts/*.cvs: no file is called so; did you mean"),
        ("part/*.csv", "part/*.csv: no file is called so; the folder part does not exist"),
        ("parts/x*/*.csv", "parts holds: a.csv, b.csv"),
    ],
)
def test_a_pattern_that_matches_nothing_is_told_what_there_is(parts, pattern, told):
    assert told in failure(pattern)


def test_a_file_that_is_not_read_is_named(parts):
    (parts / "notes.txt").write_text("x")
    assert failure("parts/*").startswith("parts/notes.txt: cannot tell its format")


def test_one_file_under_two_names_is_not_read_twice(parts):
    os.symlink(parts / "b.csv", parts / "latest.csv")
    assert "parts/b.csv and parts/latest.csv are one file" in failure("parts/*.csv")


def test_links_that_lead_nowhere_are_no_files(parts):
    os.symlink(parts / "loop.csv", parts / "loop.csv")
    assert len(load("parts/*.csv", fields=("text",))) == 4


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(home):
    (home / "rows[1].csv").write_text("text,label\na,x\n")
    (home / "rows1.csv").write_text("text,label\nb,x\n")
    assert load("rows[1].csv", fields=("text",)).examples[0].fields == {"text": "a"}


def test_a_split_of_files_is_called_by_their_name(parts):
    assert load("parts/*.csv", split="parts", fields=("text",)).split == "parts"
    assert failure("parts/*.csv", split="test").endswith(
        "no split 'test'; it is 2 files, which are the split parts"
    )


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("data/train-*.csv", "train"),
        ("data/part-00[0-9]*.jsonl.gz", "part"),
        ("tickets/*.csv", "tickets"),
        ("tickets/2024*/*.csv", "tickets"),
    ],
)
def test_rows_are_called_by_what_the_names_share(pattern, name):
    assert pattern_name(pattern) == name


def test_formats_may_be_mixed_and_compressed(home):
    (home / "a.csv").write_text("text,label\none,x\n")
    with gzip.open(home / "b.jsonl.gz", "wt") as file:
        file.write('{"text": "two", "label": "y"}\n')
    parquet.write_table(pa.table({"text": ["three"], "label": ["x"]}), home / "c.parquet")
    rows = load("*", fields=("text",))
    assert [row.fields["text"] for row in rows] == ["one", "two", "three"]
    assert rows.where(2) == "c.parquet row 1"
    stream = row_stream("*", 2)
    assert stream.ending == ".jsonl"
    assert [stream.place.at(n) for batch in stream.batches for n in batch.numbers] == [
        "a.csv line 2", "b.jsonl.gz line 1", "c.parquet row 1",
    ]  # fmt: skip


def test_a_stream_of_parquet_files_knows_its_rows_and_keeps_arrays_alike(home):
    for name, kind in (("a", pa.int32()), ("b", pa.int32()), ("c", pa.int64())):
        table = pa.table({"text": ["x", "y"], "n": pa.array([1, 2], kind)})
        parquet.write_table(table, home / f"{name}.parquet")
    stream = row_stream("[ab].parquet", 10)
    assert (stream.total, stream.columns) == (4, ("text", "n"))
    batches = list(stream.batches)
    assert stream.place.at(batches[1].numbers[1]) == "b.parquet row 2"
    assert all(batch.arrow is not None for batch in batches)
    assert all(batch.arrow is None for batch in row_stream("?.parquet", 10).batches)


def test_declared_classes_must_be_the_same(home):
    for name, classes in (("a", ["neg", "pos"]), ("b", ["pos", "neg"])):
        features = {"label": {"names": classes, "_type": "ClassLabel"}}
        table = pa.table({"text": ["x"], "label": [1]})
        noted = {"huggingface": json.dumps({"info": {"features": features}})}
        parquet.write_table(table.replace_schema_metadata(noted), home / f"{name}.parquet")
    assert "b.parquet: declares other classes than a.parquet" in failure("?.parquet")
