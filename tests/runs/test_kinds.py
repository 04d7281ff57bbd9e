"""Tasks of every kind, from a file to a metric, by prompts and by learning."""

import csv
import json
import math
import random

import pytest

from promptkit.cli import make_app
from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.prompts import Template
from promptkit.runs import EvalSpec, Store, build, run
from promptkit.runs.saved import load_model
from promptkit.runs.tune import tune
from promptkit.types import Example
from tests.conftest import REFERENCE
from tests.strategies.tuned import family

PARTS = {
    "price": ("It cost far too much.", "The price was fair.", "I paid more than I should have."),
    "delivery": ("The parcel came late.", "It arrived in a day.", "The courier lost it."),
    "quality": ("It broke at once.", "The material is solid.", "It fell to pieces."),
}
STARS = {
    1: "Terrible, the worst that I have ever seen",
    2: "Rather bad and disappointing",
    3: "Average, neither good nor bad",
    4: "Good, I am quite content",
    5: "Fantastic, the best of all",
}
WORDS = {
    "DET": ("the", "a", "every", "no"),
    "NOUN": ("dog", "parcel", "waiter", "house", "table"),
    "VERB": ("barks", "arrives", "smiles", "stands", "breaks"),
    "ADV": ("loudly", "today", "quickly", "again"),
}
HEAD = "name: {kind}_task\ndescription: A task.\ntask: {{kind: {kind}, fields: [{field}]{more}}}\n"
MULTI = HEAD.format(kind="multilabel", field="text", more="") + (
    'query: "Feedback: {{ text }}\\nDoes it speak of {{ label }}?\\nAnswer:"\nlabels:\n'
    + "".join(
        f'  {one}: {{words: [{one}], statements: ["{said[0]}"]}}\n' for one, said in PARTS.items()
    )
)
RATE = HEAD.format(kind="rate", field="text", more="") + (
    'query: "Review: {{ text }}\\nStars:"\nlabels:\n'
    + "".join(f'  {n}: {{words: ["{n}"], statements: ["{said}."]}}\n' for n, said in STARS.items())
)
TAG = HEAD.format(kind="tag", field="tokens", more=", words: tokens") + (
    "query: \"Sentence: {{ tokens | join(' ') }}\\nWord {{ place }}: {{ token }}\\nKind:\"\n"
    'encoder: {text: "{{ token }}"}\nlabels:\n'
    + "".join(f"  {tag}: {{words: [{tag.lower()}]}}\n" for tag in WORDS)
)


def multi_rows(n, seed):
    draw = random.Random(seed)
    for i in range(n):
        own = draw.sample(sorted(PARTS), draw.choice((0, 1, 1, 2)))
        said = [draw.choice(PARTS[label]) for label in own] or ["I am called Ann."]
        yield {"id": f"{seed}-{i}", "text": f"{' '.join(said)} ({seed}{i})", "label": own}


def rate_rows(n, seed):
    draw = random.Random(seed)
    for i in range(n):
        stars = draw.randint(1, 5)
        more = draw.choice((" I say.", ".", " for us.", " in my eyes."))
        yield {"id": f"{seed}-{i}", "text": f"{STARS[stars]}{more} ({seed}{i})", "label": stars}


def tag_rows(n, seed):
    draw = random.Random(seed)
    for i in range(n):
        tags = ["DET", "NOUN", "VERB", *["ADV"] * draw.randint(0, 1)]
        yield {
            "id": f"{seed}-{i}",
            "tokens": [draw.choice(WORDS[tag]) for tag in tags],
            "label": tags,
        }


TASKS = {"multilabel": (MULTI, multi_rows), "rate": (RATE, rate_rows), "tag": (TAG, tag_rows)}


