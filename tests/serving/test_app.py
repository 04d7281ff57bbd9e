"""What each path says, and how errors are told."""

import json
import re

import pytest

from tests.serving.site import Gated, asked, running, site

KEY = "a-key-that-is-long-enough"


@running
async def test_one_row_and_many_are_answered_alike():
    async with site(Gated()) as served:
        one = (await served.predict({"row": {"text": "abcd"}})).json()
        many = (await served.predict({"rows": ["abcd", {"text": "abcde", "id": 7}]})).json()
        assert one == {
            "answer": {
                "label": "neutral",
                "probabilities": {
                    "negative": pytest.approx(0.1),
                    "neutral": pytest.approx(0.8),
                    "positive": pytest.approx(0.1),
                },
                "abstained": None,
                "threshold": None,
                "cut_chars": 0,
                "problem": None,
            },
            "model": "0123456789abcdef",
        }
        assert many["answers"][0] == one["answer"]
        assert (many["answers"][1]["id"], many["answers"][1]["label"]) == (7, "positive")


@running
async def test_rows_that_cannot_be_answered_do_not_spoil_the_others():
    async with site(Gated()) as served:
        rows = ["abc", "", None, {"txt": "a"}, "poison", {"text": "abcd", "id": "last"}]
        answer = await served.predict({"rows": rows})
        assert answer.status_code == 200
        found = answer.json()["answers"]
        assert [one["label"] for one in found] == [
            "negative", None, None, None, None, "neutral",
        ]  # fmt: skip
        assert all((one["label"] is None) == bool(one["problem"]) for one in found)
        assert all(one["probabilities"] is None for one in found[1:5])
        assert found[4]["problem"] == "the model failed on this row (RuntimeError)"
        assert "cannot bear" not in "".join(served.lines)
        assert re.search(r"error failed error=RuntimeError at=\"?site.py", "".join(served.lines))


@running
async def test_no_rows_have_no_answers_and_need_no_model():
    model = Gated()
    async with site(model) as served:
        before = len(model.batches)
        assert (await served.predict({"rows": []})).json()["answers"] == []
        assert (await served.predict({"rows": [None, ""]})).status_code == 200
        assert len(model.batches) == before


@running
async def test_the_text_that_is_read_is_shown_where_it_is_asked_for():
    async with site(Gated()) as served:
        found = (await served.predict({"row": "a text", "prompt": True})).json()
        assert found["answer"]["prompt"] == {"text": "a text", "question": ""}


@running
async def test_before_the_model_is_there_and_when_it_is_warm():
    model = Gated(open=False)
    async with site(model, ready=False) as served:
        await served.until(model.begun.is_set)
        assert (await served.get("/healthz")).status_code == 200
        ready = await served.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "loading"})
        for path in ("/", "/docs", "/openapi.json"):
            assert (await served.get(path)).status_code == 503
        early = await served.predict({"row": "a"})
        assert early.status_code == 503
        assert early.json()["error"]["type"] == "loading"
        assert int(early.headers["retry-after"]) >= 1
        model.gate.set()
        await served.until(lambda: served.service.state == "ready")
        assert len(model.batches) == 2  # a batch and a row alone, before anybody was let in
        assert (await served.get("/readyz")).json() == {"status": "ready"}
        assert (await served.predict({"row": "a"})).status_code == 200


@running
async def test_the_card_says_what_is_served():
    async with site(Gated()) as served:
        card = (await served.get("/")).json()
        assert card["model"] == "gated"
        assert card["task"]["labels"] == ["negative", "neutral", "positive"]
        assert card["task"]["fields"] == ["text"]
        assert {"/predict", "/metrics"} <= set(card["paths"])
        for path in ("/", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
            head = await served.client.head(path)
            assert head.status_code == 200, path


@running
async def test_a_key_guards_what_is_served_and_not_whether_it_is_well():
    async with site(Gated(), keys=(KEY,)) as served:
        for path in ("/", "/docs", "/openapi.json"):
            refused = await served.get(path)
            assert refused.status_code == 401, path
            assert refused.headers["www-authenticate"] == "Bearer"
            allowed = await served.get(path, headers={"authorization": f"Bearer {KEY}"})
            assert allowed.status_code == 200
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await served.get(path)).status_code == 200
        wrong = await served.raw(b"not even JSON", authorization="Bearer wrong")
        assert wrong.status_code == 401  # before anything of the body is looked at
        right = await served.predict({"row": "a"}, headers={"authorization": f"Bearer {KEY}"})
        assert right.status_code == 200
        assert KEY not in "".join(served.lines)


