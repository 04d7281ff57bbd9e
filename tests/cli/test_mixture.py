"""``promptkit tune --mixture``, called as a user calls it."""

import json

import pytest

MIXTURE = """\
name: trial
tasks: [task.yaml]
"""
TASK = """\
name: feelings
description: A trial.
task: {fields: [text]}
data: rows.jsonl
labels: {good: {words: [good]}, bad: {words: [bad]}}
variants:
  - query: "{{ text }}\\nIt is"
  - query: "{{ text }}\\nGood?"
    labels: {good: {words: ["yes"]}, bad: {words: ["no"]}}
"""


@pytest.fixture
def tune(promptkit, home, causal_folder):
    """A function that tunes a tiny Llama on a mixture of six rows."""
    (home / "mixture.yaml").write_text(MIXTURE)
    (home / "task.yaml").write_text(TASK)
    rows = [{"text": f"text {n}", "label": ("good", "bad")[n % 2]} for n in range(6)]
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    llama = causal_folder("llama")

    def call(*more, strategy="instruct", model=llama, output="made"):
        return promptkit(
            "tune", "--strategy", strategy, "--mixture", "mixture.yaml", "--model", model,
            "--output", output, *more,
        )  # fmt: skip

    return call


def test_an_ordinary_model_folder_comes_out_and_is_asked_like_any_other(tune, promptkit, home):
    status, out, err = tune("--option", "epochs=1")
    assert (status, err) == (0, "")
    assert "1: feelings (6)" in out
    assert "promptkit eval --template sentiment_zero_shot --model made" in out
    files = {file.name for file in (home / "made").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= files
    assert "| feelings | 6 | 2 |" in (home / "made" / "README.md").read_text()
    assert not (home / "made.partial").exists()
    status, out, _ = promptkit("eval", "-t", "sentiment_zero_shot", "--model", "made", "--limit", 5)
    assert status == 0
    assert "accuracy" in out


def one_end(text):
    """A configuration; some versions of transformers write an end token as a list of one."""
    found = json.loads(text)
    if found.get("eos_token_id") == [2]:
        found["eos_token_id"] = 2
    return found


def test_nothing_but_the_weights_has_changed(tune, home, causal_folder):
    assert tune("--option", "epochs=1")[0] == 0
    before, after = causal_folder("llama"), home / "made"
    for name in ("config", "generation_config", "tokenizer", "tokenizer_config"):
        file = f"{name}.json"
        assert one_end((after / file).read_text()) == one_end((before / file).read_text())


def test_an_adapter_comes_out_and_preferences_go_on_from_it(tune, promptkit, causal_folder, home):
    status, out, _ = tune("--option", "way=lora", "--option", "learning_rate=0.01")
    assert status == 0
    assert "--adapter made" in out
    asked = ("eval", "-t", "sentiment_zero_shot", "--model", causal_folder("llama"), "--limit", 5)
    assert promptkit(*asked, "--adapter", "made")[0] == 0
    assert tune("--option", "way=lora", strategy="preference", output="liked")[0] == 0
    assert sorted(file.name for file in (home / "liked").iterdir()) == [
        "README.md", "adapter_config.json", "adapter_model.safetensors",
    ]  # fmt: skip


def test_what_was_made_is_replaced_on_demand_and_nothing_else_ever(tune, home):
    assert tune("--option", "epochs=1")[0] == 0
    status, _, err = tune("--option", "epochs=1")
    assert (status, "replace it with --force" in err) == (2, True)
    assert tune("--option", "epochs=1", "--force")[0] == 0
    (home / "mine").mkdir()
    (home / "mine" / "letter.txt").write_text("keep me")
    status, _, err = tune("--force", output="mine")
    assert (status, "no tuned model" in err) == (2, True)
    assert (home / "mine" / "letter.txt").read_text() == "keep me"


def test_a_killed_tuning_goes_on_from_its_last_epoch(tune, home, monkeypatch):
    from promptkit.strategies.answer_watching import Steps

    told = []
    usual = Steps.on_log

    def on_log(self, args, state, control, logs=None, **more):
        usual(self, args, state, control, logs=logs, **more)
        if logs and "loss" in logs:
            told.append(state.global_step)
            if told == [1, 2]:
                raise KeyboardInterrupt

    monkeypatch.setattr(Steps, "on_log", on_log)
    options = ("--option", "epochs=3", "--option", "batch_size=6")
    status, _, err = tune(*options)
    assert status == 2
    assert "interrupted: 2 of 3 steps were done" in err
    assert tune(*options)[0] == 0
    assert told in ([1, 2, 2, 3], [1, 2, 3])  # the epoch that was cut off is done again at most
    made = (home / "made" / "model.safetensors").read_bytes()
    assert tune(*options, output="whole")[0] == 0
    assert (home / "whole" / "model.safetensors").read_bytes() == made


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--strategy", "full"), "--mixture is for --strategy instruct and preference"),
        (("--data", "x.csv"), "--data: a mixture says that of each of its tasks"),
        (("--option", "rnk=3"), "no option 'rnk'; did you mean 'rank'"),
        (("--option", "way=half"), "no such value 'half'"),
        (("--without", "felings"), "did you mean 'feelings'"),
        (("--model", "minilm"), "'minilm' is of kind 'sentence-encoder'"),
    ],
)
def test_what_is_wrong_is_one_line(tune, home, more, said):
    status, out, err = tune(*more)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not (home / "made").exists()


def test_without_is_for_mixtures(promptkit, home):
    status, _, err = promptkit(
        "tune", "--strategy", "majority", "--data", "customer_reviews", "--output", "m",
        "--without", "x",
    )  # fmt: skip
    assert (status, "--mixture FILE" in err) == (2, True)
