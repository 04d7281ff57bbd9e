"""``promptkit serve`` as a user calls it: what is wrong is one line, what is right answers."""

import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

KEY = "a-key-that-is-long-enough"
ROWS = "text,label\n" + "".join(
    f"great thing {i},positive\nawful thing {i},negative\n" for i in range(20)
)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--model", "nothing"), "--model nothing is no saved model"),
        (("-t", "sentiment_zero"), "did you mean 'sentiment_zero_shot'?"),
        (("-t", "intent_zero_shot", "--backend", "fake"), "say which with --labels"),
        (("-t", "sentiment_zero_shot", "--abstain", "0.9 accuracy"), "--train-data"),
        (("-t", "sentiment_zero_shot", "--label-map", "5"), "write it as --label-map 5=positive"),
        (("--log-format", "jsn"), "did you mean 'json'?"),
        (("--port", "70000"), "between 0 and 65535"),
        (("--threads", "0"), "--threads 0: must be at least 1"),
        (("--batch-rows", "0"), "--batch-rows 0"),
        (("--max-body", "much"), "--max-body much: write a size"),
        (("--api-key-file", "none.txt"), "--api-key-file none.txt: cannot be read"),
        (("--host", "no.such.host.invalid"), "no such address"),
        (("--prot", "1"), "No such option"),
    ],
)
def test_what_is_wrong_is_one_line(promptkit, options, why):
    free = () if "--port" in options else ("--port", "0")
    status, out, err = promptkit("serve", *options, *free)
    assert status == 2
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith("promptkit: ")
    assert why in last
    assert "Traceback" not in err


def test_a_port_that_is_taken_is_told_before_a_model_is_loaded(promptkit):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = promptkit("serve", "-t", "sentiment_zero_shot", "--port", port)
    assert status == 2
    assert err.splitlines() == [err.strip()]
    assert f"--port {port}: cannot be used on 127.0.0.1" in err


def test_a_missing_extra_is_told_with_the_command_that_brings_it(promptkit, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find(name)
    )
    status, _, err = promptkit("serve")
    assert status == 2
    assert err == "promptkit: serving needs uvicorn: pip install 'promptkit[serve]'\n"


def ask(url, content=None, key=None):
    body = None if content is None else json.dumps(content).encode()
    headers = {"Content-Type": "application/json"} if body else {}
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return json.load(answer)


def test_a_tuned_model_answers_until_it_is_told_to_stop(promptkit, home):
    (home / "rows.csv").write_text(ROWS)
    promptkit("tune", "--strategy", "tfidf", "--data", "rows.csv", "--output", "model")
    command = [sys.executable, "-m", "promptkit", "serve", "--model", "model", "--port", "0"]
    environment = {**os.environ, "PROMPTKIT_API_KEY": KEY}
    server = subprocess.Popen(
        [*command, "--log-format", "json"], stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        told = {}
        while "ready" not in told:
            line = server.stderr.readline()
            assert line, told
            if line.startswith("{"):
                event = json.loads(line)
                told[event["event"]] = event
        url = told["listening"]["url"]
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", url)
        assert told["ready"]["model"] == "model"
        found = ask(f"{url}/predict", {"rows": ["great", {"text": "awful", "id": 3}]}, KEY)
        assert [one["label"] for one in found["answers"]] == ["positive", "negative"]
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            ask(f"{url}/predict", {"row": "great"})
        refused.value.close()
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=20)[1]
        assert server.returncode == 0
        assert json.loads(said.splitlines()[-1])["event"] == "stopped"
        assert KEY not in said
        assert "great" not in said
    finally:
        server.kill()
        server.communicate()
