import gzip
import json

import pytest

from promptkit.data import load
from promptkit.errors import DataError


def failure(path, fields=("text",), **options):
    with pytest.raises(DataError) as caught:
        load(path, fields=fields, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json"])
def test_one_object_a_line_is_read_under_each_of_its_endings(tmp_path, name):
    path = lines(tmp_path / name, {"text": "a", "label": 1}, {"text": "b", "label": 0})
    assert [row.label for row in load(path, fields=("text",))] == [1, 0]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_list_of_objects_is_read_bare_or_under_data(tmp_path, wrapped):
    rows = [{"text": "a", "label": "x"}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"data": rows} if wrapped else rows, indent=1))
    assert load(path, fields=("text",)).examples[0].fields == {"text": "a"}


def test_gzipped_json_lines_are_read(tmp_path):
    path = tmp_path / "test.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a", "label": "x"}\n'))
    assert load(path, fields=("text",)).split == "test"


def test_labels_keep_their_json_type(tmp_path):
    values = [0, False, "0", 0.0, ""]
    path = lines(tmp_path / "a.jsonl", *({"text": "a", "label": value} for value in values))
    read = [row.label for row in load(path, fields=("text",))]
    assert [(type(each), each) for each in read] == [(type(each), each) for each in values]


def test_a_list_of_labels_becomes_a_tuple(tmp_path):
    path = lines(tmp_path / "a.jsonl", {"text": "a", "label": ["x", "y"]})
    assert load(path, fields=("text",)).examples[0].label == ("x", "y")


def test_line_separators_inside_a_text_end_no_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a\u2028b\u0085c", "label": "x"}\n', encoding="utf-8")
    assert load(path, fields=("text",)).examples[0].fields["text"] == "a\u2028b\u0085c"


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"text": "a", "label": "x"}\r\n\r\n{"text": "b", "label": "y"}\r\n'
    )
    assert len(load(path, fields=("text",))) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"text": "a"\n', "a.jsonl line 1: broken JSON (Expecting ',' delimiter at character"),
        ('{"text": "a", "label": 1}\n\n[1]\n', "line 3: a list, not an object; write {"),
        ('{"text": "a", "label": 1}\nnull\n', "line 2: null, not an object"),
        ('[{"text": "a"},\n', "is it one list? then name it .json"),
        ("\n\n", "a.jsonl: holds no rows"),
        ('{"text": "a", "label": null}\n', "line 1: no label ('label' is null); fill it in"),
        ('{"text": "a", "label": NaN}\n', "line 1: no label"),
        ('{"text": "a", "label": {}}\n', "line 1: 'label' holds {}; a label is text, a number"),
        ('{"text": null, "label": 1}\n', "line 1: 'text' is null; fill it in or remove the row"),
        ('{"text": "\\ud83d", "label": 1}\n', "'text' holds half a character (a lone surrogate)"),
        ('{"text": "a", "label": 1}\n{"label": 1}\n', "line 2: no column 'text'; it has label"),
        ('{"text": "a", "label": ' + "9" * 5000 + "}\n", "line 1: broken JSON (Exceeds the limit"),
        ('{"text": "a", "label": ' + "[" * 100_000, "line 1: broken JSON (maximum recursion"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path, content, told):
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    assert told in failure(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[{"text": "a",}]', "a.json line 1: broken JSON"),
        ('{"rows": []}', 'holds neither a list of rows nor {"data": [...]}'),
        ("3", "holds neither a list"),
        ("[]", "a.json: holds no rows"),
        (" \n", "a.json: is empty"),
        ('[{"text": "a", "label": 1}, "b"]', "a.json row 2: a text, not an object"),
        ('[{"text": "a", "label": 1}, {"text": "", "label": 1}]', "row 2: 'text' is empty"),
    ],
)
def test_a_bad_json_file_is_refused(tmp_path, content, told):
    path = tmp_path / "a.json"
    path.write_text(content)
    assert told in failure(path)