@pytest.fixture
def task(tmp_path, monkeypatch):
    """``task(kind)``: a spec over files of that kind, in an empty working folder."""
    monkeypatch.chdir(tmp_path)

    def made(kind, n=40, **asked):
        template, rows = TASKS[kind]
        (tmp_path / f"{kind}.yaml").write_text(template)
        for seed, name in enumerate(("train", "test")):
            text = "".join(json.dumps(row) + "\n" for row in rows(n, seed))
            (tmp_path / f"{name}.jsonl").write_text(text)
        files = {"data": "test.jsonl", "train_data": "train.jsonl"}
        return EvalSpec(template=f"{kind}.yaml", **{**files, **asked})

    return made


def scores(record):
    return {score.metric: score.value for score in record.report.scores}


@pytest.mark.parametrize("strategy", ["in_context", "features", "tfidf", "full", "lora"])
@pytest.mark.parametrize(
    ("kind", "metric", "least"),
    [("multilabel", "micro_f1", 0.75), ("rate", "agreement", 0.75), ("tag", "word_accuracy", 0.8)],
)
def test_every_kind_is_learned_and_asked(task, kind, metric, least, strategy):
    epochs = {"epochs": 4} if strategy in ("full", "lora") else {}
    asked = task(kind, strategy=strategy, strategy_options=epochs)
    store = Store("runs")
    record = run(build(asked), store)
    assert record.report.scores[0].metric == metric
    asks = strategy == "in_context"
    # an encoder is no reader of prompts about one word or one label: it has to do something
    assert scores(record)[metric] > (0.3 if asks else least)
    assert record.report.n == 40
    assert record.report.n_unscored == 0
    again = run(build(asked), store)
    assert again.from_store
    assert again.predictions == record.predictions
    assert again.report == record.report


@pytest.mark.parametrize("strategy", ["in_context", "features", "full"])
@pytest.mark.parametrize("kind", list(TASKS))
def test_what_is_saved_predicts_the_same(task, kind, strategy, tmp_path):
    epochs = {"epochs": 1} if strategy == "full" else {}
    asked = task(kind, n=12, strategy=strategy, strategy_options=epochs)
    record = run(build(asked))
    learned = asked.model_copy(update={"data": "train.jsonl", "train_data": None})
    tune(learned, tmp_path / "model")
    found = run(build(EvalSpec(model=str(tmp_path / "model"), data="test.jsonl")))
    for one, other in zip(found.predictions, record.predictions, strict=True):
        assert one.label == (pytest.approx(other.label) if kind == "rate" else other.label)
    saved = load_model(tmp_path / "model")
    assert saved.template.task.kind == kind


def test_one_network_learns_all_labels_of_a_row(task):
    trial = build(task("multilabel", n=12, strategy="full", strategy_options={"epochs": 1}))
    strategy = trial.strategy(True).fit(trial.train.examples)
    evidence = strategy.gather(trial.data.examples)
    assert len(strategy.head_.out.bias) == 3
    assert all(len(one.log_p) == 3 and max(one.log_p) < 0 for one in evidence)


@pytest.mark.parametrize("kind", ["multilabel", "tag"])
def test_a_language_model_is_asked_about_parts(task, kind, causal_folder):
    trial = build(task(kind, n=4, model=str(causal_folder("llama")), shots=2))
    record = run(trial)
    assert record.report.n_unscored == 0
    strategy = trial.strategy(True)
    assert strategy.describe()["shots"] == 2
    part = strategy.members["price"] if kind == "multilabel" else strategy.inner
    fields = {"text": "x", "label": "price", "tokens": ["x", "y"], "token": "y", "place": 1}
    prompt = part.template.prompt(Example("a", fields))
    said = "".join(piece.text for piece in prompt.query)
    assert said.endswith("speak of price?\nAnswer:" if kind == "multilabel" else "1: y\nKind:")
    words = {"".join(p.text for p in c.text) for c in part.template.candidates(
        Example("a", fields), "text")}  # fmt: skip
    assert words == (
        {" yes", " no"} if kind == "multilabel" else {" det", " noun", " verb", " adv"}
    )