@running
async def test_every_error_is_json_of_one_shape():
    async with site(Gated(), body_bytes=200, chars=50, rows=3) as served:
        answers = {
            404: await served.get("/nothing"),
            405: await served.get("/predict"),
            400: await served.raw(b"{"),
            415: await served.raw(b"{}", content_type="text/plain"),
            413: await served.raw(b"x" * 201),
            422: await served.raw(b"{}"),
        }
        for status, answer in answers.items():
            assert answer.status_code == status
            assert set(answer.json()) == {"error"}
            assert set(answer.json()["error"]) == {"type", "message"}
            assert answer.headers["content-type"] == "application/json"
        assert answers[405].headers["allow"] == "POST"
        assert (await served.get("/predict/")).status_code == 404
        long = await served.predict({"rows": ["a", {"text": "b" * 60}]})
        assert long.status_code == 422
        assert "rows[1] has 64 characters, and at most 50" in long.json()["error"]["message"]
        many = await served.predict({"rows": ["a"] * 4})
        assert (many.status_code, many.json()["error"]["type"]) == (413, "too_many_rows")


@running
async def test_a_bug_of_the_server_is_told_without_a_traceback(monkeypatch):
    async with site(Gated()) as served:

        def broken(request):
            raise KeyError("text of a row")

        monkeypatch.setattr(served.service, "answer", broken)
        transport = served.client._transport
        transport.raise_app_exceptions = True  # nothing may get out of the application
        answer = await served.predict({"row": "a"})
        assert answer.status_code == 500
        assert answer.json()["error"]["type"] == "internal"
        log = "".join(served.lines)
        assert "bug error=" in log
        assert "text of a row" not in log + answer.text


@running
async def test_requests_are_counted_and_told_without_their_text():
    async with site(Gated()) as served:
        await served.predict({"rows": ["a secret text", "", "poison"]})
        await served.raw(b"{")
        await served.get("/a-secret-path")
        text = (await served.get("/metrics")).text
        for line in (
            'promptkit_requests_total{route="/predict",status="200"} 1.0',
            'promptkit_requests_total{route="/predict",status="400"} 1.0',
            'promptkit_requests_total{route="other",status="404"} 1.0',
            'promptkit_refused_total{type="invalid_json"} 1.0',
            'promptkit_rows_total{outcome="answered"} 1.0',
            'promptkit_rows_total{outcome="problem"} 2.0',
            "promptkit_model_failures_total 1.0",
            "promptkit_batch_rows_count 1.0",
            "promptkit_queue_rows 0.0",
            "promptkit_queue_limit_rows 4096.0",
            "promptkit_ready 1.0",
        ):
            assert line in text, line
        assert 'promptkit_model_info{hash="0123456789abcdef",model="gated"' in text
        log = "".join(served.lines)
        assert "secret" not in log + text
        assert "route=/predict method=POST status=200" in log
        assert "rows=3" in log
        assert "route=/metrics" not in log  # asked every few seconds by a machine


@running
async def test_a_request_may_bring_its_own_id():
    async with site(Gated()) as served:
        mine = await served.get("/healthz", headers={"x-request-id": "mine-1"})
        assert mine.headers["x-request-id"] == "mine-1"
        forged = await served.get("/", headers={"x-request-id": 'a" status=200 id="b'})
        assert re.fullmatch(r"[0-9a-f]{16}", forged.headers["x-request-id"])


@running
async def test_labels_are_data_on_the_page_and_in_the_document(tmp_path):
    (tmp_path / "t.yaml").write_text(
        "name: hostile\ndescription: d\ntask: {kind: classify, fields: [text]}\n"
        "query: '{{ text }}'\n"
        "labels: {'<script>alert(1)</script>': {words: [a]}, 'é\"\\\\': {words: [b]}}\n"
    )
    model = asked(template=str(tmp_path / "t.yaml"), backend="fake", model="x")
    async with site(model) as served:
        page = await served.get("/docs")
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        document = (await served.get("/openapi.json")).json()
        assert "<script>alert(1)</script>" in json.dumps(document)
        answer = (await served.predict({"row": "a"})).json()["answer"]
        assert set(answer["probabilities"]) == {"<script>alert(1)</script>", 'é"\\\\'}
