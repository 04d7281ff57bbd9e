"""``promptkit features``: a file of tensors, and what is said when there can be none."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from promptkit.backends.hidden import hidden_states
from promptkit.prompts import find_template
from promptkit.strategies.reading import Reading
from promptkit.types import Example, Piece
from tests.tiny_encoder import tiny_encoder


@pytest.fixture
def rows(home):
    told = [("a", "lovely food", "good"), ("b", "rude staff", "bad"), ("c", "no idea", None)]
    lines = [json.dumps({"id": i, "body": text, "label": label}) for i, text, label in told]
    (home / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return home / "rows.jsonl"


@pytest.fixture
def features(promptkit, rows):
    def call(*arguments):
        return promptkit("features", "--data", rows, "--model", tiny_encoder(), *arguments)

    return call


def test_a_tensor_for_each_pooling_and_the_rows_in_the_metadata(features, home):
    status, out, err = features("--output", "out.safetensors", "--pooling", "mean,cls")
    assert (status, err) == (0, "")
    for part in ("rows", "3 rows", "mean (3, 3, 32)", "without a label", "out.safetensors"):
        assert part in out
    found = load_file(home / "out.safetensors")
    texts = [(Piece(text, True),) for text in ("lovely food", "rude staff", "no idea")]
    expected = hidden_states(tiny_encoder()).pooled(texts, ["mean", "cls"])
    assert found.keys() == {"mean", "cls"}
    for name in found:
        assert np.allclose(found[name], expected[name], atol=1e-5)
        assert found[name].dtype == np.float32
    with safe_open(home / "out.safetensors", "numpy") as opened:
        meta = {key: json.loads(value) for key, value in opened.metadata().items()}
    assert meta["ids"] == ["a", "b", "c"]
    assert meta["labels"] == ["good", "bad", None]
    assert meta["layers"] == [0, 1, 2]
    assert meta["data"]["name"] == "rows"


@pytest.mark.parametrize(
    ("layers", "places"), [("-1", [2]), ("0,2", [0, 2]), ("all", [0, 1, 2]), ("-1,0", [2, 0])]
)
def test_layers_are_those_that_were_asked_for(features, home, layers, places):
    assert features("-o", "some.safetensors", "--layers", layers)[0] == 0
    features("-o", "all.safetensors")
    some, whole = (load_file(home / f"{name}.safetensors")["mean"] for name in ("some", "all"))
    assert np.array_equal(some, whole[:, places])


def test_several_fields_are_read_one_to_a_line(promptkit, home):
    (home / "pairs.csv").write_text("s1,s2\na man,an animal\n")
    status, _, _ = promptkit(
        "features", "--data", "pairs.csv", "--field", "one=s1", "--field", "two=s2",
        "--model", tiny_encoder(), "-o", "pairs.safetensors",
    )  # fmt: skip
    assert status == 0
    expected = hidden_states(tiny_encoder()).pooled([(Piece("a man\nan animal", True),)], ["mean"])
    assert np.allclose(load_file(home / "pairs.safetensors")["mean"], expected["mean"], atol=1e-5)


def test_in_box_rows_and_a_limit(promptkit, home):
    arguments = ("--data", "customer_reviews", "--split", "train", "--limit", 2, "--layers", "-1")
    status, out, _ = promptkit("features", *arguments, "-o", "two.safetensors")
    assert status == 0
    assert "2 rows" in out
    assert load_file(home / "two.safetensors")["mean"].shape == (2, 1, 384)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "gone/out.safetensors"), "no such folder gone"),
        (("-o", "out.npz"), "must end in .safetensors"),
        (("-o", "folder.safetensors"), "is a folder"),
        (("-o", "o.safetensors", "--layers", "last"), "--layers 'last': write all"),
        (("-o", "o.safetensors", "--layers", "0,7"), "layer 7: the model has the layers 0"),
        (("-o", "o.safetensors", "--pooling", "maen"), "did you mean 'mean'"),
        (("-o", "o.safetensors", "--text-field", "boddy"), "boddy"),
        (("-o", "o.safetensors", "--batch-size", "0"), "batch_size"),
        (("-o", "o.safetensors", "--device", "tpu"), "device"),
    ],
)
def test_what_cannot_be_is_one_line_and_writes_nothing(features, home, arguments, message):
    (home / "folder.safetensors").mkdir()
    status, _, err = features(*arguments)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert not (home / "o.safetensors").exists()


def test_an_output_that_cannot_be_written_is_seen_before_the_rows_are_read(promptkit):
    _, _, err = promptkit("features", "--data", "nothing.csv", "-o", "gone/out.safetensors")
    assert "no such folder" in err


def test_a_disk_that_is_too_small_is_seen_before_the_work(features, monkeypatch, home):
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1))
    status, _, err = features("-o", "out.safetensors")
    assert status == 2
    assert "GiB are free" in err
    assert not (home / ".promptkit").exists()


def test_help_shows_examples(promptkit):
    _, out, _ = promptkit("features", "--help")
    assert "promptkit features --data reviews.csv" in out


def test_rows_may_be_read_as_a_templates_prompt(features, home):
    told = ("-o", "out.safetensors", "--layers", "-1", "--text-field", "body")
    assert features(*told, "--template", "sentiment_zero_shot")[0] == 0
    template = find_template("sentiment_zero_shot")
    rows = [Example(i, {"text": t}) for i, t in enumerate(["lovely food", "rude staff", "no idea"])]
    expected = states_of(Reading(("text",), template), rows)
    assert np.allclose(load_file(home / "out.safetensors")["mean"], expected, atol=1e-5)


def test_a_template_with_open_labels_speaks_of_those_of_the_rows_or_those_given(features, home):
    template = find_template("topic_zero_shot")
    rows = [Example("a", {"text": "lovely food"})]
    found = []
    for extra, labels in (((), ["bad", "good"]), (("--labels", "food,drink"), ["food", "drink"])):
        told = ("-o", "out.safetensors", "--layers", "-1", "--text-field", "body", "--limit", "1")
        assert features(*told, "--template", "topic_zero_shot", *extra)[0] == 0
        found.append(load_file(home / "out.safetensors")["mean"])
        reading = Reading(("text",), template.with_labels(labels))
        assert np.allclose(found[-1], states_of(reading, rows), atol=1e-5)
    assert not np.allclose(*found)


def test_open_labels_that_nobody_says_are_asked_for(features, home):
    (home / "rows.jsonl").write_text(json.dumps({"id": "a", "body": "x"}) + "\n")
    told = ("-o", "out.safetensors", "--text-field", "body", "--template", "topic_zero_shot")
    status, _, err = features(*told)
    assert status == 2
    assert "leaves its labels open" in err
    assert "--labels" in err


def states_of(reading, rows):
    texts = [reading(row) for row in rows]
    return hidden_states(tiny_encoder()).pooled(texts, ["mean"], [2])["mean"]
