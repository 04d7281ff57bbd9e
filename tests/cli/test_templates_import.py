"""``promptkit templates import`` and ``export``, and what is done with the result."""

import json

import pytest

SENTIMENT = """
dataset: mine
templates:
  1: !Template
    name: Good or bad
    answer_choices: bad ||| good
    jinja: "{{ text }} Is it good? ||| {{ answer_choices[label] }}"
    metadata: !TemplateMetadata {languages: [en]}
  2: !Template
    name: choose
    answer_choices: "{{ options | join('|||') }}"
    jinja: "{{ text }} ||| {{ answer_choices[right] }}"
  3: !Template
    name: only long ones
    answer_choices: bad ||| good
    jinja: "{% if size > 3 %}{{ text }} ||| {{ answer_choices[label] }}{% endif %}"
"""
ROWS = [
    {
        "text": f"Row number {n}.",
        "label": n % 2,
        "options": ["x", "y", "z"],
        "right": n % 3,
        "size": n,
    }
    for n in range(12)
]


@pytest.fixture
def imported(promptkit, home):
    (home / "templates.yaml").write_text(SENTIMENT, encoding="utf-8")
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    (home / "rows.jsonl").write_text(lines, encoding="utf-8")
    assert promptkit("templates", "import", "templates.yaml")[0] == 0
    return home


def test_templates_are_written_listed_and_not_written_over(promptkit, imported):
    status, out, _ = promptkit("templates", "import", "templates.yaml", "--output", "other")
    assert status == 0
    assert "mine_good_or_bad" in out
    assert "bad, good (label)" in out
    assert "the row's choices" in out
    assert (imported / "other" / "mine_choose.yaml").is_file()
    status, _, err = promptkit("templates", "import", "templates.yaml")
    assert (status, err) == (
        2, "promptkit: mine_good_or_bad.yaml: is there already; say --force, or another --output\n"
    )  # fmt: skip
    status, out, _ = promptkit(
        "templates", "import", "templates.yaml", "--name", "mine_choose", "--output", "one"
    )
    assert [path.name for path in (imported / "one").iterdir()] == ["mine_choose.yaml"]


def test_what_cannot_be_imported_ends_with_two(promptkit, home):
    (home / "templates.yaml").write_text(
        SENTIMENT + "  4: !Template {name: broken, jinja: '{{ x'}\n", encoding="utf-8"
    )
    status, out, err = promptkit("templates", "import", "templates.yaml")
    assert status == 2
    assert "mine_choose" in out
    assert err.startswith("wrong   broken: templates.yaml, template 'broken'")
    (home / "task.yaml").write_text(
        "task: t\noutput_type: multiple_choice\ndoc_to_text: !function utils.text\n",
        encoding="utf-8",
    )
    status, _, err = promptkit("templates", "import", "task.yaml", "templates.yaml", "--force")
    assert (status, "doc_to_text: utils.text" in err, "--trust-code" in err) == (2, True, True)
    assert (home / "mine_choose.yaml").is_file()  # one file holds up no other


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mine_good_or_bad", "label  precision"),
        ("mine_choose", "accuracy"),
        ("mine_only_long_ones", "4 rows are left out by the template's own conditions"),
    ],
)
def test_an_imported_template_is_evaluated_like_any_other(name, told, promptkit, imported):
    status, out, err = promptkit("eval", "-t", f"{name}.yaml", "--data", "rows.jsonl")
    assert status == 0, err
    assert told in out


def test_demonstrations_calibration_and_features_take_an_imported_classification(
    promptkit, imported
):
    told = ("-t", "mine_good_or_bad.yaml", "--data", "rows.jsonl", "--train-data", "rows.jsonl")
    status, _, err = promptkit("eval", *told, "--shots", "2", "--calibration", "batch",
                               "--calibration-rows", "evaluated", "--backend", "fake")  # fmt: skip
    assert status == 0, err
    status, _, err = promptkit("tune", "--strategy", "features", *told[:4], "--output", "kept")
    assert status == 0, err
    status, _, err = promptkit(
        "predict", "--model", "kept", "--data", "rows.jsonl", "-o", "out.jsonl"
    )
    assert status == 0, err
    rows = [json.loads(line) for line in (imported / "out.jsonl").read_text().splitlines()]
    assert {row["predicted"] for row in rows} <= {0, 1}
    status, out, err = promptkit("eval", "--model", "kept", "--data", "rows.jsonl")
    assert status == 0, err
    assert "12 rows" in out


