"""Why a request is not answered: an HTTP status, a type for programs and a line for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.errors import PromptkitError

#: What each type means, and the status that it comes with; the OpenAPI document lists them.
KINDS: Mapping[str, tuple[int, str]] = {
    "invalid_json": (400, "The body is no JSON."),
    "invalid_request": (422, "The body is JSON of another shape."),
    "text_too_long": (422, "A row has more characters than the server takes."),
    "body_too_large": (413, "The body has more bytes than the server takes."),
    "too_many_rows": (413, "More rows than the server takes in one request."),
    "unsupported_media_type": (415, "The body is not called application/json, or is compressed."),
    "unauthorized": (401, "No API key, or a wrong one."),
    "not_found": (404, "No such path."),
    "method_not_allowed": (405, "The path does not know this method."),
    "slow_body": (408, "The body did not arrive in time."),
    "queue_full": (429, "Too many rows are waiting; Retry-After says when to ask again."),
    "internal": (500, "A bug in the server."),
    "loading": (503, "The model is still being loaded."),
    "stopping": (503, "The server is being stopped, and takes no new rows."),
    "model_unavailable": (503, "What runs the model cannot be reached, or is broken."),
    "timeout": (504, "The rows waited longer than the server lets them."),
}


class Refusal(PromptkitError):
    """A request that is not answered.

    Args:
        kind: One of `KINDS`.
        message: What is wrong, where, and what to do; holds nothing of a row's text.
        retry_after: Seconds after which asking again may help; None says nothing.
        close: Whether the connection is closed, as where a body is not read to its end.
    """

    def __init__(
        self, kind: str, message: str, *, retry_after: int | None = None, close: bool = False
    ) -> None:
        super().__init__(message)
        self.kind, self.status = kind, KINDS[kind][0]
        self.retry_after, self.close = retry_after, close

    @property
    def content(self) -> dict[str, Any]:
        """The body of the answer."""
        return error_content(self.kind, str(self))

    @property
    def headers(self) -> dict[str, str]:
        """What goes before it."""
        found = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.close:
            found["Connection"] = "close"
        if self.status == 401:
            found["WWW-Authenticate"] = "Bearer"
        return found


class ClientGone(PromptkitError):
    """Who asked has hung up: nobody is there to be answered."""


def error_content(kind: str, message: str) -> dict[str, Any]:
    """An error as JSON."""
    return {"error": {"type": kind, "message": message}}
