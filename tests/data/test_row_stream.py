"""Rows of a file, batch by batch, with all their columns."""

import gzip
import io
from types import SimpleNamespace

import pyarrow as pa
import pytest
from pyarrow import parquet

from promptkit.data.row_stream import row_stream
from promptkit.errors import DataError

CSV = 'text,n\n"a\nb",1\nc,2\nd,3\n'


def sizes_and_rows(stream):
    batches = list(stream.batches)
    rows = [dict(row) for batch in batches for row in batch.rows]
    return [len(batch) for batch in batches], rows


def test_a_file_comes_in_batches_that_know_their_lines(home):
    (home / "rows.csv").write_text(CSV)
    stream = row_stream("rows.csv", 2)
    assert (stream.columns, stream.ending, stream.total) == (("text", "n"), ".csv", None)
    batches = list(stream.batches)
    assert [batch.numbers for batch in batches] == [(2, 4), (5,)]
    assert batches[0].after(1).rows == ({"text": "c", "n": "2"},)


def test_zipped_text_is_read_like_plain_text(home):
    with gzip.open(home / "rows.csv.gz", "wt") as file:
        file.write(CSV)
    assert sizes_and_rows(row_stream("rows.csv.gz", 10))[0] == [3]


def test_the_first_json_row_says_which_columns_to_expect(home):
    (home / "rows.jsonl").write_text('{"a": 1, "b": [2]}\n\n{"c": 3}\n')
    stream = row_stream("rows.jsonl", 1)
    assert stream.columns == ("a", "b")
    assert sizes_and_rows(stream) == ([1, 1], [{"a": 1, "b": [2]}, {"c": 3}])


def test_parquet_knows_how_many_rows_there_are_and_keeps_its_arrays(home):
    parquet.write_table(pa.table({"text": list("abcde")}), home / "rows.parquet", row_group_size=2)
    stream = row_stream("rows.parquet", 3)
    assert stream.total == 5
    batches = list(stream.batches)
    assert sum(map(len, batches)) == 5
    assert batches[0].after(1).arrow.column("text").to_pylist() == [
        row["text"] for row in batches[0].rows[1:]
    ]


@pytest.mark.parametrize(
    ("text", "ending", "first"),
    [
        (b"\xef\xbb\xbftext\nx\n", ".csv", {"text": "x"}),
        (b'\n {"text": "x"}\n', ".jsonl", {"text": "x"}),
    ],
)
def test_standard_input_tells_its_format_by_how_it_begins(monkeypatch, text, ending, first):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    stream = row_stream("-", 10)
    assert stream.ending == ending
    assert sizes_and_rows(stream)[1] == [first]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.parquet", b"text\nx\n", "not a Parquet file"),
        ("rows.xlsx", b"x", "save it as CSV"),
        ("rows.csv", b"", "is empty"),
        ("rows.csv", b"text\n\xff\n", "not UTF-8"),
        ("rows.jsonl", b'{"a": 1}\n{', "line 2: broken JSON"),
    ],
)
def test_what_is_wrong_is_said(home, name, content, said):
    (home / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        list(row_stream(name, 1).batches)


@pytest.mark.parametrize(
    ("text", "said"), [(b"text\n\xff\n", "not UTF-8"), (b"te\0xt\n", "line 1: holds a NUL byte")]
)
def test_what_is_wrong_with_standard_input_is_said(monkeypatch, text, said):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    with pytest.raises(DataError, match=f"standard input.*{said}"):
        list(row_stream("-", 1).batches)