def test_ways_are_compared_on_an_imported_classification(promptkit, imported):
    lines = "".join(
        json.dumps({**row, "text": f"{row['text']} {n}", "size": n}) + "\n"
        for n in range(4) for row in ROWS
    )  # fmt: skip
    (imported / "more.jsonl").write_text(lines, encoding="utf-8")
    status, out, err = promptkit(
        "compare", "-t", "mine_good_or_bad.yaml", "--data", "more.jsonl", "--seeds", "1",
        "--strategies", "majority,tfidf",
    )  # fmt: skip
    assert status == 0, err
    assert "48 labelled rows" in out


@pytest.mark.parametrize("name", ["mine_good_or_bad", "mine_choose", "mine_only_long_ones"])
def test_rows_without_labels_are_answered_by_an_imported_template(name, promptkit, imported):
    bare = [{k: v for k, v in row.items() if k not in ("label", "right")} for row in ROWS]
    lines = "".join(json.dumps(row) + "\n" for row in bare)
    (imported / "bare.jsonl").write_text(lines, encoding="utf-8")
    status, _, err = promptkit(
        "predict", "-t", f"{name}.yaml", "--data", "bare.jsonl", "-o", "out.jsonl"
    )
    assert status == 0, err
    rows = [json.loads(line) for line in (imported / "out.jsonl").read_text().splitlines()]
    left_out = [row["problem"] == "the template leaves it out" for row in rows]
    assert left_out == [name == "mine_only_long_ones" and row["size"] <= 3 for row in ROWS]
    assert all(row["predicted"] is not None for row in rows if not row["problem"])


def test_labels_may_be_told_by_their_words(promptkit, imported):
    lines = "text,label\n" + "".join(f"Row {n}.,{'bad' if n % 2 else 'good'}\n" for n in range(6))
    (imported / "words.csv").write_text(lines, encoding="utf-8")
    status, out, err = promptkit("eval", "-t", "mine_good_or_bad.yaml", "--data", "words.csv")
    assert status == 0, err
    assert "6 rows" in out


def test_words_of_a_template_of_our_own_are_no_labels(promptkit, home):
    text = "text,label\n" + "".join(f"Row {n}.,{'yes' if n % 2 else 'no'}\n" for n in range(6))
    (home / "words.csv").write_text(text, encoding="utf-8")
    own = ("name: own\ndescription: d\ntask: {fields: [text]}\nquery: '{{ text }}'\n"
           "labels: {good: {words: ['yes']}, bad: {words: ['no']}}\n")  # fmt: skip
    (home / "own.yaml").write_text(own, encoding="utf-8")
    status, _, err = promptkit("eval", "-t", "own.yaml", "--data", "words.csv")
    assert status == 2
    assert "label 'no' is none of the task's 2 labels" in err


def test_rows_that_no_template_takes_are_told(promptkit, imported):
    (imported / "text.csv").write_text("text,size,label\na,7,0\nb,9,1\n", encoding="utf-8")
    status, _, err = promptkit("eval", "-t", "mine_only_long_ones.yaml", "--data", "text.csv")
    assert status == 2
    assert "cannot be rendered" in err or "CSV holds texts" in err


