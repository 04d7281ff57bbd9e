"""Requests side by side: batches, full queues, timeouts, clients that hang up, and the end."""

import asyncio

import pytest

from promptkit.errors import BackendError
from promptkit.serving.bodies import Request
from promptkit.serving.refusals import ClientGone
from promptkit.types import Example
from tests.serving.site import Gated, asked, running, said, site


def label_of(text):
    return said(Example("x", {"text": text})).label


async def metric(served, name):
    lines = (await served.get("/metrics")).text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)


@running
async def test_what_waits_while_the_model_works_is_one_batch():
    model = Gated()
    async with site(model, batch_rows=8) as served:
        model.gate.clear()
        model.begun.clear()
        first = asyncio.ensure_future(served.predict({"row": "first"}))
        await served.until(model.begun.is_set)
        texts = ["b" * n for n in range(1, 21)]
        rest = [asyncio.ensure_future(served.predict({"row": text})) for text in texts]
        await served.until(lambda: served.service.waiting.rows == 20)
        assert await metric(served, "promptkit_queue_rows") == 20
        model.gate.set()
        answers = await asyncio.gather(first, *rest)
        own = [b for b in model.batches if not b[0].startswith("An example")]
        assert [len(batch) for batch in own] == [1, 8, 8, 4]
        got = [one.json()["answer"]["label"] for one in answers]
        assert got == [label_of(text) for text in ("first", *texts)]


@running
async def test_a_full_queue_refuses_and_says_when_to_ask_again():
    model = Gated()
    async with site(model, batch_rows=2, queue_rows=4, rows=4) as served:
        model.gate.clear()
        model.begun.clear()
        working = asyncio.ensure_future(served.predict({"rows": ["a", "b"]}))
        await served.until(model.begun.is_set)
        waiting = asyncio.ensure_future(served.predict({"rows": ["c"] * 3}))
        await served.until(lambda: served.service.waiting.rows == 3)
        refused = await served.predict({"rows": ["d", "e"]})
        assert refused.status_code == 429
        assert refused.json()["error"]["type"] == "queue_full"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        model.gate.set()
        assert (await working).status_code == (await waiting).status_code == 200
        assert (await served.predict({"rows": ["d", "e"]})).status_code == 200
        assert "d" in model.answered


@running
async def test_rows_that_wait_too_long_are_refused_and_never_reach_the_model():
    model = Gated()
    async with site(model, batch_rows=1, timeout=0.1) as served:
        model.gate.clear()
        model.begun.clear()
        working = asyncio.ensure_future(served.predict({"row": "slow"}))
        await served.until(model.begun.is_set)
        late = await served.predict({"rows": ["late"] * 3})
        assert (late.status_code, late.json()["error"]["type"]) == (504, "timeout")
        assert (await working).status_code == 504  # the model had it, and took too long
        assert served.service.waiting.rows == 0
        model.gate.set()
        assert (await served.predict({"row": "next"})).status_code == 200
        assert "late" not in model.answered
        assert await metric(served, 'promptkit_dropped_rows_total{why="timeout"}') == 3


@running
async def test_rows_of_a_client_that_hung_up_never_reach_the_model():
    model = Gated()
    async with site(model, batch_rows=1) as served:
        model.gate.clear()
        model.begun.clear()
        working = asyncio.ensure_future(served.predict({"row": "slow"}))
        await served.until(model.begun.is_set)
        left = asyncio.Event()

        async def receive():
            await left.wait()
            return {"type": "http.disconnect"}

        began = asyncio.get_running_loop().time()
        gone = asyncio.ensure_future(
            served.service.answer(Request(["gone"] * 3, True, False), receive, began)
        )
        await served.until(lambda: served.service.waiting.rows == 3)
        left.set()
        with pytest.raises(ClientGone):
            await gone
        assert served.service.waiting.rows == 0
        model.gate.set()
        await working
        assert "gone" not in model.answered
        assert await metric(served, 'promptkit_dropped_rows_total{why="gone"}') == 3


