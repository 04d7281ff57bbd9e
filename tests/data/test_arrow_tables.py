"""Tables of answered rows, and the one Parquet file that they become."""

import pyarrow as pa
import pytest
from pyarrow import parquet

from promptkit.data.arrow_tables import Tables, regrouped, write_parquet
from promptkit.data.row_writers import row_writer
from promptkit.errors import DataError

ROWS = [{"n": i, "text": f"row {i}" * (i % 5), "kind": "abc"[i * i % 3]} for i in range(1000)]
KINDS = {"kind": str}


def table_of(rows):
    whole = pa.Table.from_pylist(rows)
    kinds = whole.column("kind").cast(pa.string()).dictionary_encode()
    return whole.set_column(2, pa.field("kind", kinds.type), kinds)


@pytest.mark.parametrize("size", [1, 7, 64, 333, 1000])
def test_the_bytes_do_not_show_how_the_rows_were_cut(tmp_path, size):
    whole = table_of(ROWS)
    write_parquet([whole], whole.schema, tmp_path / "whole", 100)
    parts = [table_of(ROWS[start : start + size]) for start in range(0, 1000, size)]
    write_parquet(parts, whole.schema, tmp_path / "parts", 100)
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    assert parquet.read_table(tmp_path / "whole").to_pylist() == ROWS
    assert parquet.read_metadata(tmp_path / "whole").num_row_groups == 10


def test_no_rows_make_a_file_with_columns(tmp_path):
    write_parquet([], table_of(ROWS[:1]).schema, tmp_path / "none", 100)
    assert parquet.read_table(tmp_path / "none").column_names == ["n", "text", "kind"]


def test_regrouped_rows_stay_in_order():
    tables = [pa.table({"n": list(range(start, start + 5))}) for start in range(0, 50, 5)]
    found = [table.column("n").to_pylist() for table in regrouped(tables, 12)]
    assert list(map(len, found)) == [12, 12, 12, 12, 2]
    assert [n for part in found for n in part] == list(range(50))


def test_the_first_rows_decide_and_others_must_agree():
    tables = Tables(("n", "text", "kind"), KINDS)
    tables.of(ROWS[:3])
    assert tables.schema.field("n").type == pa.int64()
    with pytest.raises(DataError, match=r"do not have one type.*write \.jsonl instead"):
        tables.of([{"n": "x", "text": "", "kind": ""}])
    with pytest.raises(DataError, match="'more', which the first row lacks"):
        tables.of([{"more": 1}])


def test_a_stopped_parquet_file_ends_in_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("promptkit.data.row_writers.PART_ROWS", 64)
    written = []
    for name, size, stop in (("whole", 32, None), ("stopped", 50, 500)):
        folder = tmp_path / name
        folder.mkdir()
        writer = row_writer(folder, ".parquet", ("n", "text", "kind"), KINDS, 0)
        start = mark = 0
        while start < 1000:
            writer.write(ROWS[start : start + size])
            mark, start = writer.mark() or mark, start + size
            if start == stop:  # a kill: what was not marked is lost
                writer.close()
                writer = row_writer(folder, ".parquet", ("n", "text", "kind"), KINDS, mark)
                start = sum(parquet.read_metadata(part).num_rows for part in folder.glob("part-*"))
        writer.finish(tmp_path / f"{name}.parquet")
        written.append((tmp_path / f"{name}.parquet").read_bytes())
    assert written[0] == written[1]
