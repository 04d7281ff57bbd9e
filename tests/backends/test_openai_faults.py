"""Whatever a server does, each row ends scored or with a reason, and none is asked for nothing."""

import json
import logging
import threading
import time

import pytest

pytest.importorskip("openai")

from promptkit.backends.openai import OpenAIBackend
from promptkit.errors import BackendError
from promptkit.runs import EvalSpec, Store, build, run
from promptkit.types import Candidate, Piece, Prompt
from tests.fault_server import EVERYTHING, LATE, FaultServer, HashBrain, ModelBrain, serving

CHAT = {"chat", "models", "top_logprobs"}
QUICK = {"timeout": LATE / 4, "backoff": 0.002, "retries": 12, "concurrency": 16}
KEY = "sk-very-secret-0123456789"
OWN = [Candidate(word, (Piece(f" {word}"),)) for word in ("good", "bad")]


def prompts(n):
    return [Prompt(f"r{i}", query=(Piece(f"text {i}", True), Piece("\nIt is"))) for i in range(n)]


def started(server, url, **options):
    """A backend that was built before the server's faults began."""
    server.faulty = False
    backend = OpenAIBackend("tiny", url, **{**QUICK, **options})
    server.faulty = True
    server.asked.clear()
    server.answered.clear()
    return backend


def test_every_row_is_scored_through_all_kinds_of_faults_and_answered_once():
    server = FaultServer(HashBrain(), CHAT, rate=0.3, seed=1)
    with serving(server) as url:
        backend = started(server, url)
        found = backend.score(prompts(150), [OWN] * 150)
    assert [one.example_id for one in found] == [f"r{i}" for i in range(150)]
    assert all(one.log_p and not one.problem for one in found)
    assert set(server.faults) >= {"late", "busy", "broken", "dropped", "truncated"}
    assert len(server.answered) == 150
    assert set(server.answered.values()) == {1}
    assert backend.cost.requests == sum(server.asked.values()) > 150


def test_scores_of_a_model_are_the_same_through_faults(causal_folder):
    folder = str(causal_folder("gpt2"))
    server = FaultServer(ModelBrain(folder), EVERYTHING, rate=0.3, seed=2)
    with serving(server) as url:
        backend = started(server, url, tokenizer=folder, evidence="echo", timeout=LATE * 0.8)
        faulty = backend.score(prompts(10), [OWN] * 10)
        server.faulty = False
        assert [one.log_p for one in backend.score(prompts(10), [OWN] * 10)] == [
            one.log_p for one in faulty
        ]


def test_a_refused_row_is_unscored_with_the_servers_reason_and_asked_once():
    server = FaultServer(HashBrain(), CHAT)
    server.refuses = "text 3"
    with serving(server) as url:
        found = started(server, url).score(prompts(8), [OWN] * 8)
    assert [bool(one.problem) for one in found] == [i == 3 for i in range(8)]
    assert "400: this text is too long" in found[3].problem
    assert set(server.asked.values()) == {1}


def test_retry_after_is_honoured():
    server = FaultServer(HashBrain(), CHAT)
    server.always, server.retry_after = "busy", "0.4"
    with serving(server) as url:
        server.always = ""
        backend = started(server, url, retries=1)
        server.always = "busy"
        before = time.monotonic()
        with pytest.raises(BackendError, match="slow down"):
            backend.score(prompts(2), [OWN] * 2)
    assert time.monotonic() - before >= 0.4


def test_a_row_that_fails_alone_is_unscored_and_the_others_are_not():
    server = FaultServer(HashBrain(), CHAT)
    with serving(server) as url:
        backend = started(server, url, retries=2)
        usual = server.fault_for
        server.fault_for = lambda content: "broken" if "text 2\\n" in content else usual(content)
        found = backend.score(prompts(5), [OWN] * 5)
    assert [bool(one.problem) for one in found] == [False, False, True, False, False]
    assert "500: out of order (3 tries)" in found[2].problem


def test_a_server_that_is_gone_ends_the_run_and_what_was_answered_is_told():
    server = FaultServer(HashBrain(), CHAT)
    told = {}

    def tell(place, evidence):
        told[place] = evidence
        server.dead = len(told) >= 3

    with serving(server) as url:
        backend = started(server, url, retries=1, concurrency=1)
        with pytest.raises(BackendError, match="run the same command again") as error:
            backend.score_telling(prompts(20), [OWN] * 20, tell)
    assert error.value.retryable
    assert sorted(told) == [0, 1, 2]


def test_nobody_there_is_said_when_the_backend_is_built():
    with pytest.raises(BackendError, match="no connection"):
        OpenAIBackend("tiny", "http://127.0.0.1:9/v1", **{**QUICK, "retries": 1})


def test_a_budget_of_requests_ends_the_run():
    server = FaultServer(HashBrain(), CHAT)
    with serving(server) as url:
        backend = started(server, url, max_requests=20)
        with pytest.raises(BackendError, match="budget of 20 requests is used up"):
            backend.score(prompts(40), [OWN] * 40)
    assert sum(server.asked.values()) <= 20


