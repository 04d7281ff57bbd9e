"""What each command prints and writes."""

import csv
import io
import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from promptkit.cli import COMMANDS, make_app
from tests.trained import template_text

FAKE = ("eval", "-t", "sentiment_zero_shot", "--backend", "fake")


def test_eval_prints_scores_baselines_and_where_the_numbers_come_from(promptkit):
    status, out, _ = promptkit(*FAKE)
    assert status == 0
    parts = ("accuracy", "macro-F1", "random guessing", "unscored rows", "most confident errors")
    for part in (*parts, "customer_reviews test, 240 rows", "rows/s"):
        assert part in out
    assert "store" not in out


def test_the_same_command_again_says_that_it_answers_from_the_store(promptkit):
    promptkit(*FAKE)
    _, out, _ = promptkit(*FAKE)
    assert "store" in out
    _, fresh, _ = promptkit(*FAKE, "--fresh")
    assert "store" not in fresh


def test_json_goes_to_standard_output_alone(promptkit):
    _, out, err = promptkit(*FAKE, "--format", "json")
    run = json.loads(out)
    run = run[0] if isinstance(run, list) else run["runs"][0]
    assert err == ""
    assert {score["metric"] for score in run["scores"]} >= {"accuracy", "ece", "brier"}


def test_output_takes_its_format_from_the_files_name(promptkit, home):
    promptkit(*FAKE, "--output", "scores.csv")
    rows = list(csv.DictReader(io.StringIO((home / "scores.csv").read_text())))
    assert {row["metric"] for row in rows} >= {"accuracy"}
    promptkit(*FAKE, "--output", "scores.md")
    assert (home / "scores.md").read_text().count("|") > 20


def test_predictions_are_written_one_a_row(promptkit, home):
    promptkit(*FAKE, "--predictions", "rows.csv")
    rows = list(csv.DictReader(io.StringIO((home / "rows.csv").read_text())))
    assert len(rows) == 240
    assert rows[0]["id"] == "cr-test-001"


def test_a_file_that_cannot_be_written_says_that_the_run_is_stored(promptkit, home):
    (home / "out.csv").mkdir()
    status, _, err = promptkit(*FAKE, "--output", "out.csv")
    assert status == 2
    assert "the run is stored" in err


def test_seeds_report_mean_lowest_and_highest(promptkit):
    _, out, _ = promptkit(*FAKE, "--shots", 2, "--seeds", 3)
    for part in ("mean", "lowest", "highest"):
        assert part in out
    assert "labels are in use" not in out


def test_seeds_say_as_well_which_labels_are_in_use(promptkit):
    _, out, _ = promptkit(*FAKE, "--shots", 2, "--seeds", 2, "--labels", "negative,positive")
    assert out.count("2 of the template's 3 labels are in use") == 1


def test_seeds_without_demonstrations_run_once_and_say_why(promptkit):
    status, _, err = promptkit(*FAKE, "--seeds", 3)
    assert status == 0
    assert err.count("draw nothing") == 1


def test_a_dry_run_needs_no_model_and_stores_nothing(promptkit, home):
    status, out, _ = promptkit("eval", "-t", "sentiment_zero_shot", "--dry-run")
    assert status == 0
    assert "fake" in out
    assert not (home / ".promptkit").exists()


