"""A file, looked over: which columns are what, and what there is to mind."""

import json

import pytest

from promptkit.data.remarks import obstacles, remarks
from promptkit.data.survey import survey
from promptkit.errors import DataError

TEXTS = [f"This is what customer number {i} had to say about it." for i in range(40)]


@pytest.fixture
def write(tmp_path):
    def file(columns, name="rows.csv", encoding="utf-8"):
        names = list(columns)
        lines = [",".join(names)]
        lines += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding=encoding)
        return str(tmp_path / name)

    return file


def cycle(*values, n=40):
    return [values[i % len(values)] for i in range(n)]


@pytest.mark.parametrize("text", ["text", "Body", "review", "whatever"])
@pytest.mark.parametrize("label", ["label", "Category", "stars", "outcome"])
def test_columns_are_known_by_their_names_or_by_what_they_hold(write, text, label):
    found = survey(write({"n": range(40), text: TEXTS, label: cycle("a", "b")}))
    assert (found.text.column, found.label.column) == (text, label)
    assert (found.n, found.labels) == (40, (("a", 20), ("b", 20)))


def test_why_is_said(write):
    found = survey(write({"body": TEXTS, "outcome": cycle("a", "b")}))
    assert found.text.why == "it is called so, and 11 words on average, 100% different"
    assert found.label.why == "the only one with few values: 2 values in 40 rows"


def test_what_was_told_is_taken_though_others_look_better(write):
    file = write({"text": TEXTS, "note": TEXTS[::-1], "label": cycle("a", "b"), "x": cycle(1, 2)})
    found = survey(file, text_field="note", label_field="x")
    assert (found.text.column, found.label.column) == ("note", "x")
    assert found.text.why == "as --text-field says"
    assert found.other_texts == ["text"]


def test_a_column_called_label_that_holds_no_labels_is_passed_over(write):
    found = survey(write({"text": TEXTS, "label": range(40), "kind": cycle("a", "b")}))
    assert found.label.column == "kind"


def test_words_are_preferred_to_numbers(write):
    found = survey(write({"text": TEXTS, "count": cycle(1, 2, 3), "outcome": cycle("a", "b")}))
    assert found.label.column == "outcome"


def test_text_without_white_space_is_text(write):
    chinese = [f"这家餐厅的第{i}道菜非常好吃我们还会再来" for i in range(40)]
    assert survey(write({"评论": chinese, "label": cycle("好", "坏")})).text.column == "评论"