def test_a_budget_of_tokens_ends_the_run():
    server = FaultServer(HashBrain(), CHAT)
    with serving(server) as url:
        backend = started(server, url, max_tokens_budget=100, concurrency=1)
        with pytest.raises(BackendError, match="raise max_tokens_budget"):
            backend.score(prompts(60), [OWN] * 60)


def test_tokens_are_counted_as_the_server_does_and_priced():
    server = FaultServer(HashBrain(), CHAT)
    with serving(server) as url:
        backend = started(server, url, price={"prompt": 2.0, "completion": 10.0})
        backend.score(prompts(10), [OWN] * 10)
    cost = backend.cost
    assert (cost.rows, cost.requests, cost.computed_tokens, cost.new_tokens) == (10, 10, 40, 10)
    assert cost.price == pytest.approx((40 * 2 + 10 * 10) / 1e6)


def test_ctrl_c_ends_at_once_whatever_the_server_owes(monkeypatch):
    server = FaultServer(HashBrain(), CHAT)
    with serving(server) as url:
        backend = started(server, url, timeout=30.0)
        server.always = "late"

        class Pressed(threading.Semaphore().__class__):
            def acquire(self, *args, **how):
                time.sleep(0.1)
                raise KeyboardInterrupt

        monkeypatch.setattr("promptkit.backends.openai_client.threading.Semaphore", Pressed)
        before = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            backend.score(prompts(50), [OWN] * 50)
        assert time.monotonic() - before < LATE


def rows_file(folder, n):
    path = folder / "rows.jsonl"
    label = ("positive", "negative", "neutral")
    lines = [
        {"id": f"r{i}", "text": f"Number {i} of many", "label": label[i % 3]} for i in range(n)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def asked(url, data, **options):
    return EvalSpec(
        template="sentiment_zero_shot", data=data, model="tiny", backend="openai", base_url=url,
        backend_options={**QUICK, "evidence": "first_token", **options},
    )  # fmt: skip


def test_a_thousand_rows_against_faults_in_a_fifth_of_requests_are_a_thousand_results(home):
    server = FaultServer(HashBrain(), CHAT, rate=0.2, seed=3)
    with serving(server) as url:
        trial = build(asked(url, rows_file(home, 1000)))
        server.answered.clear()
        record = run(trial, Store())
        again = run(trial, Store())
    assert len(record.predictions) == 1000
    assert record.report.n_unscored == 0
    assert set(server.answered.values()) == {1}
    assert len(server.answered) == 1000
    stored = Store().run(trial.spec).evidence([row.id for row in trial.data], trial.chunk)
    assert len(stored) == 1000
    assert again.from_store
    assert any("cannot be verified" in note for note in record.notes)
    assert record.cost.requests > 1000


def test_a_run_goes_on_where_the_server_died_and_asks_no_finished_row_again(home):
    server = FaultServer(HashBrain(), CHAT)
    with serving(server) as url:
        trial = build(asked(url, rows_file(home, 200), retries=1))
        usual = server.fault_for

        def dying(content):
            server.dead = len(server.answered) >= 100
            return usual(content)

        server.answered.clear()
        server.fault_for = dying
        with pytest.raises(BackendError) as error:
            run(trial, Store())
        assert error.value.retryable
        server.dead, server.fault_for = False, usual
        record = run(trial, Store())
    assert record.report.n_unscored == 0
    # a request that was on its way when the run ended may be asked again
    assert sum(n > 1 for n in server.answered.values()) <= QUICK["concurrency"]
    assert len(server.answered) == 200


def test_the_key_is_sent_and_appears_nowhere(home, monkeypatch, caplog, capfd):
    monkeypatch.setenv("MY_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    server = FaultServer(HashBrain(), CHAT, rate=0.2, key=KEY)
    with serving(server) as url:
        trial = build(asked(url, rows_file(home, 30), api_key_env="MY_KEY"))
        record = run(trial, Store())
        server.key = "sk-another"
        with pytest.raises(BackendError, match=r"\$MY_KEY was refused") as refused:
            OpenAIBackend("tiny", url, api_key_env="MY_KEY", **QUICK)
        monkeypatch.setenv("MY_KEY", "")
        with pytest.raises(BackendError, match=r"\$MY_KEY is not set"):
            OpenAIBackend("tiny", url, api_key_env="MY_KEY", **QUICK)
    assert any(head.get("authorization") == f"Bearer {KEY}" for head in server.headers)
    written = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    for text in (caplog.text, str(refused.value), repr(record), str(trial), *capfd.readouterr()):
        assert KEY not in text
    assert KEY.encode() not in written


def test_a_key_that_a_server_repeats_is_taken_out(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = FaultServer(HashBrain(), CHAT)
    server.refuses = "text 1"
    with serving(server) as url:
        backend = started(server, url)
        usual = server.body_for

        def telling(path, body):
            from tests.fault_server import Refused

            if "text 0" in json.dumps(body):
                raise Refused(f"no such thing for {KEY}")
            return usual(path, body)

        server.body_for = telling
        (found,) = backend.score(prompts(1), [OWN])
    assert KEY not in found.problem
    assert "[key]" in found.problem
