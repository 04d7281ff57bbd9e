import datetime
import json

import numpy as np
import pandas as pd
import pytest

from promptkit.data import from_records, load
from promptkit.errors import DataError


def failure(records, **options):
    with pytest.raises(DataError) as caught:
        from_records(records, fields=options.pop("fields", ("text",)), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def csv_failure(tmp_path, text, **options):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load(path, fields=options.pop("fields", ("text",)), **options)
    return str(caught.value).removeprefix(str(tmp_path) + "/")


def test_only_the_templates_fields_are_read():
    rows = from_records([{"text": "a", "label": 1, "extra": None}], fields=("text",))
    assert rows.examples[0].fields == {"text": "a"}


def test_without_fields_every_column_but_id_and_label_is_read_unchecked():
    rows = from_records([{"id": 7, "label": 1, "body": "a", "n": None}], columns={"text": "body"})
    assert rows.examples[0].fields == {"text": "a", "n": None}


def test_columns_are_renamed_to_fields():
    rows = from_records(
        [{"s1": "a", "s2": "b", "label": 1}],
        fields=("premise", "hypothesis"),
        columns={"premise": "s1", "hypothesis": "s2"},
    )
    assert rows.examples[0].fields == {"premise": "a", "hypothesis": "b"}


def test_a_rename_to_no_field_of_the_template_is_refused():
    told = failure([{"text": "a", "label": 1}], columns={"txt": "text"})
    assert told == (
        "column 'text' is to be read as 'txt', but the template has no such field; "
        "did you mean 'text'?"
    )


def test_a_missing_column_of_a_single_field_template_names_the_flag(tmp_path):
    assert csv_failure(tmp_path, "review,label\na,x\n") == (
        "rows.csv: no column 'text'; it has review, label; say --text-field review"
    )


def test_a_missing_column_that_was_mistyped_gets_the_nearest(tmp_path):
    told = csv_failure(tmp_path, "Texts,label,other\na,x,y\n")
    assert told.endswith("did you mean 'Texts'?; say --text-field Texts")


def test_a_missing_column_of_several_fields_names_the_other_flag(tmp_path):
    told = csv_failure(tmp_path, "premise,b,c,label\na,x,y,z\n", fields=("premise", "hypothesis"))
    assert told.endswith(
        "no column 'hypothesis'; it has premise, b, c, label; say --field hypothesis=NAME"
    )


def test_a_missing_label_column_names_its_flag(tmp_path):
    assert csv_failure(tmp_path, "text,stars\na,5\n").endswith(
        "no column 'label'; it has text, stars; say --label-field stars"
    )


def test_a_label_column_that_was_named_must_be_there_even_if_not_needed(tmp_path):
    told = csv_failure(tmp_path, "text,stars\na,5\n", label_field="star", require_labels=False)
    assert "no column 'star'" in told
    assert "no column 'key'" in csv_failure(tmp_path, "text,label\na,5\n", id_field="key")


def test_rows_from_python_are_advised_in_python():
    assert failure([{"body": "a", "label": 1}]).endswith("say columns={'text': 'body'}")
    assert failure([{"text": "a", "y": 1}]).endswith("say label_field='y'")
    assert failure([{"text": "a"}, "b"], require_labels=False) == (
        "records row 2: a str, not a mapping from column to value"
    )


def test_labels_may_be_absent_where_they_are_not_required():
    rows = from_records([{"text": "a"}], fields=("text",), require_labels=False)
    assert rows.examples[0].label is None
    assert not rows.has_labels


def test_numbers_become_text_and_lists_and_objects_stay():
    fields = ("n", "x", "choices", "more")
    row = {"n": 3, "x": 0.5, "choices": ["a", 2], "more": {"k": [1]}, "label": 1}
    read = from_records([row], fields=fields).examples[0].fields
    assert read == {"n": "3", "x": "0.5", "choices": ["a", 2], "more": {"k": [1]}}


@pytest.mark.parametrize("value", ["", "  \n", None, float("nan"), [], {}, np.nan, pd.NA, pd.NaT])
def test_a_field_with_nothing_in_it_is_refused(value):
    told = failure([{"text": "a", "label": 1}, {"text": value, "label": 1}])
    assert told.startswith("records row 2: 'text' is ")


def test_an_empty_choice_is_refused():
    told = failure([{"choices": ["a", " "], "label": 1}], fields=("choices",))
    assert "row 1: 'choices' holds an empty text" in told


def test_numpy_and_date_values_become_plain_ones():
    day = datetime.date(2020, 1, 2)
    row = {"text": np.str_("a"), "day": day, "all": np.array(["x", "y"]), "label": np.int64(1)}
    read = from_records([row], fields=("text", "day", "all")).examples[0]
    assert read.fields == {"text": "a", "day": "2020-01-02", "all": ["x", "y"]}
    assert type(read.fields["text"]) is str
    assert type(read.label) is int
    assert type(from_records([{"label": np.bool_(True)}]).examples[0].label) is bool


def test_a_data_frame_is_read():
    frame = pd.DataFrame({"text": ["a", "b"], "label": ["x", None]})
    rows = from_records(frame, fields=("text",), require_labels=False, labels=["x", "y"])
    assert [row.label for row in rows] == ["x", None]
    assert rows.labels == ("x", "y")
    assert failure(frame).startswith("records row 2: no label")
    assert "holds no rows" in failure(frame[:0])


def test_a_datasets_dataset_is_read_with_its_class_names():
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])}
    )
    rows = datasets.Dataset.from_dict({"text": ["a"], "label": [1]}, features=features)
    read = from_records(rows, fields=("text",))
    assert (read.examples[0].label, read.labels) == ("pos", ("neg", "pos"))


