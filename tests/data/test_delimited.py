import csv
import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptkit.data import load
from promptkit.errors import DataError


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def failure(path, **options):
    with pytest.raises(DataError) as caught:
        load(path, fields=options.pop("fields", ("text",)), **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_rows_come_in_order_with_text_and_label(tmp_path):
    rows = load(write(tmp_path / "reviews.csv", "text,label\na,pos\nb,neg\n"), fields=("text",))
    assert [(row.fields, row.label) for row in rows] == [
        ({"text": "a"}, "pos"),
        ({"text": "b"}, "neg"),
    ]
    assert (rows.name, rows.split, rows.labels) == ("reviews", "reviews", None)


@pytest.mark.parametrize("text", ["NA", "null", "NaN", "None", "1", "1.0", "TRUE", "nan", "-"])
def test_no_value_is_guessed_to_be_missing_or_a_number(tmp_path, text):
    rows = load(write(tmp_path / "a.csv", f"text,label\n{text},{text}\n"), fields=("text",))
    assert rows.examples[0].fields == {"text": text}
    assert rows.examples[0].label == text
    assert type(rows.examples[0].label) is str


def test_an_empty_label_cell_is_the_empty_label_and_not_a_missing_one(tmp_path):
    assert (
        load(write(tmp_path / "a.csv", "text,label\na,\n"), fields=("text",)).examples[0]
        == (load(write(tmp_path / "b.csv", 'text,label\na,""\n'), fields=("text",)).examples[0])
    )


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\na,x\n", "utf-8-sig")
    assert load(path, fields=("text",)).examples[0].fields == {"text": "a"}


def test_tsv_and_gzipped_csv_are_read(tmp_path):
    tsv = write(tmp_path / "a.tsv", "text\tlabel\nb, c\tx\n")
    assert load(tsv, fields=("text",)).examples[0].fields == {"text": "b, c"}
    zipped = tmp_path / "train.csv.gz"
    zipped.write_bytes(gzip.compress(b"text,label\na,x\n"))
    assert load(zipped, fields=("text",)).split == "train"


def test_blank_lines_are_skipped_and_counted(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\n\na,x\n\n,y\n")
    assert failure(path) == (f"{path} line 5: 'text' is empty; fill it in or remove the row")


def test_lines_are_physical_where_a_quoted_field_spans_several(tmp_path):
    path = write(tmp_path / "a.csv", 'text,label\r\n"one\r\ntwo",x\r\nb\r\n')
    assert "line 4: 1 column where the header has 2" in failure(path)


def test_a_field_longer_than_the_modules_own_limit_is_read(tmp_path):
    path = write(tmp_path / "a.csv", f"text,label\n{'a' * 300_000},x\n")
    assert len(load(path, fields=("text",)).examples[0].fields["text"]) == 300_000


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "text,label\na,b,c\n",
            "line 2: 3 columns where the header has 2; quote a field that holds a comma",
        ),
        ("text,label\na,x\nb\n", "line 3: 1 column where the header has 2; fill in what"),
        ('text,label\na,x\n"b,y\nc,z\n', 'line 3: a quote (") opens a field here and is never'),
        ('text,label\n"a" b,x\n', 'line 2: text after a closing quote (")'),
        ("text,label,text\na,x,b\n", "line 1: 2 columns are named 'text'; rename all but one"),
        (",text,label\n0,a,x\n", "line 1: column 1 has no name; name it or remove it (pandas"),
        ("text,label\na\0b,x\n", "line 2: holds a NUL byte"),
        ("text;label\na;x\n", "holds no comma but a semicolon ('text;label'); save it with commas"),
        ("text\tlabel\na\tx\n", "a tab ('text\\tlabel'); save it with commas, or name the file .t"),
        ("text,label\n", "a.csv: holds no rows, only columns (text, label)"),
        ("\n\n", "a.csv: is empty; its first line must name the columns"),
        ("", "a.csv: is empty; it must hold rows"),
        ("text,label\n  ,x\n", "line 2: 'text' is only white space; fill it in or remove"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(tmp_path, content, told):
    assert told in failure(write(tmp_path / "a.csv", content))


def test_commas_in_a_tsv_header_are_pointed_out(tmp_path):
    told = failure(write(tmp_path / "a.tsv", "text,label\na,x\n"))
    assert "holds no tab but a comma" in told
    assert told.endswith("or name the file .csv")


def test_another_encoding_is_located_and_a_conversion_suggested(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\na,x\ncafé,y\n", "latin1")
    told = failure(path)
    assert "line 3: not UTF-8 (byte 0xe9 at offset 18)" in told
    assert "iconv -f latin1 -t utf-8 a.csv" in told


def test_a_bad_byte_far_into_the_file_is_located(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,label\n" + b"abcdefg,x\n" * 5000 + b"caf\xe9,y\n")
    assert f"line 5002: not UTF-8 (byte 0xe9 at offset {11 + 50_000 + 3})" in failure(path)


def test_utf16_is_recognised(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\na,x\n", "utf-16")
    assert "is UTF-16, not UTF-8; convert it, for instance: iconv -f utf-16" in failure(path)


def test_a_truncated_gzip_file_is_refused(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"text,label\n" + b"a,x\n" * 1000)[:-12])
    assert "not a whole gzip file" in failure(path)
    path.write_bytes(b"text,label\na,x\n")
    assert "not a whole gzip file" in failure(path)


cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
row = st.tuples(cell.filter(str.strip), cell)


@given(st.lists(row, min_size=1), st.sampled_from([",", "\t"]), st.sampled_from(["\n", "\r\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_csv_wrote_is_read_back_to_the_character(tmp_path, rows, delimiter, end):
    path = tmp_path / ("a.csv" if delimiter == "," else "a.tsv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
        writer.writerows([("text", "label"), *rows])
    read = load(path, fields=("text",))
    assert [(each.fields["text"], each.label) for each in read] == rows


def test_a_hundred_thousand_rows_are_read(tmp_path):
    body = "".join(f"a sentence of some length and number {i},{i % 3}\n" for i in range(100_000))
    path = write(tmp_path / "a.csv", "text,label\n" + body)
    assert len(load(path, fields=("text",))) == 100_000
