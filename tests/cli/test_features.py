"""``promptkit features``: a file of tensors, and what is said when there can be none."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from promptkit.backends.hidden import hidden_states
from promptkit.types import Piece
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
