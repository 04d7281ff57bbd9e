"""A saved model is the model that was saved, or one line says why it is not."""

import json
import re

import pytest
import yaml

from promptkit.errors import BackendError, DataError, PromptkitError, StoreError
from promptkit.prompts import find_template
from promptkit.runs.manifest import FILE
from promptkit.runs.plain import plain_template
from promptkit.runs.recipe import Recipe
from promptkit.runs.saved import load_model, save
from promptkit.types import Example
from tests.learner import registered  # noqa: F401

pytestmark = pytest.mark.usefixtures("registered")
ROWS = [
    Example(f"r{i}", {"text": f"secret{i} {word} thing"}, label)
    for i, (word, label) in enumerate([("good", 1), ("bad", 0), ("fine", "1"), ("good", 1)] * 2)
]
TRAINED_ON = {"name": "rows", "n": len(ROWS), "hash": "0123456789abcdef"}
LABELS = (0, 1, "1")


def recipe(name="learner", **options):
    return Recipe(name, plain_template(["text"]).with_labels(LABELS), options)


def saved(folder, made=None, **options):
    made = made or recipe()
    strategy = made.build().fit(ROWS)
    save(strategy, folder, recipe=made, trained_on=TRAINED_ON, **options)
    return strategy


@pytest.fixture
def folder(tmp_path):
    saved(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(
    "made",
    [recipe(), recipe(weight=2.0), recipe(reading="prompt"), recipe("tfidf"), recipe("majority")],
)
def test_it_predicts_what_the_fitted_one_predicts(tmp_path, made):
    strategy = saved(tmp_path / "model", made)
    again = load_model(tmp_path / "model")
    assert again.predict(ROWS) == strategy.predict(ROWS)
    assert again.strategy.describe() == strategy.describe()
    assert [(type(x), x) for x in again.labels] == [(type(x), x) for x in LABELS]
    assert again.reading == made.reading or made.reading.template


def test_prompting_is_saved_with_its_pool(tmp_path):
    template = find_template("sentiment_zero_shot").with_labels(["negative", "positive"])
    rows = [Example(f"r{i}", {"text": f"text {i}"}, template.task.labels[i % 2]) for i in range(6)]
    made = Recipe("in_context", template, {"shots": 2, "backend": "fake"}, seed=3)
    strategy = made.build().fit(rows)
    save(strategy, tmp_path / "m", recipe=made, trained_on=TRAINED_ON)
    assert load_model(tmp_path / "m").predict(["new text"]) == strategy.predict(
        load_model(tmp_path / "m")._examples(["new text"])
    )
    assert "demonstrations" in (tmp_path / "m" / "README.md").read_text()


def test_rows_may_be_texts_or_mappings_by_field_or_by_column(tmp_path):
    template = plain_template(["text"]).with_labels(LABELS)
    saved(tmp_path / "m", Recipe("learner", template, columns={"text": "body"}))
    model = load_model(tmp_path / "m")
    found = [model.predict([row])[0] for row in ("good", {"text": "good"}, {"body": "good"})]
    assert found[0] == found[1] == found[2]
    assert found[0].label == 1
    assert model.predict([]) == []
    for wrong in ([{"txt": "x"}], [""], "good", {"text": "good"}):
        with pytest.raises(DataError):
            model.predict(wrong)


def test_json_and_safetensors_and_no_row_text_outside_of_what_was_learned(folder):
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} <= {".json", ".safetensors", ".md"}
    assert not re.search(r"secret\d", (folder / "README.md").read_text())
    assert not re.search(r"secret\d", (folder / FILE).read_text())


def test_the_card_is_one_the_hub_can_read(folder):
    card = (folder / "README.md").read_text()
    front = yaml.safe_load(card.split("---")[1])
    assert front["library_name"] == "promptkit"
    assert "learner" in front["tags"]
    assert "license" not in front
    for part in ("3 labels", "8 labelled rows", "promptkit predict --model model", "load_model"):
        assert part in card


