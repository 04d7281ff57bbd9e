import pytest

from promptkit.data import apply_labels, from_records, load
from promptkit.errors import DataError


def rows_of(*labels):
    records = [{"text": f"row {i}", "label": label} for i, label in enumerate(labels)]
    return from_records(records, fields=("text",), require_labels=False)


def labels_of(dataset):
    return [row.label for row in dataset]


def test_labels_of_a_csv_become_the_tasks_by_value_and_type():
    mapped, dropped = apply_labels(rows_of("1", "0", "1"), [0, 1])
    assert labels_of(mapped) == [1, 0, 1]
    assert all(type(label) is int for label in labels_of(mapped))
    assert (mapped.labels, dropped) == ((0, 1), 0)


def test_a_map_says_what_the_files_labels_are_called():
    mapped, _ = apply_labels(rows_of(1, "0", "pos"), ["neg", "pos"], {"1": "pos", "0": "NEG"})
    assert labels_of(mapped) == ["pos", "neg", "pos"]


def test_the_map_is_asked_before_the_labels_themselves():
    mapped, _ = apply_labels(rows_of("a", "b"), ["a", "b"], {"a": "b", "b": "a"})
    assert labels_of(mapped) == ["b", "a"]


def test_every_label_of_a_multilabel_row_is_mapped():
    mapped, _ = apply_labels(rows_of(["1", "0"]), ["neg", "pos"], {"1": "pos", "0": "neg"})
    assert labels_of(mapped) == [("pos", "neg")]


def test_rows_without_a_label_stay():
    mapped, dropped = apply_labels(rows_of(None, "a"), ["a", "b"], keep=["b"])
    assert labels_of(mapped) == [None]
    assert dropped == 1


def test_rows_with_labels_that_are_not_wanted_are_dropped_and_counted():
    mapped, dropped = apply_labels(
        rows_of("neg", "mixed", "pos", "mixed"), ["neg", "mixed", "pos"], keep=["pos", "neg"]
    )
    assert labels_of(mapped) == ["neg", "pos"]
    assert dropped == 2
    assert mapped.labels == ("neg", "pos")
    assert mapped.where(1) == "records row 3"


def test_an_unknown_label_names_its_line_and_the_nearest(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,label\na,positive\nb,postive\n")
    with pytest.raises(DataError) as caught:
        apply_labels(load(path, fields=("text",)), ["negative", "positive"])
    assert str(caught.value) == (
        f"{path} line 3: label 'postive' is none of the task's 2 labels; did you mean 'positive'?; "
        "say what it stands for with --label-map postive=LABEL, or give the labels with --labels"
    )


def test_an_unknown_label_is_an_error_even_where_some_are_dropped():
    with pytest.raises(DataError, match="row 2: label 'other'"):
        apply_labels(rows_of("a", "other"), ["a", "b"], keep=["a"])


def test_true_is_not_one():
    with pytest.raises(DataError, match="label True is none of the task's 2 labels; known: 0, 1"):
        apply_labels(rows_of(True), [0, 1])


def test_a_map_to_no_label_of_the_task_is_refused():
    with pytest.raises(DataError, match=r"label map 1=positiv: .* did you mean 'positive'\?"):
        apply_labels(rows_of("1"), ["negative", "positive"], {"1": "positiv"})


def test_wanting_a_label_that_the_task_lacks_is_refused():
    with pytest.raises(DataError, match="the task has no label 'c'; known: a, b"):
        apply_labels(rows_of("a"), ["a", "b"], keep=["c"])
