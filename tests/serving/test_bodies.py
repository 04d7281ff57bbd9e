"""Bodies: strict JSON within limits, whatever is sent."""

import asyncio
import gzip
import json

import pytest

from promptkit.serving.bodies import check_headers, read_body, read_in_time, request_of
from promptkit.serving.limits import Limits
from promptkit.serving.refusals import ClientGone, Refusal

LIMITS = Limits(rows=3, queue_rows=8, body_bytes=64, timeout=0.05)


def refused(body, limits=LIMITS):
    with pytest.raises(Refusal) as caught:
        request_of(body, limits)
    return caught.value


def test_one_row_and_many():
    one = request_of(b'{"row": {"text": "a"}}', LIMITS)
    assert (one.rows, one.many, one.prompt) == ([{"text": "a"}], False, False)
    many = request_of(b'\xef\xbb\xbf{"rows": ["a", null], "prompt": true}', LIMITS)
    assert (many.rows, many.many, many.prompt) == (["a", None], True, True)


def test_no_rows_are_no_mistake():
    assert request_of(b'{"rows": []}', LIMITS).rows == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b'{"row": "a"} x', "Extra data"),
        (b'{"row": NaN}', "NaN is no number"),
        (b'{"row": -Infinity}', "no number"),
        (b'{"row": 1e999}', "too large"),
        (b'{"row": %s}' % (b"9" * 5000), "too many digits"),
        (b'{"row": {"text": "a", "text": "b"}}', "'text' stands in an object twice"),
        (b'{"row": "a", "row": "b"}', "'row' stands in an object twice"),
        (b'{"row": "\xff"}', "no UTF-8 at byte 10"),
        ('{"row": "a"}'.encode("utf-16"), "no UTF-8"),
        (gzip.compress(b'{"row": "a"}', mtime=0), "no UTF-8"),
        (b'{"row": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_told_where(body, why):
    error = refused(body)
    assert (error.kind, error.status) == ("invalid_json", 400)
    assert why in str(error)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ([], "must be an object"),
        (None, "must be an object"),
        ({}, "either 'row' or 'rows'"),
        ({"row": "a", "rows": []}, "either 'row' or 'rows'"),
        ({"rows": "a"}, "must be a list"),
        ({"rows": {"text": "a"}}, "must be a list"),
        ({"rows": None}, "must be a list"),
        ({"rwo": "a"}, "did you mean 'row'?"),
        ({"row": "a", "prompt": 1}, "must be true or false"),
        ({"row": "a", "prompt": None}, "must be true or false"),
    ],
)
def test_json_of_another_shape_is_told_how_it_should_be(content, why):
    error = refused(json.dumps(content).encode())
    assert (error.kind, error.status) == ("invalid_request", 422)
    assert why in str(error)


def test_too_many_rows():
    error = refused(b'{"rows": [1, 2, 3, 4]}')
    assert error.status == 413
    assert "4 rows, and at most 3" in str(error)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415),
        ({"content-type": "application/json", "content-length": "65"}, 413),
        ({"content-type": "application/json", "content-length": "9" * 50}, 413),
    ],
)
def test_a_body_is_refused_by_its_headers_before_it_is_read(headers, status):
    with pytest.raises(Refusal) as caught:
        check_headers(headers, LIMITS)
    assert caught.value.status == status
    assert caught.value.headers["Connection"] == "close"


@pytest.mark.parametrize(
    "kind",
    ["application/json", 'Application/JSON; charset="UTF-8"', "application/vnd.api+json"],
)
def test_json_by_any_of_its_names(kind):
    check_headers({"content-type": kind, "content-length": "64"}, LIMITS)


def receiving(*messages, pause=0.0):
    left = list(messages)

    async def receive():
        await asyncio.sleep(pause)
        return left.pop(0)

    return receive


def part(body, more=True):
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_in_parts_is_counted_while_it_comes():
    parts = [part(b"a" * 32), part(b"b" * 32, more=False)]
    assert asyncio.run(read_body(receiving(*parts), LIMITS)) == b"a" * 32 + b"b" * 32
    endless = receiving(*[part(b"a" * 30)] * 3)  # a fourth is never asked for
    with pytest.raises(Refusal) as caught:
        asyncio.run(read_body(endless, LIMITS))
    assert caught.value.status == 413


def test_a_client_that_hangs_up_while_it_sends():
    with pytest.raises(ClientGone):
        asyncio.run(read_body(receiving(part(b"a"), {"type": "http.disconnect"}), LIMITS))


def test_a_body_that_does_not_come():
    slow = receiving(*[part(b"")] * 100, pause=0.02)
    with pytest.raises(Refusal) as caught:
        asyncio.run(read_in_time(slow, LIMITS))
    assert (caught.value.status, caught.value.close) == (408, True)
