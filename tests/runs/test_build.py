"""What a run is, is settled before a model is loaded."""

import json
import shutil

import pytest

from promptkit.errors import CapabilityError, DataError, PromptkitError, SpecError
from promptkit.runs import EvalSpec, build, eval_spec, run

TEXTS = ["good food", "bad food", "a table", "great staff", "awful noise", "two chairs"]
LABELS = ["positive", "negative", "neutral"] * 2


@pytest.fixture
def csv(home):
    def write(name="rows.csv", header="text,label", rows=None):
        rows = rows or [f"{t},{x}" for t, x in zip(TEXTS, LABELS, strict=True)]
        (home / name).write_text("\n".join([header, *rows]) + "\n")
        return name

    return write


def asked(**options):
    return EvalSpec(**{"template": "sentiment_zero_shot", "backend": "fake", **options})


def test_paths_devices_and_batches_do_not_change_the_fingerprint(csv):
    one = build(asked(data=csv("a.csv")))
    shutil.copy("a.csv", "b.csv")
    other = build(asked(data="b.csv", device="cpu", batch_size=3))
    named = one.spec.data | {"name": "b", "split": "b"}
    assert one.spec.data["hash"] == other.spec.data["hash"]
    assert named == other.spec.data


@pytest.mark.parametrize(
    "change",
    [
        {"shots": 2, "train_data": "a.csv"},
        {"limit": 3},
        {"labels": ["negative", "positive"]},
        {"backend_options": {"max_words": 9}},
        {"template": "sentiment_few_shot", "shots": 0},
        {"chat": True},
        {"verbalizer_options": {"normalize": "tokens"}},
    ],
)
def test_what_can_change_the_result_changes_the_fingerprint(csv, change):
    data = csv("a.csv")
    one, other = build(asked(data=data)), build(asked(data=data, **change))
    assert one.spec.fingerprint() != other.spec.fingerprint()


def test_changed_rows_change_the_fingerprint(csv):
    before = build(asked(data=csv())).spec.fingerprint()
    csv(rows=["good food,negative", "bad food,negative"])
    assert build(asked(data="rows.csv")).spec.fingerprint() != before


def test_the_seed_counts_only_where_something_is_drawn(csv):
    data = csv()
    zero = [build(asked(data=data, seed=s)).spec.fingerprint() for s in (0, 1)]
    few = [
        build(asked(data=data, train_data=data, shots=2, seed=s)).spec.fingerprint() for s in (0, 1)
    ]
    assert zero[0] == zero[1]
    assert few[0] != few[1]


def test_a_subset_of_labels_leaves_the_other_rows_out_and_says_so(csv):
    trial = build(asked(data=csv(), labels=["negative", "positive"]))
    assert trial.template.task.labels == ("negative", "positive")
    assert len(trial.data) == 4
    assert "2 rows with other labels" in trial.notes[0]
    assert "2 of the template's 3 labels are in use" in trial.notes[1]