@running
async def test_an_end_answers_what_was_accepted_and_takes_nothing_new():
    model = Gated()
    async with site(model, batch_rows=2) as served:
        model.gate.clear()
        model.begun.clear()
        accepted = [asyncio.ensure_future(served.predict({"rows": ["a"] * 3})) for _ in range(4)]
        await served.until(lambda: served.service.open_requests == 4)
        ending = asyncio.ensure_future(served.service.drain())
        await served.until(lambda: served.service.state == "stopping")
        refused = await served.predict({"row": "new"})
        assert refused.status_code == 503
        assert refused.json()["error"]["type"] == "stopping"
        assert refused.headers["connection"] == "close"
        assert (await served.get("/readyz")).status_code == 503
        health = await served.get("/healthz")
        assert (health.status_code, health.headers["connection"]) == (200, "close")
        assert not ending.done()
        model.gate.set()
        assert await ending == 0
        answers = await asyncio.gather(*accepted)
        assert [one.status_code for one in answers] == [200] * 4
        assert all(one.headers["connection"] == "close" for one in answers)
        assert "new" not in model.answered


@running
async def test_an_end_that_takes_too_long_refuses_what_is_left():
    model = Gated()
    async with site(model, drain_timeout=0.05) as served:
        model.gate.clear()
        model.begun.clear()
        stuck = asyncio.ensure_future(served.predict({"row": "stuck"}))
        await served.until(model.begun.is_set)
        waiting = asyncio.ensure_future(served.predict({"row": "waiting"}))
        await served.until(lambda: served.service.waiting.rows == 1)
        assert await served.service.drain() == 2
        for answer in (await stuck, await waiting):
            assert (answer.status_code, answer.json()["error"]["type"]) == (503, "stopping")


@running
async def test_a_model_that_is_broken_ends_the_server_and_one_bad_row_does_not():
    model = Gated()
    async with site(model) as served:
        bad = (await served.predict({"row": "poison"})).json()
        assert "failed" in bad["answer"]["problem"]
        # all rows of that batch failed; the sample row did not, so that the row was to blame
        await served.until(lambda: len(model.batches) >= 5)
        assert served.service.state == "ready"
        model.dead = True
        await served.predict({"row": "anything"})
        async with asyncio.timeout(5):
            error = await served.service.failed()
        assert "does not answer" in str(error)
        later = await served.predict({"row": "a"})
        assert (later.status_code, later.json()["error"]["type"]) == (503, "model_unavailable")
        assert (await served.get("/healthz")).status_code == 503


@running
async def test_a_server_of_the_model_that_is_down_is_no_answer_and_no_secret():
    model = Gated()
    async with site(model) as served:
        model.error = BackendError("http://inside:9000: refused", retryable=True)
        answer = await served.predict({"rows": ["a", "b"]})
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "model_unavailable")
        assert "inside" not in answer.text
        assert "retry-after" in answer.headers
        assert "error unreachable rows=2 cause=BackendError" in "".join(served.lines)
        model.error = None
        assert (await served.predict({"row": "a"})).status_code == 200


@running
async def test_a_model_that_cannot_be_loaded_is_told():

    async with site(asked(model="no-such-model", template="sentiment_zero_shot")) as served:
        assert served.service.state == "broken"
        assert "no-such-model" in str(await served.service.failed())


@running
async def test_many_clients_at_once_get_their_own_answers():
    model = Gated()
    async with site(model, batch_rows=7) as served:

        async def client(number):
            for turn in range(5):
                texts = ["x" * (number + turn + extra + 1) for extra in range(1 + number % 4)]
                rows = [{"text": text, "id": len(text)} for text in texts]
                found = (await served.predict({"rows": rows})).json()["answers"]
                assert [one["id"] for one in found] == [len(text) for text in texts]
                assert [one["label"] for one in found] == [label_of(text) for text in texts]

        await asyncio.gather(*(client(number) for number in range(30)))
        assert served.service.open_requests == 0
        assert max(map(len, model.batches)) <= 7
