"""Models behind a server, from the command line."""

import json

import pytest

pytest.importorskip("openai")

from tests.fault_server import EVERYTHING, FaultServer, HashBrain, ModelBrain, serving

ROWS = "".join(
    json.dumps({"id": f"r{i}", "text": f"Number {i} of many", "label": "positive"}) + "\n"
    for i in range(12)
)


@pytest.fixture
def data(home):
    (home / "rows.jsonl").write_text(ROWS)
    return "rows.jsonl"


def asked(url, data, *more):
    return [
        "eval", "-t", "sentiment_zero_shot", "--data", data, "--backend", "openai", "--base-url",
        url, "--model", "tiny", "--backend-option", "retries=0", *more,
    ]  # fmt: skip


def test_eval_names_the_evidence_and_says_that_weights_are_not_verified(
    promptkit, data, causal_folder
):
    folder = str(causal_folder("gpt2"))
    with serving(FaultServer(ModelBrain(folder))) as url:
        code, out, _ = promptkit(*asked(url, data, "--tokenizer", folder))
    assert code == 0
    assert "log-probability" in out
    assert "cannot be verified" in " ".join(out.split())
    assert "requests" in out


def test_bare_decisions_have_no_probability_metrics(promptkit, data):
    with serving(FaultServer(HashBrain(), {"chat", "structured_outputs"})) as url:
        code, out, _ = promptkit(*asked(url, data, "--format", "json"))
    assert code == 0
    (run,) = [json.loads(out)] if not out.startswith("[") else [json.loads(out)[0]]
    text = json.dumps(run)
    assert '"accuracy"' in text
    assert '"brier"' not in text
    assert '"ece"' not in text


def test_bare_decisions_cannot_be_calibrated(promptkit, data):
    with serving(FaultServer(HashBrain(), {"chat", "structured_outputs"})) as url:
        code, _, err = promptkit(*asked(url, data, "--calibration", "batch"))
    assert code == 2
    assert "calibration needs log-probabilities" in err


def test_predict_asks_a_server(promptkit, data, home):
    with serving(FaultServer(HashBrain(), {"chat", "structured_outputs"})) as url:
        code, _, err = promptkit(
            "predict", "-t", "sentiment_zero_shot", "--data", data, "--output", "out.jsonl",
            "--backend", "openai", "--base-url", url, "--model", "tiny", "--proba",
        )  # fmt: skip
    assert (code, "Traceback" in err) == (0, False)
    rows = [json.loads(line) for line in (home / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 12
    assert all(row["predicted"] for row in rows)
    assert all(row["p:positive"] is None for row in rows)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--backend", "openai"], "needs --base-url"),
        (["--base-url", "http://127.0.0.1:9/v1"], "--base-url is for a server"),
        (["--tokenizer", "x"], "--tokenizer is for a server"),
        (["--backend", "openai", "--base-url", "http://127.0.0.1:9/v1", "--device", "cpu"],
         "the server decides"),
        (["--backend", "openai", "--base-url", "http://127.0.0.1:9/v1", "--backend-option",
          "concurency=2"], "did you mean 'concurrency'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(promptkit, data, more, message):
    code, _, err = promptkit("eval", "-t", "sentiment_zero_shot", "--data", data, *more)
    assert code == 2
    assert message in " ".join(err.split())
    assert "Traceback" not in err


def test_the_tokenizer_and_the_evidence_are_part_of_a_runs_name(data, causal_folder):
    from promptkit.runs import EvalSpec, build

    folder = str(causal_folder("gpt2"))
    with serving(FaultServer(ModelBrain(folder), EVERYTHING)) as url:

        def named(base=url, **options):
            spec = EvalSpec(
                template="sentiment_zero_shot", data=data, model="tiny", backend="openai",
                base_url=base, **options,
            )  # fmt: skip
            return build(spec).spec.fingerprint()

        plain = named()
        assert named(tokenizer=folder) != plain
        assert named(backend_options={"evidence": "choice"}) != plain
        assert named(backend_options={"concurrency": 2}) == plain
        assert named(base=url.replace("127.0.0.1", "localhost")) == plain
