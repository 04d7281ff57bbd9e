"""Rows out: what was marked stays, what came later is dropped when it goes on."""

import datetime
import json
from contextlib import closing
from decimal import Decimal

import pytest
from pyarrow import parquet

from promptkit.data.place import Place
from promptkit.data.row_writers import ending_of, row_writer
from promptkit.data.text import whole_text
from promptkit.errors import DataError, SpecError

COLUMNS = ("a", "b")


def written(folder, ending, rows, kinds=None, columns=COLUMNS):
    writer = row_writer(folder, ending, columns, kinds or {}, 0)
    writer.write(rows)
    writer.finish(folder / f"out{ending}")
    return folder / f"out{ending}"


@pytest.mark.parametrize(
    "ending", [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".csv.gz", ".jsonl.zst"]
)
def test_going_on_from_a_mark_gives_what_one_call_gives(tmp_path, ending, monkeypatch):
    monkeypatch.setattr("promptkit.data.row_writers.PART_ROWS", 1)
    rows = [{"a": f"x{i}", "b": "é,\n"} for i in range(6)]
    (tmp_path / "whole").mkdir()
    whole = written(tmp_path / "whole", ending, rows)
    writer = row_writer(tmp_path, ending, COLUMNS, {}, 0)
    writer.write(rows[:2])
    mark = writer.mark()
    writer.write(rows[2:4])
    writer.mark()
    writer.close()
    writer = row_writer(tmp_path, ending, COLUMNS, {}, mark)
    writer.write(rows[2:])
    writer.finish(tmp_path / f"out{ending}")
    if ending == ".parquet":
        found = [parquet.read_table(file) for file in (whole, tmp_path / "out.parquet")]
        assert found[0].equals(found[1])
    elif ending.endswith((".gz", ".zst")):
        texts = [whole_text(file, Place("out")) for file in (whole, tmp_path / f"out{ending}")]
        assert texts[0] == texts[1]
        assert texts[0].count("x") == 6
    else:
        assert (tmp_path / f"out{ending}").read_bytes() == whole.read_bytes()


def test_values_that_csv_has_no_word_for_are_written_as_json_or_left_empty(tmp_path):
    rows = [{"a": [1, "é"], "b": None}, {"a": datetime.date(2020, 1, 2), "b": True}, {"a": 1.5}]
    text = written(tmp_path, ".csv", rows).read_text()
    assert text == 'a,b\n"[1, ""é""]",\n2020-01-02,True\n1.5,\n'


def test_json_lines_are_utf_8_and_keep_half_characters_as_escapes(tmp_path):
    rows = [{"a": "é\u2028\ud83d", "b": Decimal("1.10")}, {"a": float("nan"), "c": 1}]
    lines = written(tmp_path, ".jsonl", rows).read_bytes().decode().splitlines(keepends=False)
    assert "é" in lines[0]
    text = written(tmp_path, ".jsonl", rows).read_text().split("\n")
    assert json.loads(text[0]) == {"a": "é\u2028\ud83d", "b": "1.10"}
    assert json.loads(text[1]) == {"a": None, "c": 1}


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_column_that_the_first_row_lacks_is_not_left_out_in_silence(tmp_path, ending):
    with (
        closing(row_writer(tmp_path, ending, COLUMNS, {}, 0)) as writer,
        pytest.raises(DataError, match="'c', which the first row lacks"),
    ):
        writer.write([{"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}])


def test_parquet_needs_one_type_a_column_and_says_so(tmp_path):
    writer = row_writer(tmp_path, ".parquet", COLUMNS, {}, 0)
    writer.write([{"a": 1, "b": None}])
    with pytest.raises(DataError, match=r"write \.jsonl instead"):
        writer.write([{"a": "one", "b": None}])


def test_a_type_that_is_said_holds_where_no_value_is(tmp_path):
    file = written(tmp_path, ".parquet", [{"a": None, "b": None}], {"a": bool})
    assert [str(field.type) for field in parquet.read_schema(file)] == ["bool", "string"]


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_no_rows_are_a_file_without_rows(tmp_path, ending):
    file = written(tmp_path, ending, [])
    if ending == ".parquet":
        assert parquet.read_table(file).num_rows == 0
    else:
        assert file.read_text() == ("a,b\n" if ending == ".csv" else "")


def test_a_format_that_is_not_written_is_refused():
    assert ending_of("a/OUT.CSV") == ".csv"
    for name in ("out.xlsx", "out", "out.zst"):
        with pytest.raises(SpecError, match="cannot tell the format"):
            ending_of(name)
    with pytest.raises(SpecError, match="compresses its columns itself"):
        ending_of("out.parquet.gz")


def test_a_compressed_file_is_of_one_frame_that_any_reader_reads_whole(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    writer = row_writer(tmp_path, ending_of("out.csv.ZST"), COLUMNS, {}, 0)
    for number in range(3):
        writer.write([{"a": number, "b": "é"}])
        writer.mark()
    writer.finish(tmp_path / "out.csv.zst")
    content = (tmp_path / "out.csv.zst").read_bytes()
    # which ends after the first frame, and says nothing of others
    unpacked = zstandard.ZstdDecompressor().decompressobj().decompress(content)
    assert unpacked.decode() == "a,b\n0,é\n1,é\n2,é\n"
