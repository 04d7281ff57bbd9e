"""The example package: installed, found by every command, and told apart in what runs keep."""

import csv
import json
import os
import subprocess
import sys

import pytest

from promptkit.prompts import find_template
from promptkit.runs.build import build
from promptkit.runs.plugins import all_plugins
from promptkit.runs.spec import EvalSpec
from tests.examples import plugin_package
from tests.examples.plugin_package import PACKAGE

ALL_PARTS = {
    "template": "sentiment_few_shot",
    "backend": "fake",
    "shots": 3,
    "selector": "longest",
    "order": "shortest_last",
    "verbalizer": "second_best",
    "calibration": "geometric",
    "limit": 20,
}


def test_its_own_tests_pass_where_it_is_installed(site, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PACKAGE / "tests")],
        capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_process_that_knows_nothing_of_it_runs_its_strategy(site, home):
    status, out, err = plugin_package.promptkit(
        site, home, "eval", "--strategy", "naive_bayes", "--data", "customer_reviews",
        "--format", "json", "--output", "run.json",
    )  # fmt: skip
    assert (status, err) == (0, ""), out
    (run,) = json.loads((home / "run.json").read_text())
    assert run["spec"]["strategy"]["plugins"] == {"promptkit-example": "0.1.0"}
    assert run["packages"]["promptkit-example"] == "0.1.0"


def test_every_part_is_sound_and_every_seam_has_one(installed):
    found = list(all_plugins())
    assert [problem for _, problem in found if problem] == []
    assert [plugin.kind for plugin, _ in found] == [
        "selector", "order", "backend", "verbalizer", "parser", "calibration", "strategy", "score",
        "metric", "templates",
    ]  # fmt: skip


def test_lists_name_the_package(promptkit, installed):
    _, out, _ = promptkit("parts", "selector")
    assert "longest" in out
    assert "promptkit-example 0.1.0" in out
    _, out, _ = promptkit("parts", "strategy", "naive_bayes")
    assert "smoothing  1.0" in out
    assert "labels" not in out.partition("option")[2]  # what no user can say
    _, out, _ = promptkit("templates", "list")
    assert "delivery" in out
    _, out, _ = promptkit("templates", "lint", "delivery")
    assert out.startswith("right")
    status, out, _ = promptkit("doctor")
    assert "package promptkit-example 0.1.0" in out
    assert status == 0


def test_a_run_of_all_parts_names_their_package_in_its_fingerprint(installed, home):
    spec = build(EvalSpec(**ALL_PARTS)).spec
    assert spec.strategy["plugins"] == {"promptkit-example": "0.1.0"}
    usual = {key: ALL_PARTS[key] for key in ("template", "backend", "shots", "limit")}
    assert "plugins" not in build(EvalSpec(**usual)).spec.strategy


def test_another_version_of_the_package_is_another_run(installed, home, monkeypatch, tmp_path):
    before = build(EvalSpec(**ALL_PARTS)).spec.fingerprint()
    newer = tmp_path / "newer"
    plugin_package.install(PACKAGE, newer)
    info = next(newer.glob("*.dist-info"))
    (info / "METADATA").write_text((info / "METADATA").read_text().replace("0.1.0", "0.2.0"))
    monkeypatch.setattr(sys, "path", [str(newer), *(p for p in sys.path if p != str(installed))])
    assert build(EvalSpec(**ALL_PARTS)).spec.fingerprint() != before


def test_evaluation_with_all_parts_and_with_a_backend_without_model(promptkit, installed):
    options = [f"--{key}={value}" for key, value in ALL_PARTS.items()]
    status, out, err = promptkit("eval", *options)
    assert status == 0, err
    assert "20 rows" in out
    status, out, err = promptkit("eval", "-t", "delivery", "--backend", "overlap")
    assert status == 0, err
    assert "shared words" in out


def test_a_backend_is_given_nothing_that_it_does_not_take(promptkit, installed):
    ask = ["eval", "-t", "delivery", "--backend", "overlap"]
    assert promptkit(*ask, "--device", "cpu")[2] == (
        "promptkit: --device: backend 'overlap' of package promptkit-example 0.1.0 does not take "
        "it; leave it out\n"
    )
    assert "did you mean 'weight'?" in promptkit(*ask, "--backend-option", "wieght=2")[2]


def test_its_strategy_is_compared_tuned_and_put_to_work(promptkit, installed, home, monkeypatch):
    status, out, err = promptkit(
        "compare", "--data", "customer_reviews", "--strategies", "majority,naive_bayes",
        "--seeds", 1, "--sizes", "0,all",
    )  # fmt: skip
    assert status == 0, err
    assert "promptkit tune --strategy naive_bayes --data customer_reviews" in out
    status, _, err = promptkit(
        "tune", "--strategy", "naive_bayes", "--data", "customer_reviews", "--output", "model"
    )
    assert status == 0, err
    (home / "new.csv").write_text("text\nNever again.\nLovely people.\n")
    predict = ["predict", "--model", "model", "--data", "new.csv", "--output", "out.csv"]
    status, _, err = promptkit(*predict)
    assert status == 0, err
    with (home / "out.csv").open(newline="") as file:
        assert {row["predicted"] for row in csv.DictReader(file)} <= {
            "negative", "neutral", "positive",
        }  # fmt: skip
    monkeypatch.setattr(sys, "path", [part for part in sys.path if part != str(installed)])
    status, _, err = promptkit(*predict, "--force")
    assert status == 2
    assert err.endswith(
        "model: was made with a part of promptkit-example 0.1.0, which is not installed: "
        "pip install 'promptkit-example==0.1.0'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["eval", "-t", "delivry"], "did you mean 'delivery'?"),
        (["eval", "-t", "delivery", "--selector", "longst"], "did you mean 'longest'?"),
        (
            ["eval", "--data", "customer_reviews", "--strategy", "naive_bays"],
            "did you mean 'naive_bayes'?",
        ),
        (
            ["compare", "--data", "customer_reviews", "--strategies", "naive_bays"],
            "did you mean 'naive_bayes'?",
        ),
        (["parts", "selektor"], "did you mean 'selector'?"),
    ],
)
def test_a_name_near_to_one_of_its_parts_is_offered(promptkit, installed, arguments, told):
    status, _, err = promptkit(*arguments)
    assert status == 2
    assert told in err


def test_a_template_of_the_package_is_as_any_other(installed):
    template = find_template("delivery")
    assert template.task.labels == ("negative", "neutral", "positive")
