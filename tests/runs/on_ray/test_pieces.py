"""A file read in pieces gives the blocks that it gives when it is read from its beginning."""

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from promptkit.data.row_stream import row_stream
from promptkit.errors import DataError
from promptkit.runs.on_ray import pieces
from promptkit.runs.on_ray.pieces import (
    Cut,
    Piece,
    block_batches,
    blocks_of,
    likely_rows,
    pieces_of,
)

WHOLE = Piece("all")


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 700)


def rows_of(blocks):
    return [(number, [[dict(row) for row in batch.rows] for batch in block])
            for number, block in blocks]  # fmt: skip


def in_pieces(cut):
    found, rows = pieces_of(cut, row_stream(cut.source, cut.batch_rows))
    blocks = [block for piece in found for block in blocks_of(piece, cut)]
    return found, rows, blocks


def lines_file(home, n=200, blank=("\n", "  \t\n", "\u00a0\n", "\u2003 \n")):
    with open("rows.jsonl", "w", encoding="utf-8-sig", newline="") as file:
        for i in range(n):
            file.write(blank[i % 4] if i % 7 == 0 else "")
            row = {"n": i, "text": f"zeile {i} äöü\u2028 " + "x" * (i % 40)}
            file.write(json.dumps(row, ensure_ascii=i % 2 == 0) + ("\r\n" if i % 3 else "\n"))
    return "rows.jsonl"


@pytest.mark.parametrize(("size", "batches"), [(1, 1), (8, 1), (8, 3), (50, 2), (300, 1)])
def test_pieces_of_lines_are_the_blocks_of_the_file(home, size, batches):
    cut = Cut(lines_file(home), size, batches)
    found, rows, blocks = in_pieces(cut)
    assert rows == 200
    assert rows_of(blocks) == rows_of(blocks_of(WHOLE, cut))
    assert len(found) > 5 or size >= 50
    assert [number for number, _ in blocks] == list(range(-(-200 // (size * batches))))


@pytest.mark.parametrize("bad", ["{broken\n", "[1]\n", '{"n": "\0"}\n', b'{"n": "\xff"}\n'])
@pytest.mark.parametrize("after", [0, 550])
def test_a_bad_line_is_told_by_its_place_in_the_file(home, bad, after):
    lines = [json.dumps({"n": i, "text": "some text of a usual length"}) + "\n" for i in range(600)]
    raw = [line.encode() for line in lines]
    raw.insert(after, bad if isinstance(bad, bytes) else bad.encode())
    with open("rows.jsonl", "wb") as file:
        file.writelines(raw)
    cut = Cut("rows.jsonl", 10, 1)
    with pytest.raises(DataError) as alone:
        list(blocks_of(WHOLE, cut))
    # the stream itself stops at a bad first line, before there are pieces
    whole = [Piece("lines", 0, 0, sum(map(len, raw)), 0)]
    found = pieces_of(cut, row_stream("rows.jsonl", 10))[0] if after else whole
    with pytest.raises(DataError) as together:
        [list(blocks_of(piece, cut)) for piece in found]
    assert str(together.value) == str(alone.value)
    assert f"line {after + 1}" in str(alone.value)


def parquet_file(dictionary=False, group=70, n=1000):
    table = pa.table({"n": list(range(n)), "text": [f"row {i} " * 5 for i in range(n)],
                      "list": [[i] * (i % 4) for i in range(n)]})  # fmt: skip
    if dictionary:
        table = table.append_column("kind", pa.array(["a", "b"] * (n // 2)).dictionary_encode())
    parquet.write_table(table, "rows.parquet", row_group_size=group)
    return "rows.parquet"


@pytest.mark.parametrize("group", [7, 70, 333, 5000])
@pytest.mark.parametrize(("size", "batches"), [(16, 1), (64, 2), (100, 1)])
def test_pieces_of_parquet_are_the_blocks_of_the_file(home, group, size, batches):
    cut = Cut(parquet_file(group=group), size, batches)
    found, rows, blocks = in_pieces(cut)
    whole = list(blocks_of(WHOLE, cut))
    assert len(found) > 2
    assert rows == 1000
    assert rows_of(blocks) == rows_of(whole)
    for (_, own), (_, other) in zip(blocks, whole, strict=True):
        assert all(a.arrow.equals(b.arrow) for a, b in zip(own, other, strict=True))
        assert own[0].arrow.schema.equals(other[0].arrow.schema, check_metadata=True)


def test_what_cannot_be_cut_is_one_piece(home):
    sources = [parquet_file(dictionary=True)]
    (home / "rows.csv").write_text("text\n" + '"two\nlines"\n' * 200)
    sources.append("rows.csv")
    for source in sources:
        found, _, blocks = in_pieces(Cut(source, 16, 1))
        assert found == [WHOLE]
        assert rows_of(blocks) == rows_of(blocks_of(WHOLE, Cut(source, 16, 1)))


def test_blocks_are_neither_too_many_nor_too_large():
    assert block_batches(256, 0) == block_batches(256, 5_000_000) == 1
    for rows in (10**6, 10**8, 10**10, 10**13):
        assert 256 * block_batches(256, rows) <= pieces.MOST_ROWS
    assert block_batches(10**6, 10**10) == 1
    assert 10**9 / (256 * block_batches(256, 10**9)) <= pieces.MOST_BLOCKS


def test_the_rows_of_a_file_are_estimated_by_its_first_ones(home):
    (home / "rows.csv").write_text("text\n" + "a text of some length\n" * 5000)
    stream = row_stream("rows.csv", 100)
    assert 2500 < likely_rows(stream, "rows.csv", next(stream.batches)) < 10_000
    assert likely_rows(row_stream(parquet_file(), 10), "rows.parquet", None) == 1000