@pytest.mark.parametrize(
    ("columns", "told", "said"),
    [
        ({"a": range(40), "label": cycle("x", "y")}, {}, "reads like text .*--text-field"),
        ({"text": TEXTS, "b": range(40)}, {}, "no column looks like labels.*--label-field"),
        ({"text": TEXTS, "b": cycle("x", "y"), "c": cycle("u", "v", "w")}, {}, "in 'b' or 'c'"),
        ({"text": TEXTS, "label": cycle("x", "y")}, {"text_field": "tex"}, "did you mean 'text'"),
        ({"text": TEXTS, "label": cycle("x", "y")}, {"label_field": "text"}, "both text and label"),
        ({"text": TEXTS, "label": cycle("x")}, {"label_field": "label"}, "only 'x'"),
        ({"text": TEXTS, "label": cycle("")}, {"label_field": "label"}, "'label' is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_says_what_to_say(write, columns, told, said):
    with pytest.raises(DataError, match=said):
        survey(write(columns), **told)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"text,label\nx,y,z\n", "line 2: 3 columns where the header has 2"),
        ("a.csv", b"text,label\ncaf\xe9,y\n", "line 2: not UTF-8"),
        ("a.csv", b"text;label\nx;y\n", "holds no comma but a semicolon"),
        ("a.csv", b"text,label\n", "holds no rows"),
        ("a.jsonl", b'{"text": "x"}\n{"text"\n', "line 2: broken JSON"),
        ("a.xlsx", b"x", "is a spreadsheet"),
        ("a.csv", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        survey(tmp_path / name)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match="give one file of rows"):
        survey(tmp_path)


def test_a_byte_order_mark_is_no_part_of_a_name(write):
    assert survey(write({"text": TEXTS, "label": cycle("a", "b")}, encoding="utf-8-sig")).text


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10", "9", "9"], ("9", "10")),
        (["b", "a", "10"], ("10", "a", "b")),
        ([2, 1.5, 2], (1.5, 2)),
        ([True, False, True], (False, True)),
    ],
)
def test_numbers_keep_their_order_and_other_labels_that_of_their_names(tmp_path, labels, expected):
    rows = [{"text": text, "label": labels[i % 3]} for i, text in enumerate(TEXTS)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = [label for label, _ in survey(tmp_path / "a.jsonl").labels]
    assert [(type(one), one) for one in found] == [(type(one), one) for one in expected]


def test_a_label_that_is_a_text_and_a_number_is_refused(tmp_path):
    rows = [{"text": text, "label": [1, "1", "a"][i % 3]} for i, text in enumerate(TEXTS)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="label 1 stands there as a text and as something else"):
        survey(tmp_path / "a.jsonl")


def test_lists_of_labels_are_refused(tmp_path):
    rows = [{"text": text, "label": ["a", "b"][: 1 + i % 2]} for i, text in enumerate(TEXTS)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="holds lists or objects; a row has one label"):
        survey(tmp_path / "a.jsonl", label_field="label")


def test_parquet_is_read_too(tmp_path):
    import pandas as pd

    pd.DataFrame({"text": TEXTS, "label": cycle(0, 1)}).to_parquet(tmp_path / "a.parquet")
    assert survey(tmp_path / "a.parquet").labels == ((0, 20), (1, 20))


def test_rows_that_lack_something_are_named_by_line(write):
    texts, labels = ["", *TEXTS[1:]], [*cycle("a", "b")[:-1], ""]
    found = survey(write({"text": texts, "label": labels}))
    assert (found.no_text, found.no_label) == ((2,), (41,))
    stops = obstacles(found)
    assert "1 row without text (line 2)" in stops[0]
    assert "1 row without a label (line 41)" in stops[1]


def test_copies_and_texts_with_two_labels_are_counted(write):
    texts = [TEXTS[0], TEXTS[0], TEXTS[0], TEXTS[3], *TEXTS[3:-1]]
    found = survey(write({"text": texts, "label": ["a", "b", "a", *cycle("b", "a", n=37)]}))
    assert found.n_copies == 3
    assert [conflict.numbers for conflict in found.conflicts] == [(2, 3, 4), (5, 6)]
    told = " ".join(remarks(found))
    assert "2 times, first in lines 2, 3, 4 (a, b)" in told
    assert "3 rows repeat the text of an earlier row" in told


def test_lengths_are_in_words(write):
    texts = [" ".join(["word"] * (i + 1)) for i in range(40)]
    assert survey(write({"text": texts, "label": cycle("a", "b")})).words == (20, 38, 40)


@pytest.mark.parametrize(("name", "found"), [("id", "id"), ("ticket_id", "ticket_id"), ("n", None)])
def test_an_id_is_known_by_its_name_and_by_being_unlike_all_others(write, name, found):
    file = write({name: range(40), "text": TEXTS, "label": cycle("a", "b")})
    known = survey(file).id
    assert (known and known.column) == found


def test_ids_that_repeat_are_in_the_way(write):
    found = survey(write({"id": cycle(*range(39)), "text": TEXTS, "label": cycle("a", "b")}))
    assert found.id is None
    assert "the column 'id' does not name each row" in obstacles(found)[0]


@pytest.mark.parametrize(
    ("columns", "told", "said"),
    [
        ({"text": TEXTS, "label": [*"abc", *cycle("x", "y", n=37)]}, {}, "3 of 5 labels"),
        ({"text": TEXTS, "label": ["a", "A ", *cycle("x", n=38)]}, {}, "in case or white space"),
        ({"text": TEXTS, "label": cycle(0, 1)}, {}, "say in words what each means"),
        ({"text": TEXTS, "label": ["a", *cycle("b", n=39)]}, {}, "98% of the rows are 'b'"),
        ({"text": TEXTS, "note": TEXTS, "label": cycle("a", "b")}, {}, "read like text too"),
        ({"text": TEXTS, "note": TEXTS, "label": cycle("a", "b")}, {"label_field": "note"},
         "reads like free text and not like labels"),
        ({"text": TEXTS, "label": cycle("a", "b")}, {"text_field": "label", "label_field": "text"},
         "does not read like free text"),
        ({"text": ["word " * 200, *TEXTS[1:]], "label": cycle("a", "b")}, {}, "has 200 words"),
    ],
)  # fmt: skip
def test_what_is_to_be_minded_is_said(write, columns, told, said):
    assert any(said in one for one in remarks(survey(write(columns), **told)))


def test_a_file_with_nothing_to_mind_has_no_remarks(write):
    found = survey(write({"text": TEXTS, "label": cycle("good", "bad")}))
    assert (obstacles(found), remarks(found)) == ([], [])
