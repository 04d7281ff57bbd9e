"""Bodies that nobody would send on purpose: never a 500, always JSON, and the server lives on."""

import gzip
import json

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.site import asked, running, site

FAKE = {"backend": "fake", "model": "x"}
DEEP = b'{"row": {"text": ' + b"[" * 900 + b"]" * 900 + b"}}"
ODD = [
    b"",
    b"null",
    b"true",
    b"0",
    b'"row"',
    b"[]",
    b"{",
    b'{"row"',
    b'{"row": }',
    b"\x00\x01\x02",
    b"\xff\xfe{\x00}\x00",
    b'{"row": "\xed\xa0\x80"}',
    b'{"row": "\\ud83d"}',
    b'{"row": {"text": "\\ud83d", "id": "\\udc00"}}',
    b'{"row": {"\\ud83d": "a"}}',
    b'{"\\ud83d": "a"}',
    b'{"row": {"text": {"\\ud83d": ["\\udc00"]}}}',
    b'{"row": "\\u0000"}',
    b'{"row": {"text": "a\\u0000b"}}',
    b'{"row": NaN}',
    b'{"rows": [Infinity, -Infinity]}',
    b'{"row": {"text": 1e309}}',
    b'{"row": {"text": -1e-400}}',
    b'{"row": {"text": %s}}' % (b"7" * 4299),
    b'{"row": {"text": %s}}' % (b"7" * 5000),
    b'{"row": {"text": 0.%s}}' % (b"1" * 5000),
    b'{"row": "a", "row": "b"}',
    b'{"row": {"text": "a", "text": "b"}}',
    b'{"row": null}',
    b'{"rows": null}',
    b'{"rows": [null, [], {}, "", 0, false, {"text": null}, {"text": []}, {"text": {}}]}',
    b'{"row": {"text": true, "id": {"a": 1}}}',
    b'{"row": {"text": "a", "id": 1e300}}',
    b'{"row": {"text": ["a", {"b": [1, null, "c"]}]}}',
    b'{"row": "a", "prompt": "yes"}',
    b'{"row": {"text": "{{ 7 * 7 }} {% raw %}"}, "prompt": true}',
    b'{"row": {"text": "<|im_end|></s>[MASK]\\ufdd0\\ufdd1\\ufdd2"}, "prompt": true}',
    b'{"row": {"__proto__": "a", "text": "b"}}',
    DEEP,
    b"[" * 100_000,
    b'{"a":' * 50_000,
    gzip.compress(b'{"row": "a"}', mtime=0),
    b" " * 100_000,
]
#: How rows of every kind may look, whatever the task.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip
NAMES = st.sampled_from(["text", "tokens", "question", "choices", "premise", "hypothesis", "id"])
ROWS = st.dictionaries(NAMES | st.text(max_size=4), VALUES, max_size=5) | VALUES


@running
async def test_odd_bodies_have_answers_and_leave_the_server_well():
    async with site(asked(template="sentiment_zero_shot", **FAKE)) as served:
        for body in ODD:
            answer = await served.raw(body)
            assert answer.status_code in (200, 400, 413, 422), body[:60]
            content = answer.json()
            assert ("error" in content) == (answer.status_code != 200)
            assert (await served.predict({"row": "a"})).status_code == 200
        assert served.service.open_requests == 0
        assert "bug" not in "".join(served.lines)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data; boundary=x", "application/", "\xff", "json"]
)
@running
async def test_odd_content_types(kind):
    async with site(asked(template="sentiment_zero_shot", **FAKE)) as served:
        answer = await served.raw(b'{"row": "a"}', content_type=kind.encode("latin-1"))
        assert answer.status_code == 415


@pytest.mark.parametrize(
    "template", ["sentiment_zero_shot", "part_of_speech", "multiple_choice", "feedback_topics"]
)
def test_any_json_as_rows_is_answered_or_has_a_problem(template):
    @running
    async def all_of_them():
        async with site(asked(template=template, **FAKE)) as served:
            for rows in drawn(st.lists(ROWS, max_size=6), 60):
                answer = await served.raw(json.dumps({"rows": rows, "prompt": True}).encode())
                assert answer.status_code == 200, answer.text
                found = answer.json()["answers"]
                assert len(found) == len(rows)
                assert all((one["label"] is None) == bool(one["problem"]) for one in found)
                assert "bug" not in "".join(served.lines)

    all_of_them()


def drawn(strategy, n):
    """So many examples; the same ones each time, and without a property around them."""
    found = []

    @settings(
        max_examples=n, database=None, derandomize=True, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def take(one):
        found.append(one)

    take()
    return found


def test_the_server_keeps_to_its_own_document():
    """schemathesis draws bodies, right and wrong ones, and compares what comes back."""

    @running
    async def document_and_answers():
        async with site(asked(template="sentiment_zero_shot", **FAKE)) as served:
            document = (await served.get("/openapi.json")).json()
            schema = schemathesis.openapi.from_dict(document)
            operation = schema["/predict"]["POST"]
            for case in drawn(operation.as_strategy(), 80):
                await compared(served, case)
            wrong = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
            for case in drawn(wrong, 80):
                await compared(served, case)
            for path in ("/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"):
                for case in drawn(schema[path]["GET"].as_strategy(), 2):
                    await compared(served, case)

    document_and_answers()


async def compared(served, case):
    """Ask what a case asks; its answer must be one that the document knows, and no 500."""
    named = case.as_transport_kwargs(base_url="http://served")
    named.pop("cookies", None)
    answer = await served.client.request(
        named["method"], named["url"], params=named.get("params"), headers=dict(named["headers"]),
        json=named.get("json"), content=named.get("data"),
    )  # fmt: skip
    assert answer.status_code < 500, answer.text
    case.operation.validate_response(answer)
    assert isinstance(answer, httpx.Response)