def test_an_id_column_is_used_as_text():
    rows = from_records([{"text": "a", "label": 1, "id": 7}], fields=("text",))
    assert rows.examples[0].id == "7"


def test_a_repeated_id_names_both_lines(tmp_path):
    told = csv_failure(tmp_path, "id,text,label\n1,a,x\n2,b,x\n1,c,x\n")
    assert told == "rows.csv line 4: id '1' was already used on line 2; ids must be unique"


@pytest.mark.parametrize("value", [None, "", " ", [1]])
def test_an_id_must_say_something(value):
    told = failure([{"text": "a", "label": 1, "id": value}])
    assert "row 1: 'id' must be a text or a number" in told


def test_either_all_rows_have_an_id_or_none():
    with_id, without = {"text": "a", "label": 1, "id": 1}, {"text": "b", "label": 1}
    assert "row 2: no 'id' while the rows before it have one" in failure([with_id, without])
    assert "row 2: an 'id' while the rows before it have none" in failure([without, with_id])


def test_a_content_id_depends_on_fields_alone():
    first = from_records([{"text": "a", "label": 1}, {"text": "b", "label": 2}], fields=("text",))
    other = from_records([{"label": 9, "text": "b", "n": 1}], fields=("text",))
    assert other.examples[0].id == first.examples[1].id
    assert len(other.examples[0].id) == 12


def test_repeated_content_is_numbered_in_order():
    rows = from_records([{"text": text, "label": 1} for text in "abaa"], fields=("text",))
    a, b, a2, a3 = (row.id for row in rows)
    assert (a2, a3) == (f"{a}-2", f"{a}-3")
    assert b != a


def test_the_same_rows_have_the_same_ids_and_hash_in_every_format(tmp_path):
    rows = [{"text": 'a, "é"', "label": "x"}, {"text": "b\nc", "label": "y"}]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame(rows).to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame(rows).to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    names = ["a.json", "a.csv", "a.tsv", "a.parquet", "a.jsonl"]
    hashes = {load(tmp_path / name, fields=("text",)).content_hash() for name in names}
    assert len(hashes) == 1
