"""The rows in the box are as many, as different and as labelled as their cards say."""

import json
from collections import Counter

import pytest

from promptkit.box import box
from promptkit.data import in_box_names, load
from promptkit.runs import build, eval_spec
from promptkit.selectors.copies import copy_key

NAMES = sorted(folder.name for folder in (box("evals") / "data").iterdir() if folder.is_dir())
SPECS = sorted(path.name for path in box("evals").glob("*.yaml"))


def card_of(name):
    return json.loads((box("evals") / "data" / name / "card.json").read_text(encoding="utf-8"))


def rows_of(name):
    fields = tuple(card_of(name)["fields"])
    return {split: load(name, split=split, fields=fields) for split in ("train", "test")}


def counts_of(rows):
    return Counter(example.label for example in rows)


def test_these_sets_are_in_the_box():
    assert NAMES == [
        "customer_reviews",
        "entailment",
        "everyday_choices",
        "news_topics",
        "support_intents",
        "word_problems",
    ]
    assert sorted(in_box_names()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_card_agrees_with_its_files(name):
    card, rows = card_of(name), rows_of(name)
    assert card["name"] == name
    assert card["splits"] == {split: len(rows[split]) for split in card["splits"]}
    for split, counts in card["counts"].items():
        assert {str(k): n for k, n in counts_of(rows[split]).items()} == counts
    for part in rows.values():
        for row in part:
            assert set(row.fields) == set(card["fields"])
    if card["task"] == "classify":
        assert rows["test"].labels == tuple(card["labels"])
        assert set(counts_of(rows["train"])) == set(counts_of(rows["test"])) == set(card["labels"])
    assert card["licence"] == "Apache-2.0"


@pytest.mark.parametrize("name", NAMES)
def test_no_id_and_no_text_stands_twice_in_train_and_test_together(name):
    examples = [example for part in rows_of(name).values() for example in part]
    assert len({example.id for example in examples}) == len(examples)
    assert len({copy_key(example) for example in examples}) == len(examples)


def test_customer_reviews_are_120_and_240_over_three_even_labels():
    rows = rows_of("customer_reviews")
    assert (len(rows["train"]), len(rows["test"])) == (120, 240)
    assert rows["test"].labels == ("negative", "neutral", "positive")
    assert set(counts_of(rows["train"]).values()) == {40}
    assert set(counts_of(rows["test"]).values()) == {80}


@pytest.mark.parametrize(
    ("name", "labels", "each"), [("support_intents", 12, 20), ("news_topics", 4, 40)]
)
def test_every_label_has_as_many_rows(name, labels, each):
    rows = rows_of(name)
    counts = counts_of(rows["train"]) + counts_of(rows["test"])
    assert len(counts) >= labels
    assert set(counts.values()) == {each}


def test_entailment_has_150_pairs_in_three_classes():
    rows = rows_of("entailment")
    counts = counts_of(rows["train"]) + counts_of(rows["test"])
    assert counts == {"entailment": 50, "neutral": 50, "contradiction": 50}


def test_a_right_choice_is_an_index_of_its_rows_choices():
    for part in rows_of("everyday_choices").values():
        for row in part:
            assert isinstance(row.label, int)
            assert 0 <= row.label < len(row.fields["choices"])
            assert len(set(row.fields["choices"])) == len(row.fields["choices"])


@pytest.mark.parametrize("spec", SPECS)
def test_an_in_box_spec_builds(spec):
    trial = build(eval_spec(f"evals/{spec}", {}))
    assert len(trial.data) == card_of(trial.data.name)["splits"]["test"]
    assert None not in trial.golds


def test_there_is_a_spec_for_every_set():
    assert set(NAMES) <= {spec.removesuffix(".yaml") for spec in SPECS}
