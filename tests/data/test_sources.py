import json
import subprocess
import sys

import pytest

from promptkit.data import in_box_names, load, sources, train_split_of
from promptkit.errors import DataError


def folder(path, splits, card=None):
    path.mkdir(parents=True, exist_ok=True)
    for name in splits:
        rows = {"text": f"a row of {name}", "label": "pos"}
        (path / f"{name}.jsonl").write_text(json.dumps(rows) + "\n")
    if card is not None:
        (path / "card.json").write_text(json.dumps(card))
    return path


@pytest.fixture
def in_box(tmp_path, monkeypatch):
    """A box with one data set, whatever the project ships."""
    card = {"name": "news_topics", "labels": ["neg", "pos"], "fields": ["text"]}
    folder(tmp_path / "box" / "data" / "news_topics", ["train", "test"], card)
    monkeypatch.setattr(sources, "box", lambda name: tmp_path / "box")
    return tmp_path


def failure(source, **options):
    with pytest.raises(DataError) as caught:
        load(source, fields=("text",), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_data_set_in_the_box_is_found_by_name_from_any_folder(in_box, monkeypatch):
    monkeypatch.chdir(in_box)
    rows = load("news_topics", fields=("text",))
    assert (rows.name, rows.split, rows.labels) == ("news_topics", "test", ("neg", "pos"))
    assert rows.where(0) == "news_topics/test.jsonl line 1"
    assert in_box_names() == ["news_topics"]


def test_every_data_set_that_ships_loads_with_both_of_its_splits():
    for name in in_box_names():
        rows, train = load(name), train_split_of(name)
        assert rows.has_labels
        assert train is not None
        assert {row.label for row in rows} <= set(rows.labels or {row.label for row in rows})


def test_an_unknown_name_gets_the_nearest_in_the_box(in_box):
    assert failure("news_topic") == (
        "news_topic: no such file or folder, and no data set in the box has that name; "
        "did you mean 'news_topics'?"
    )
    assert failure("owner/name").endswith("for the Hub write hf:owner/name")


def test_a_missing_file_gets_the_nearest_beside_it(tmp_path):
    (tmp_path / "reviews.csv").write_text("text,label\na,x\n")
    path = tmp_path / "revews.csv"
    assert failure(path) == f"{path}: no such file or folder; did you mean 'reviews.csv'?"
    away = tmp_path / "gone" / "rows.csv"
    assert failure(away).endswith(f"the folder {tmp_path / 'gone'} does not exist")


def test_a_spreadsheet_is_to_be_saved_as_csv(tmp_path):
    (tmp_path / "rows.xlsx").write_bytes(b"PK")
    assert "is a spreadsheet; save it as CSV" in failure(tmp_path / "rows.xlsx")


def test_an_unknown_ending_lists_those_that_are_read(tmp_path):
    (tmp_path / "rows.txt").write_text("a")
    assert "use one of .csv .tsv .jsonl .ndjson .json .parquet" in failure(tmp_path / "rows.txt")


@pytest.mark.parametrize(
    ("splits", "chosen"),
    [
        (["train", "dev", "test"], "test"),
        (["train", "dev"], "dev"),
        (["train", "val"], "val"),
        (["train", "dev", "validation"], "validation"),
        (["extra", "train"], "train"),
        (["extra"], "extra"),
    ],
)
def test_the_usual_split_is_evaluated(tmp_path, splits, chosen):
    assert load(folder(tmp_path / "mine", splits), fields=("text",)).split == chosen


def test_two_unusual_splits_must_be_chosen_from(tmp_path):
    told = failure(folder(tmp_path / "mine", ["a", "b"]))
    assert told.endswith("say which split with --split: a, b")


def test_an_unknown_split_lists_those_there_are(tmp_path):
    told = failure(folder(tmp_path / "mine", ["train", "test"]), split="dev")
    assert told.endswith("no split 'dev'; its splits are test, train")


def test_a_file_has_one_split_called_as_the_file(tmp_path):
    path = folder(tmp_path, ["dev"]) / "dev.jsonl"
    assert load(path, split="dev", fields=("text",)).split == "dev"
    assert failure(path, split="test").endswith(
        "no split 'test'; it is one file, whose only split is dev"
    )


def test_the_cards_labels_are_declared_even_where_rows_lack_some(tmp_path):
    card = {"name": "shown", "labels": ["neg", "pos", "mixed"]}
    rows = load(folder(tmp_path / "mine", ["test"], card), fields=("text",))
    assert (rows.labels, rows.name) == (("neg", "pos", "mixed"), "shown")


def test_the_cards_labels_say_nothing_about_another_column(tmp_path):
    path = folder(tmp_path / "mine", [], {"labels": ["neg", "pos"]})
    (path / "test.csv").write_text("text,label,tone\na,pos,warm\n")
    assert load(path, fields=("text",), label_field="tone").labels is None


def test_a_cards_labels_may_be_the_keys_of_an_object(tmp_path):
    card = {"labels": {"neg": "bad", "pos": "good"}}
    path = folder(tmp_path / "mine", ["test"], card)
    assert load(path, fields=("text",)).labels == ("neg", "pos")


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("{", "card.json line 1: broken JSON"),
        ("[]", "card.json: must hold one JSON object"),
        ('{"labels": "pos"}', "card.json: 'labels' must be a list"),
        ('{"labels": [["pos"]]}', "card.json: 'labels' must be a list"),
    ],
)
def test_a_bad_card_is_refused(tmp_path, card, told):
    path = folder(tmp_path / "mine", ["test"])
    (path / "card.json").write_text(card)
    assert told in failure(path)


def test_two_files_of_one_split_are_refused(tmp_path):
    path = folder(tmp_path / "mine", ["test"])
    (path / "test.csv").write_text("text,label\na,x\n")
    assert "test.csv and test.jsonl are both the split 'test'" in failure(path)


def test_a_folder_without_rows_says_what_one_needs(tmp_path):
    assert "holds no rows; a folder needs a file per split" in failure(tmp_path)


def test_training_rows_are_found_beside_the_evaluated_ones(tmp_path):
    path = folder(tmp_path / "mine", ["train", "test"])
    train = train_split_of(path, fields=("text",))
    assert train is not None
    assert train.examples[0].fields == {"text": "a row of train"}


def test_there_are_no_training_rows_when_they_are_the_evaluated_ones(tmp_path):
    path = folder(tmp_path / "mine", ["train", "test"])
    assert train_split_of(path, split="train", fields=("text",)) is None
    assert train_split_of(path / "test.jsonl", fields=("text",)) is None
    assert train_split_of(folder(tmp_path / "other", ["test"]), fields=("text",)) is None


def test_importing_the_package_imports_nothing_heavy():
    heavy = "{'pandas', 'pyarrow', 'datasets', 'torch', 'numpy'}"
    code = f"import sys, promptkit.data; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