@pytest.mark.parametrize("strategy", ["features", "full"])
def test_words_beyond_what_the_model_reads_teach_nothing(task, strategy, tmp_path):
    asked = task("tag", n=12, strategy=strategy,
                 strategy_options={"epochs": 1} if strategy == "full" else {})  # fmt: skip
    long = {"id": "long", "tokens": ["dog"] * 400, "label": ["NOUN"] * 399 + ["X"]}
    with (tmp_path / "train.jsonl").open("a") as file:
        file.write(json.dumps(long) + "\n")
    (tmp_path / "tag.yaml").write_text(TAG + "  X: {words: [other]}\n")
    record = run(build(asked))
    assert record.report.n_unscored == 0
    assert not any("X" in one.label for one in record.predictions)


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize("kind", list(TASKS))
def test_answers_are_written_as_they_are(task, kind, ending, tmp_path):
    asked = task(kind, n=12, strategy="features", data="train.jsonl", train_data=None)
    tune(asked, tmp_path / "model")
    told = ["predict", "--model", "model", "--data", "test.jsonl", "--output", f"out.{ending}"]
    make_app()(told, prog_name="promptkit", standalone_mode=False)
    wanted = [one.label for one in load_model("model").predict([
        {name: row[name] for name in ("text", "tokens") if name in row}
        for row in TASKS[kind][1](12, 1)
    ])]  # fmt: skip
    if ending == "parquet":
        import pyarrow.parquet

        found = pyarrow.parquet.read_table("out.parquet")["predicted"].to_pylist()
    elif ending == "csv":
        with (tmp_path / "out.csv").open(newline="") as file:
            found = [json.loads(row["predicted"]) for row in csv.DictReader(file)]
    else:
        lines = (tmp_path / "out.jsonl").read_text().splitlines()
        found = [json.loads(line)["predicted"] for line in lines]
    for one, other in zip(found, wanted, strict=True):
        own = pytest.approx(other) if kind == "rate" else list(other)
        assert one == own


