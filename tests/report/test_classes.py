from promptkit.metrics import PerClass, evaluate
from promptkit.report.classes import Confusion, label_tables, per_class_table
from promptkit.report.plain import naming
from promptkit.types import Prediction
from tests.report.samples import choosing, printed, record


def classes(n: int, *, absent: int = 0) -> list[PerClass]:
    seen = [PerClass(f"label{i:02}", 0.5, 0.5, i / 100, 1, 1) for i in range(n - absent)]
    return seen + [PerClass(f"absent{i}", 0.0, 0.0, 0.0, 0, 0) for i in range(absent)]


def test_up_to_twelve_labels_are_all_shown_in_their_order() -> None:
    text = printed(per_class_table(classes(12), str))
    assert [word for word in text.split() if word.startswith("label")][1:] == [
        f"label{i:02}" for i in range(12)
    ]
    assert "left out" not in text


def test_of_more_labels_the_six_worst_and_best_are_shown_and_the_rest_counted() -> None:
    text = printed(per_class_table(classes(77), str))
    shown = [word for word in text.split() if word.startswith("label") and len(word) == 7]
    assert shown == [f"label{i:02}" for i in (*range(6), *range(71, 77))]
    assert "labels between them, left out: 65" in text


def test_labels_that_occur_nowhere_do_not_crowd_out_the_bad_ones() -> None:
    text = printed(per_class_table(classes(40, absent=25), str))
    assert "absent" not in text
    assert "labels between them, left out: 3\nlabels that occur nowhere: 25" in text


def test_few_labels_that_occur_are_not_shown_twice() -> None:
    text = printed(per_class_table(classes(20, absent=12), str))
    for place in range(8):
        assert text.count(f"label{place:02}") == 1


def confusion(golds: str, predicted: str, labels: tuple[str, ...]) -> Confusion:
    predictions = [
        Prediction(str(i), None if label == "?" else label, None)
        for i, label in enumerate(predicted)
    ]
    report = evaluate(list(golds), predictions, labels, resamples=0)
    return Confusion(report, naming(labels))


def test_a_matrix_has_gold_down_and_predicted_across() -> None:
    lines = printed(confusion("aab", "abb", ("a", "b"))).splitlines()
    assert lines[1] == "gold label down, predicted label across"
    assert [line.split() for line in lines[2:3] + lines[4:]] == [
        ["a", "b"],
        ["a", "1", "1"],
        ["b", "·", "1"],
    ]


def test_the_unscored_column_is_there_only_if_any_row_is_unscored() -> None:
    assert "unscored" not in printed(confusion("ab", "ab", ("a", "b")))
    lines = printed(confusion("ab", "a?", ("a", "b"))).splitlines()
    assert lines[2].split() == ["a", "b", "unscored"]
    assert lines[-1].split() == ["b", "·", "·", "1"]


def test_where_names_do_not_fit_numbers_stand_over_the_columns() -> None:
    labels = tuple(f"a long name for label {i}" for i in range(12))
    table = Confusion(record(labels, n=2000).report, naming(labels))
    narrow, wide = printed(table, 80), printed(table, 400)
    assert narrow.splitlines()[2].split() == [str(i) for i in range(1, 13)]
    assert "12 a long name" in narrow
    assert wide.count("a long name for label 11") == 2


def test_more_than_twelve_labels_show_the_largest_confusions() -> None:
    labels = tuple("abcdefghijklm")
    lines = printed(confusion("aaaabbcd", "abbbcc??", labels)).splitlines()
    assert lines[1] == "largest confusions (4 of 4)"
    assert [line.split() for line in lines[4:]] == [
        ["a", "b", "3", "75%"],
        ["b", "c", "2", "100%"],
        ["c", "unscored", "1", "100%"],
        ["d", "unscored", "1", "100%"],
    ]


def test_only_ten_confusions_are_shown_of_many() -> None:
    labels = tuple(f"l{i}" for i in range(20))
    text = printed(Confusion(record(labels, n=2000, accuracy=0.1).report, naming(labels)))
    assert "(10 of " in text
    assert len(text.splitlines()) == 14


def test_no_confusions_are_said_to_be_none() -> None:
    labels = tuple("abcdefghijklm")
    assert "no confusions" in printed(confusion("abc", "abc", labels))


def test_rows_with_own_choices_have_no_tables_of_labels() -> None:
    assert label_tables(choosing().report, str) == []