def test_data_that_declare_fewer_labels_narrow_the_template_and_the_table_says_so(home):
    folder = home / "mine"
    folder.mkdir()
    (folder / "card.json").write_text(
        json.dumps({"name": "mine", "labels": ["positive", "negative"]})
    )
    rows = [{"text": "good", "label": "positive"}, {"text": "bad", "label": "negative"}]
    (folder / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    trial = build(asked(data=str(folder)))
    assert set(trial.template.task.labels) == {"negative", "positive"}
    assert "not declared by the data" in " ".join(trial.notes)


def test_labels_of_the_data_are_mapped_to_those_of_the_template(csv):
    data = csv(header="body,stars", rows=["good,5", "bad,1", "so so,3"])
    mapped = {"1": "negative", "3": "neutral", "5": "positive"}
    trial = build(asked(data=data, text_field="body", label_field="stars", label_map=mapped))
    assert trial.golds == ("positive", "negative", "neutral")


def test_open_labels_come_from_the_training_rows(csv):
    data = csv()
    trial = build(asked(template="topic_zero_shot", data=data, train_data=data))
    assert trial.template.task.labels == ("negative", "neutral", "positive")


def test_open_labels_come_from_the_card_in_its_order():
    trial = build(asked(template="topic_zero_shot"))
    assert trial.template.task.labels == ("world", "sports", "business", "science_technology")


def test_a_choose_template_takes_the_rows_own_choices():
    record = run(build(asked(template="multiple_choice")))
    assert record.labels == ()
    assert record.report.n == 40
    assert {len(p.log_p) for p in record.predictions} >= {3, 4, 5}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"template": "sentiment_zero_shoot"}, "did you mean 'sentiment_zero_shot'"),
        ({"data": "nowhere.csv"}, "nowhere.csv: no such file"),
        ({"data": "rows.csv", "text_field": "bdy"}, "no column 'bdy'"),
        ({"data": "rows.csv", "labels": ["negative", "postive"]}, "did you mean 'positive'"),
        ({"shots": 4, "data": "rows.csv"}, "--train-data FILE"),
        ({"shots": 4, "selector": "randon"}, "did you mean 'random'"),
        ({"shots": 4, "selector": "none"}, "choose another selector"),
        ({"shots": 4, "selector": "random", "selector_options": {"sed": 1}}, "no option 'sed'"),
        ({"template": "toxicity_zero_shot"}, "say which with --data FILE"),
        ({"template": "topic_zero_shot", "data": "rows.csv"}, "leaves its labels open"),
        ({"template": "multiple_choice", "labels": ["a", "b"]}, "each row brings its choices"),
        ({"template": "entailment_zero_shot", "text_field": "x"}, "use --field premise=COLUMN"),
        ({"fields": {"txt": "x"}}, "did you mean 'text'"),
        ({"backend": "hff"}, "did you mean 'hf'"),
        ({"backend": "auto", "model": "minilmm"}, "did you mean 'minilm'"),
        ({"backend": "auto", "model": "./nowhere"}, "no such folder"),
        ({"backend": "hf"}, "use --backend embedding"),
        ({"verbalizer_options": {"normalize": "byte"}}, "did you mean 'bytes'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_a_model_is_loaded(csv, change, said):
    csv()
    with pytest.raises(PromptkitError, match=said):
        build(asked(**change))


def test_an_unknown_label_names_row_and_remedy(csv):
    data = csv(rows=["good,positive", "bad,negativ"])
    with pytest.raises(DataError, match=r"line 3: label 'negativ'.*--label-map"):
        build(asked(data=data))


def test_a_spec_file_says_the_same_and_the_command_line_overrides_it(home, csv):
    csv()
    (home / "sub").mkdir()
    (home / "sub" / "e.yaml").write_text(
        "template: sentiment_zero_shot\ndata: ../rows.csv\nbackend: fake\nlimit: 2\nseed: 7\n"
        "labels: [negative, positive]\n"
    )
    spec = eval_spec("sub/e.yaml", {"limit": 3, "seed": None})
    assert (spec.limit, spec.seed, spec.labels) == (3, 7, ["negative", "positive"])
    assert len(build(spec).data) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("template: x\nshot: 3\n", "line 2, key 'shot': unknown key; did you mean 'shots'"),
        ("template: x\nshots: many\n", "line 2, key 'shots'.*got 'many'"),
        ("template: x\nshots: -1\n", "line 2, key 'shots'"),
        ("data: x\n", "no template given"),
        ("template: [\n", "line 2"),
    ],
)
def test_a_broken_spec_file_names_line_and_key(home, text, said):
    (home / "e.yaml").write_text(text)
    with pytest.raises(SpecError, match=said):
        eval_spec("e.yaml", {})


def test_a_model_of_no_known_kind_names_the_choices(home):
    folder = home / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["ViTModel"]}')
    (folder / "model.safetensors").write_text("")
    with pytest.raises(CapabilityError, match=r"ViTModel.*hf.*embedding"):
        build(asked(backend="auto", model=str(folder)))


def test_where_a_models_folder_lies_does_not_change_the_fingerprint(home, causal_folder):
    folder = causal_folder("gpt2")
    moved = home / "elsewhere" / folder.name
    shutil.copytree(folder, moved)
    found = [
        build(asked(backend="auto", model=str(one))).spec.fingerprint() for one in (folder, moved)
    ]
    assert found[0] == found[1]


def test_calibration_changes_the_fingerprint_and_the_notes_say_what_it_saw(csv):
    data = csv()
    plain, mended = build(asked(data=data)), build(asked(data=data, calibration="batch"))
    assert plain.spec.fingerprint() != mended.spec.fingerprint()
    assert "calibration" not in plain.spec.strategy
    assert "evaluated rows themselves" in mended.notes[-1]
    boxed = build(asked(calibration="batch", seed=3))
    assert "120 training rows, their labels unread" in boxed.notes[-1]
    assert boxed.spec.seed == 0


def test_a_calibrated_run_is_answered_from_the_store_without_the_model(home, monkeypatch):
    from promptkit.runs import Store
    from promptkit.runs import parts as used

    first = run(build(asked(calibration="batch")), Store())
    monkeypatch.setattr(used, "load_backend", None)
    again = run(build(asked(calibration="batch")), Store())
    assert again.from_store
    assert again.predictions == first.predictions
    assert first.predictions[0].kind == "hash, batch calibration"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"calibration": "bach"}, "did you mean 'batch'"),
        ({"template": "multiple_choice", "calibration": "batch"}, "use --calibration none"),
    ],
)
def test_a_calibration_that_cannot_be_is_said_at_once(change, said):
    with pytest.raises(PromptkitError, match=said):
        build(asked(**change))


def test_few_rows_cannot_be_calibrated_together(csv):
    with pytest.raises(DataError, match="10 rows or more"):
        run(build(asked(data=csv(), calibration="batch")))
