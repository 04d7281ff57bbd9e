"""The body of a request: read within limits, and as strict JSON."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, NoReturn

from promptkit.errors import nearest
from promptkit.serving.limits import Limits
from promptkit.serving.refusals import ClientGone, Refusal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
KEYS = ("row", "rows", "prompt")
_EXAMPLE = '{"row": {...}} or {"rows": [{...}, ...]}'


@dataclass(frozen=True)
class Request:
    """What is asked.

    Args:
        rows: As they came: anything that JSON knows.
        many: Whether they came as a list.
        prompt: Whether what the model reads is wanted too.
    """

    rows: list[Any]
    many: bool
    prompt: bool


def check_headers(headers: Mapping[str, str], limits: Limits) -> None:
    """Refuse a body before a byte of it is read.

    The content type has to be said: a web page of a stranger may send plain text to a server on
    its reader's machine, and not JSON.

    Raises:
        Refusal: Not JSON, compressed, or too large by its own word.
    """
    kind, *parameters = headers.get("content-type", "").lower().split(";")
    named = kind.strip()
    if named != "application/json" and not (
        named.startswith("application/") and named.endswith("+json")
    ):
        raise Refusal(
            "unsupported_media_type",
            "send JSON, and say so with the header Content-Type: application/json",
            close=True,
        )
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise Refusal("unsupported_media_type", "send JSON in UTF-8", close=True)
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refusal("unsupported_media_type", "send the body uncompressed", close=True)
    told = headers.get("content-length", "")
    if told.isdecimal() and int(told[:20]) > limits.body_bytes:
        raise _too_large(limits)


async def read_body(receive: Receive, limits: Limits) -> bytes:
    """All bytes of a body; counted while they come, as one that is sent in chunks tells no length.

    Raises:
        Refusal: Too many.
        ClientGone: The client hung up.
    """
    found = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone("the client hung up while it sent")
        found += message.get("body", b"")
        if len(found) > limits.body_bytes:
            raise _too_large(limits)
        more = message.get("more_body", False)
    return bytes(found)


async def read_in_time(receive: Receive, limits: Limits) -> bytes:
    """`read_body`, and no longer than a request may take.

    Raises:
        Refusal: Too many bytes, or too slow.
        ClientGone: The client hung up.
    """
    try:
        async with asyncio.timeout(limits.timeout):
            return await read_body(receive, limits)
    except TimeoutError:
        raise Refusal(
            "slow_body", f"the body did not arrive within {limits.timeout:g} s", close=True
        ) from None


def request_of(body: bytes, limits: Limits) -> Request:
    """What a body asks.

    Raises:
        Refusal: No JSON, JSON of another shape, or too many rows.
    """
    content = _parsed(body)
    if not isinstance(content, dict):
        raise _invalid(f"the body must be an object, {_EXAMPLE}")
    for key in content:
        if key not in KEYS:
            raise _invalid(f"unknown key {key!r:.80}; {nearest(key[:80], KEYS)}")
    if ("row" in content) == ("rows" in content):
        raise _invalid(f"give either 'row' or 'rows': {_EXAMPLE}")
    prompt = content.get("prompt", False)
    if not isinstance(prompt, bool):
        raise _invalid("'prompt' must be true or false")
    if "row" in content:
        return Request([content["row"]], False, prompt)
    rows = content["rows"]
    if not isinstance(rows, list):
        raise _invalid("'rows' must be a list; one row alone goes under 'row'")
    if len(rows) > limits.rows:
        raise Refusal(
            "too_many_rows",
            f"{len(rows):,} rows, and at most {limits.rows:,} are taken; send them in parts",
        )
    return Request(rows, True, prompt)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_without_copies,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise Refusal(
            "invalid_json", f"the body is no UTF-8 at byte {error.start + 1}; mend it"
        ) from None
    except json.JSONDecodeError as error:
        raise Refusal(
            "invalid_json", f"broken JSON: {error.msg} at character {error.pos + 1}"
        ) from None
    except RecursionError:
        raise Refusal("invalid_json", "broken JSON: nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits, and what is raised below
        why = "a number of too many digits" if "digits" in str(error) else str(error)
        raise Refusal("invalid_json", f"broken JSON: {why}") from None


def _without_copies(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that stands there twice nobody knows which one was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice!r:.80} stands in an object twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number != 0:  # 1e999 is infinite to Python
        raise ValueError("a number is too large")
    return number


def _invalid(why: str) -> Refusal:
    return Refusal("invalid_request", why)


def _too_large(limits: Limits) -> Refusal:
    return Refusal(
        "body_too_large",
        f"the body has more than {limits.body_bytes:,} bytes; send the rows in parts",
        close=True,
    )
