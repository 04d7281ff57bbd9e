"""Compressed rows: read like plain ones, and never more of them than fits."""

import gzip

import pyarrow as pa
import pytest

from promptkit.data import load, packed
from promptkit.data.packed import pack
from promptkit.data.row_stream import row_stream
from promptkit.errors import DataError

CSV = 'text,label\n"a\nb",x\nc é,y\n'


def zst(text):
    return pa.compress(text.encode() if isinstance(text, str) else text, codec="zstd", asbytes=True)


def failure(path):
    with pytest.raises(DataError) as caught:
        load(path, fields=("text",))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(str(path)).strip(": ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.csv.zst", CSV),
        ("rows.TSV.ZST", CSV.replace(",", "\t")),
        (
            "rows.jsonl.zst",
            '{"text": "a\\nb", "label": "x"}\n\n{"text": "c é", "label": "y"}\n',
        ),
        ("rows.json.zst", '[{"text": "a\\nb", "label": "x"}, {"text": "c é", "label": "y"}]'),
    ],
)
def test_zstd_is_read_like_plain_text(tmp_path, name, text):
    (tmp_path / name).write_bytes(zst(text))
    rows = load(tmp_path / name, fields=("text",))
    assert [row.fields["text"] for row in rows] == ["a\nb", "c é"]
    assert rows.split == "rows"
    assert rows.where(1).endswith(" row 2" if ".json." in name else " 4" if "T" in name else
                                  " line 4" if "csv" in name else " line 3")  # fmt: skip


def test_frames_one_after_the_other_are_one_file(tmp_path):
    for packing in packed.PACKINGS:
        path = tmp_path / f"rows.csv{packing}"
        path.write_bytes(pack(CSV[:9].encode(), packing) + pack(CSV[9:].encode(), packing))
        assert len(load(path, fields=("text",))) == 2


@pytest.mark.parametrize("cut", [1, 5, 10])
def test_a_stream_that_ends_early_is_told(tmp_path, cut):
    path = tmp_path / "rows.csv.zst"
    path.write_bytes(zst(CSV * 50)[:-cut])
    assert failure(path).startswith("not a whole zstd file (")
    assert failure(path).endswith("); compress it again")


@pytest.mark.parametrize(
    "content", [b"text,label\na,x\n", zst(CSV) + b"junk", gzip.compress(b"a", mtime=0)]
)
def test_what_is_no_zstd_is_told(tmp_path, content):
    (tmp_path / "rows.csv.zst").write_bytes(content)
    assert "not a whole zstd file" in failure(tmp_path / "rows.csv.zst")


def test_wrong_bytes_are_named_by_their_line(tmp_path):
    (tmp_path / "rows.csv.zst").write_bytes(zst(b"text,label\na,x\n\xff,y\n"))
    told = failure(tmp_path / "rows.csv.zst")
    assert told.startswith("line 3: not UTF-8 (byte 0xff at offset 15)")
    assert told.endswith("> utf8_rows.csv")


def test_zipped_parquet_says_what_to_do(tmp_path):
    (tmp_path / "rows.parquet.zst").write_bytes(b"x")
    assert failure(tmp_path / "rows.parquet.zst").endswith("unpack the file")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv.zst", "text,label\n" + "a" * 5000, "unpacks to a line of more than"),
        ("a.jsonl.gz", '{"text": "' + "a" * 5000, "unpacks to a line of more than"),
        ("a.jsonl.zst", "\r" * 5000, "unpacks to a line of more than"),
        ("a.csv.zst", 'text,label\n"' + "aaaa\n" * 2000, "line 206: one row has more than"),
        ("a.csv.gz", 'text,label\n"' + 'a\n","' * 2000, "one row has more than"),
        ("a.json.zst", "[" + "\n" * 5000, "which is read whole"),
    ],
)
def test_little_that_unpacks_to_very_much_is_refused_before_it_fills_memory(
    tmp_path, monkeypatch, name, text, told
):
    for module, limit in (("packed", "LINE_LIMIT"), ("delimited", "LINE_LIMIT"),
                          ("text", "WHOLE_LIMIT"), ("text", "LINE_LIMIT")):  # fmt: skip
        monkeypatch.setattr(f"promptkit.data.{module}.{limit}", 1024)
    monkeypatch.setattr("promptkit.data.packed._CHUNK", 256)
    (tmp_path / name).write_bytes(pack(text.encode(), f".{name.split('.')[-1]}"))
    assert told in failure(tmp_path / name)


def test_rows_without_number_are_read_in_pieces(tmp_path):
    path = tmp_path / "rows.csv.zst"
    with pa.output_stream(str(path), compression="zstd") as out:
        out.write(b"text\n")
        for _ in range(40):
            out.write(b"the same row again and again\n" * 40_000)  # 46 MB in all
    assert path.stat().st_size < 100_000
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    stream = row_stream(str(path), 1000)
    n = 0
    for batch in stream.batches:
        n += len(batch)
        assert pool.bytes_allocated() - before < 2**23
        if n >= 100_000:
            break
    assert n == 100_000