def test_the_base_model_of_the_card_is_its_hub_id(tmp_path):
    saved(tmp_path / "m", recipe("nearest_neighbour"))
    front = yaml.safe_load((tmp_path / "m" / "README.md").read_text().split("---")[1])
    assert front["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert load_model(tmp_path / "m").predict(["good"])[0].label == 1


def test_a_saved_model_is_replaced_only_when_asked_and_other_folders_never(tmp_path, folder):
    before = (folder / FILE).read_text()
    with pytest.raises(StoreError, match="--force"):
        saved(folder)
    assert (folder / FILE).read_text() == before
    saved(folder, recipe(weight=3.0), force=True)
    assert load_model(folder).strategy.weight == 3.0
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    with pytest.raises(StoreError, match="no saved model"):
        saved(other, force=True)
    assert (other / "thesis.tex").read_text() == "years of work"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["model", "other"]


def test_nothing_half_written_is_left(tmp_path, folder, monkeypatch):
    monkeypatch.setattr("promptkit.runs.saved.model_card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        saved(folder, force=True)
    with pytest.raises(ZeroDivisionError):
        saved(tmp_path / "new")
    assert [one.name for one in tmp_path.iterdir()] == ["model"]
    assert load_model(folder).predict(["good"])


def _changed(file, **changes):
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | changes))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / FILE).unlink(), "no saved model; make one with: promptkit tune"),
        (lambda f: (f / FILE).write_text("{"), "cannot be read"),
        (lambda f: (f / FILE).write_text("[1]"), "not written by promptkit"),
        (lambda f: (f / FILE).write_text('{"name": "x"}'), "not written by promptkit"),
        (lambda f: _changed(f / FILE, format=99), "update promptkit"),
        (lambda f: _changed(f / FILE, labels=[1, 0, "1"]), "changed after it was saved"),
        (lambda f: (f / "learned" / "counts.json").unlink(), "is missing; copy the whole"),
        (lambda f: (f / "learned" / "counts.json").write_text("{}"), "changed after"),
    ],
)
def test_what_is_wrong_with_a_folder_is_one_line(folder, spoil, said):
    spoil(folder)
    with pytest.raises(PromptkitError, match=said) as raised:
        load_model(folder)
    assert "\n" not in str(raised.value)


def test_a_strategy_that_this_promptkit_lacks_is_named(folder, monkeypatch):
    from promptkit.strategies import STRATEGIES

    monkeypatch.delitem(STRATEGIES._targets, "learner")
    with pytest.raises(StoreError, match="no strategy named 'learner'"):
        load_model(folder)


def test_another_base_model_is_refused_and_a_moved_one_can_be_named(tmp_path, causal_folder):
    import shutil

    base = tmp_path / "base"
    shutil.copytree(causal_folder("gpt2"), base)
    made = Recipe("head", plain_template(["text"]).with_labels(LABELS), {"epochs": 1}, str(base))
    saved(tmp_path / "m", made)
    assert load_model(tmp_path / "m").predict(["good"])
    moved = tmp_path / "elsewhere"
    base.rename(moved)
    with pytest.raises(BackendError, match="--base-model"):
        load_model(tmp_path / "m")
    assert load_model(tmp_path / "m", base_model=str(moved)).predict(["good"])
    config = json.loads((moved / "config.json").read_text())
    (moved / "config.json").write_text(json.dumps(config | {"note": "changed"}))
    with pytest.raises(BackendError, match="with the hash"):
        load_model(tmp_path / "m", base_model=str(moved))


@pytest.mark.parametrize("name", ["full", "top_layers"])
def test_a_model_that_was_changed_whole_needs_its_base_no_more(tmp_path, causal_folder, name):
    import shutil

    base = tmp_path / "base"
    shutil.copytree(causal_folder("gpt2"), base)
    made = Recipe(name, plain_template(["text"]).with_labels(LABELS), {"epochs": 1}, str(base))
    before = saved(tmp_path / "m", made).predict(ROWS)
    shutil.rmtree(base)
    (tmp_path / "m").rename(tmp_path / "moved")
    again = load_model(tmp_path / "moved").predict(ROWS)
    assert [one.label for one in again] == [one.label for one in before]
    assert [one.log_p for one in again] == [pytest.approx(one.log_p, abs=1e-4) for one in before]