def test_a_task_runs_as_the_harness_runs_it(promptkit, home, causal_folder):
    promptkit(
        "templates", "export", "sentiment_binary_zero_shot", "--to", "lm-eval", "-o", "t.yaml"
    )
    assert promptkit("templates", "import", "t.yaml", "--output", "mine")[0] == 0
    rows = [{"text": f"Text {n}.", "label": ("negative", "positive")[n % 2]} for n in range(6)]
    (home / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    status, out, err = promptkit(
        "eval", "-t", "mine/sentiment_binary_zero_shot.yaml", "--data", "rows.jsonl",
        "--train-data", "rows.jsonl", "--model", causal_folder("gpt2"), "--profile", "lm-eval",
        "--shots", "2",
    )  # fmt: skip
    assert status == 0, err
    assert "acc (lm-eval)" in out
    assert "acc_norm (lm-eval)" in out
    assert "2 demonstrations by lm-eval's default, seed 1234" in out
    assert "as lm-evaluation-harness 0.4.13 does it" in out


def test_classes_that_a_data_set_numbers_are_numbers_to_an_imported_template(promptkit, imported):
    from datasets import ClassLabel, Dataset, Features, Value

    classes = ClassLabel(names=["short", "long", "longer", "longest", "endless"])
    features = Features(
        {"text": Value("string"), "size": classes, "label": ClassLabel(names=["n", "y"])}
    )
    rows = {"text": ["a", "b", "c", "d"], "size": [1, 4, 4, 4], "label": [0, 0, 1, 0]}
    Dataset.from_dict(rows, features=features).to_parquet(imported / "rows.parquet")
    status, out, err = promptkit("eval", "-t", "mine_only_long_ones.yaml", "--data", "rows.parquet")
    assert status == 0, err
    assert "1 rows are left out by the template's own conditions" in out


def test_a_prompt_of_an_imported_template_is_shown(promptkit, imported, causal_folder):
    status, out, err = promptkit(
        "preview",
        "-t",
        "mine_choose.yaml",
        "--data",
        "rows.jsonl",
        "--model",
        causal_folder("gpt2"),
    )
    assert status == 0, err
    assert "Row number 0." in out


def test_functions_of_a_task_run_in_an_evaluation_that_trusts_them(
    promptkit, home, causal_folder, monkeypatch
):
    from promptkit.prompts import trust

    monkeypatch.setattr(trust, "_allowed", False)
    (home / "utils.py").write_text(
        "def docs(data): return data.filter(lambda doc: doc['label'] < 2)\n"
        "def text(doc): return doc['text'].upper()\n"
        "def worst(items): return min(items)\n", encoding="utf-8",
    )  # fmt: skip
    (home / "task.yaml").write_text(
        "task: moods\noutput_type: multiple_choice\ndoc_to_text: !function utils.text\n"
        "doc_to_target: label\ndoc_to_choice: [low, high]\nprocess_docs: !function utils.docs\n"
        "metric_list: [{metric: acc, aggregation: !function utils.worst}]\n", encoding="utf-8",
    )  # fmt: skip
    rows = [{"text": f"Text {n}.", "label": n % 3} for n in range(9)]
    (home / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    told = ("templates", "import", "task.yaml", "--output", "mine")
    assert promptkit(*told)[0] == 2
    status, _, err = promptkit(*told, "--trust-code")
    assert status == 0, err
    assert (home / "mine" / "utils.py").is_file()
    monkeypatch.setattr(trust, "_allowed", False)
    asked = ("eval", "-t", "mine/moods.yaml", "--data", "rows.jsonl", "--model",
             causal_folder("gpt2"), "--profile", "lm-eval")  # fmt: skip
    status, _, err = promptkit(*asked)
    assert (status, "--trust-code" in err) == (2, True)
    status, out, err = promptkit(*asked, "--trust-code")
    assert status == 0, err
    assert "6 rows" in out  # process_docs left three out
    assert "acc (lm-eval)" in out
    monkeypatch.setattr(trust, "_allowed", False)
    monkeypatch.setenv("PROMPTKIT_TRUST_CODE", "1")  # predict has no option for it
    status, _, err = promptkit("predict", "-t", "mine/moods.yaml", "--data", "rows.jsonl", "-o",
                               "out.jsonl", "--model", causal_folder("gpt2"))  # fmt: skip
    assert status == 0, err
    answered = [json.loads(line) for line in (home / "out.jsonl").read_text().splitlines()]
    assert {row["predicted"] for row in answered} <= {0, 1, "low", "high"}
    assert len(answered) == 9