def test_the_options_of_the_issue_work_together(promptkit, home):
    lines = ["body,stars", *(f"text {i},{1 + i % 5}" for i in range(20))]
    (home / "reviews.csv").write_text("\n".join(lines) + "\n")
    status, out, err = promptkit(
        "eval", "-t", "sentiment_zero_shot", "--data", "reviews.csv", "--text-field", "body",
        "--label-field", "stars", "--label-map", "1=negative,2=negative,3=neutral,4=positive",
        "--label-map", "5=positive", "--train-data", "reviews.csv", "--backend", "fake",
        "--shots", 3, "--selector", "bm25", "--seed", 4, "--labels", "negative,positive",
        "--limit", 10, "--batch-size", 4, "--device", "cpu", "--dtype", "float32",
        "--format", "markdown",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "2 of the template's 3 labels are in use" in out


def test_a_language_model_is_evaluated_from_the_command_line(promptkit, home, trained_folder):
    (home / "trained_same.yaml").write_text(template_text("same"))
    status, out, _ = promptkit("eval", "-t", "trained_same.yaml", "--model", trained_folder,
                               "--split", "train", "--limit", 60, "--format", "csv")  # fmt: skip
    accuracy = next(row for row in csv.DictReader(io.StringIO(out)) if row["metric"] == "accuracy")
    assert status == 0
    assert float(accuracy["value"]) > 0.9


def test_the_in_box_encoder_beats_both_baselines_on_the_in_box_rows(promptkit):
    status, out, _ = promptkit("eval", "customer_reviews", "--format", "csv")
    scores = {row["metric"]: row for row in csv.DictReader(io.StringIO(out))}
    assert status == 0
    assert float(scores["accuracy"]["low"]) > 1 / 3


def test_preview_shows_the_demonstrations_chosen_and_arranged_as_asked(promptkit):
    def seen(*options):
        status, out, _ = promptkit("preview", "-t", "sentiment_few_shot", "--backend", "fake",
                                   "--shots", 4, "--seed", 1, *options)  # fmt: skip
        assert status == 0
        return out

    plain = seen("--selector", "k_centre")
    mixed = seen("--selector", "k_centre", "--order", "random")
    assert sorted(plain.split()) == sorted(mixed.split())
    assert plain != mixed
    assert sorted(seen("--selector", "random").split()) != sorted(plain.split())


def test_preview_shows_pieces_ids_and_label_words_without_weights(
    promptkit, trained_folder, monkeypatch
):
    monkeypatch.setattr("promptkit.backends.hf.HFBackend.__init__", None)
    status, out, _ = promptkit("preview", "-t", "sentiment_zero_shot", "--model", trained_folder,
                               "--shots", 2, "--selector", "bm25")  # fmt: skip
    assert status == 0
    for part in ("BOS", "instruction", "demonstration", "query", "label words", "▁p o s it iv e"):
        assert part in out
    assert "share their first token" in out
    assert "split otherwise" not in out


def test_preview_of_an_encoder_shows_statements(promptkit):
    status, out, _ = promptkit("preview", "-t", "news_topic_zero_shot", "--row", "nt-test-003")
    assert status == 0
    assert "This news is about sport." in out
    assert "101" in out


def test_preview_of_a_row_that_is_not_there(promptkit):
    status, _, err = promptkit("preview", "-t", "sentiment_zero_shot", "--row", "9999")
    assert status == 2
    assert "not a number from 1 to 240" in err


def test_templates_are_listed_shown_and_linted(promptkit, home):
    _, listed, _ = promptkit("templates", "list")
    assert "sentiment_zero_shot" in listed
    _, shown, _ = promptkit("templates", "show", "sentiment_zero_shot")
    assert shown.startswith("name: sentiment_zero_shot\n")
    status, linted, _ = promptkit("templates", "lint")
    assert status == 0
    assert "wrong" not in linted
    (home / "mine.yaml").write_text(shown.replace("{{ text }}", "{{ txt }}"))
    status, linted, _ = promptkit("templates", "lint", "mine.yaml")
    assert status == 2
    assert "did you mean 'text'" in linted


def test_runs_are_listed_and_shown(promptkit):
    assert "no runs" in promptkit("runs", "list")[1]
    promptkit(*FAKE)
    _, listed, _ = promptkit("runs", "list")
    assert "sentiment_zero_shot" in listed
    run = next(word for word in listed.split() if len(word) >= 8 and word.isalnum()
               and any(c.isdigit() for c in word))  # fmt: skip
    _, shown, _ = promptkit("runs", "show", run)
    assert "macro-F1" in shown
    assert promptkit("runs", "show", "zzz")[0] == 2


def test_doctor_finds_the_in_box_model_and_the_backends(promptkit):
    status, out, _ = promptkit("doctor")
    assert status == 0
    assert "SHA-256 as expected" in out
    absent = [name for name in ("openai", "vllm") if find_spec(name) is None]
    assert out.count("can run") == 6 - len(absent)
    assert out.count("not installed") == len(absent)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(promptkit, command):
    status, out, _ = promptkit(command, "--help")
    assert status == 0
    assert f"Usage: promptkit {command}" in out


def test_the_command_line_made_again_is_the_same(promptkit):
    _, first, _ = promptkit("data", "--help")
    commands = make_app().registered_groups
    again = make_app().registered_groups
    assert [len(one.typer_instance.registered_commands) for one in commands] == [
        len(one.typer_instance.registered_commands) for one in again
    ]
    assert promptkit("data", "--help")[1] == first


def test_all_commands_are_listed_and_a_wrong_one_is_answered_with_the_nearest(promptkit):
    _, out, _ = promptkit("--help")
    assert all(f"│ {name} " in out for name in COMMANDS)
    assert "Did you mean 'compare'" in promptkit("compar")[2]


def test_help_and_import_load_nothing_heavy():
    code = (
        "import sys, promptkit\n"
        "from promptkit.cli import make_app\n"
        "make_app()(['eval', '--help'], standalone_mode=False)\n"
        "heavy = {'torch', 'transformers', 'vllm', 'datasets', 'sklearn', 'pandas'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_preview_of_a_seq2seq_model_shows_its_closing_token_and_words_without_a_blank(
    promptkit, tmp_path
):
    from tests.tiny import save_seq2seq

    folder = save_seq2seq("t5", tmp_path / "t5")
    status, out, _ = promptkit("preview", "-t", "sentiment_zero_shot", "--model", folder)
    assert status == 0
    assert "EOS" in out
    assert "│ 'neutral'" in out


def test_preview_of_a_masked_model_shows_its_slot(promptkit, tmp_path):
    from tests.tiny import save_masked

    folder = save_masked("bert", tmp_path / "bert")
    status, out, _ = promptkit("preview", "-t", "sentiment_cloze", "--model", folder)
    assert status == 0
    assert "[MASK]" in out
    assert "EOS" in out