def test_labels_may_stand_in_one_cell_of_a_table(task, tmp_path):
    spec = task("multilabel", strategy="features")
    with (tmp_path / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label"])
        for row in multi_rows(20, 0):
            if row["label"]:
                writer.writerow([row["id"], row["text"], "; ".join(row["label"])])
    trial = build(spec.model_copy(update={"train_data": "train.csv"}))
    assert {len(row.label) for row in trial.train} == {1, 2}


@pytest.mark.parametrize(
    ("kind", "row", "said"),
    [
        ("multilabel", {"text": "x", "label": ["prize"]}, "did you mean 'price'"),
        ("rate", {"text": "x", "label": 6}, "6 lies outside the template's scale, 1 to 5"),
        ("rate", {"text": "x", "label": "good"}, "'good' is no number"),
        ("tag", {"tokens": ["x", "y"], "label": ["DET"]}, "line 1: .*2 words, and 1 labels"),
        ("tag", {"tokens": {"x": 1}, "label": ["DET"]}, "must be a list of words"),
        ("tag", {"tokens": ["x"], "label": ["DETT"]}, "did you mean 'DET'"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(task, kind, row, said, tmp_path):
    spec = task(kind)
    (tmp_path / "test.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=said):
        build(spec)


def test_answers_in_a_table_are_read_as_labels_again(task, tmp_path):
    (tmp_path / "test.csv").write_text('text,label\n"It broke.","[""quality""]"\n"Ann.","[]"\n')
    trial = build(task("multilabel").model_copy(update={"data": "test.csv"}))
    assert [row.label for row in trial.data] == [("quality",), ()]
    (tmp_path / "test.csv").write_text("text,label\nIt broke.,[quality\n")
    with pytest.raises(DataError, match="no JSON list"):
        build(task("multilabel").model_copy(update={"data": "test.csv"}))


@pytest.mark.parametrize("strategy", ["instruct", "in_context"])
def test_what_cannot_be_evaluated_cannot_be_tuned(task, strategy, tmp_path):
    options = {"calibration": "contextual"} if strategy == "in_context" else {}
    asked = task("multilabel", strategy=strategy, strategy_options=options)
    asked = asked.model_copy(update={"data": "train.jsonl", "train_data": None})
    with pytest.raises(CapabilityError, match="for rows with one label"):
        tune(asked, tmp_path / "model")


def test_a_form_of_words_may_show_the_word_alone(tmp_path):
    file = tmp_path / "t.yaml"
    text = TAG.replace("{{ tokens | join(' ') }}\\nWord {{ place }}: ", "")
    assert text != TAG
    file.write_text(text)
    assert Template.read(file).task.words == "tokens"


@pytest.mark.parametrize(
    "asked",
    [
        {"calibration": "contextual"},
        {"permutations": 2},
        {"strategy": "instruct"},
        {"draws": 2, "shots": 2},
    ],
)
def test_what_needs_one_label_a_row_says_so(task, asked):
    with pytest.raises(CapabilityError, match="for rows with one label"):
        build(task("multilabel", **asked))


def test_strategies_that_do_not_tag_are_named(task):
    with pytest.raises(SpecError, match=r"'contrastive' does not tag words; these do: .*features"):
        build(task("tag", strategy="contrastive"))


def test_ratings_lie_between_the_labels(task):
    record = run(build(task("rate", strategy="features")))
    numbers = [one.label for one in record.predictions]
    assert all(isinstance(one, float) and 1 <= one <= 5 for one in numbers)
    assert any(not math.isclose(one, round(one), abs_tol=1e-3) for one in numbers)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("multilabel", "classify"), "no field or variable 'label'"),
        (("kind: multilabel", "kind: rate"), "numbers as labels"),
        (("fields: [text]", "fields: [text], words: text"), "'words' belongs to kind 'tag'"),
        (("query:", "presence: {present: [ja]}\nquery:"), None),
    ],
)
def test_templates_of_the_wrong_kind_are_refused(tmp_path, change, said):
    file = tmp_path / "t.yaml"
    file.write_text(MULTI.replace(*change))
    if said is None:
        assert Template.read(file).keys.presence.present == ["ja"]
        return
    with pytest.raises(SpecError, match=said):
        Template.read(file)


def test_a_layer_of_words_can_be_named_and_must_exist(task):
    spec = task("tag", n=12, strategy="features")
    for layers, said in ((9, "the model has 0 to 2"), ("mix", "one layer's number")):
        options = {"layers": layers}
        with pytest.raises(SpecError, match=said):
            run(build(spec.model_copy(
                update={"strategy_options": options, "model": family("bert")})))  # fmt: skip


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="needs the reference data beside the project")
@pytest.mark.parametrize(
    ("strategy", "least"),
    [("features", 0.86), pytest.param("full", 0.83, marks=pytest.mark.slow)],
)
def test_parts_of_speech_of_a_treebank(task, strategy, least, tmp_path):
    names = set()
    for part, n in (("train", 150), ("test", 150)):
        lines = (REFERENCE / "probing" / "pos" / f"{part}.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines[: 3 * n]]
        whole = [row for row in rows if len(row["targets"]) == len(row["tokens"])][:n]
        with (tmp_path / f"{part}.jsonl").open("w") as file:
            for row in whole:
                spans = sorted(row["targets"], key=lambda one: one["span1"][0])
                label = [one["label"] for one in spans]
                names |= set(label)
                file.write(json.dumps({"tokens": row["tokens"], "label": label}) + "\n")
    head = TAG.partition("labels:\n")[0]
    said = "".join(f"  {tag}: {{words: [{tag.lower()}]}}\n" for tag in sorted(names))
    (tmp_path / "pos.yaml").write_text(f"{head}labels:\n{said}")
    asked = EvalSpec(template="pos.yaml", data="test.jsonl", train_data="train.jsonl",
                     strategy=strategy)  # fmt: skip
    assert scores(run(build(asked)))["word_accuracy"] > least
