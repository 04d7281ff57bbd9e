"""Around the application: every request is counted and told, and none ends in a traceback."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any
from uuid import uuid4

from promptkit.serving.answering import where
from promptkit.serving.answers import json_bytes
from promptkit.serving.refusals import error_content
from promptkit.serving.service import Service

Message = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
#: Paths that are told apart in metrics; whatever else is asked for is one, as names are endless.
ROUTES = frozenset({"/", "/predict", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"})
#: Asked every few seconds by machines: told only where something is wrong.
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_ID = re.compile(rb"[\w.:-]{1,64}", re.ASCII)


class Observed:
    """An ASGI application that watches another.

    Args:
        app: It.
        service: Whose meters and events are told.
        access_log: Whether each request is told.
    """

    def __init__(self, app: Application, service: Service, access_log: bool = True) -> None:
        self.app, self.service, self.access_log = app, service, access_log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on; answer it where the application did not."""
        if scope["type"] != "http":
            return
        scope["state"] = {}
        seen = _Seen(_request_id(scope), send, self.service)
        began = perf_counter()
        try:
            await self.app(scope, receive, seen.send)
        except Exception as error:
            self.service.events(
                "bug", "error", error=type(error).__name__, at=where(error), id=seen.id
            )
            await seen.answer_bug()
        finally:
            self._tell(scope, seen, perf_counter() - began)

    def _tell(self, scope: Any, seen: _Seen, seconds: float) -> None:
        route = scope["path"] if scope["path"] in ROUTES else "other"
        status, state = seen.status or 499, scope["state"]
        self.service.meters.request(route, status, seconds)
        refused = state.get("refused") or ("internal" if status == 500 else None)
        if refused:
            self.service.meters.refused(refused)
        if self.access_log and (route not in QUIET or status == 500):
            self.service.events(
                "request", "error" if status == 500 else "info", route=route,
                method=scope["method"][:16], status=status, ms=round(seconds * 1000, 1),
                rows=state.get("rows"), refused=refused, id=seen.id,
            )  # fmt: skip


class _Seen:
    """One request: what was sent in answer so far."""

    def __init__(self, request_id: str, send: Any, service: Service) -> None:
        self.id, self._send, self._service = request_id, send, service
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on; the head of an answer gets the request's id.

        While the server is being stopped connections are not kept, so that clients go elsewhere.
        """
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
            named = {name.lower() for name, _ in headers}
            if self._service.state == "stopping" and b"connection" not in named:
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        await self._send(message)

    async def answer_bug(self) -> None:
        """Answer what the application left unanswered."""
        if self.status is not None:
            return
        body = json_bytes(error_content("internal", "a bug in the server; its log says where"))
        head = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await self.send({"type": "http.response.start", "status": 500, "headers": head})
        await self.send({"type": "http.response.body", "body": body})


def _request_id(scope: Any) -> str:
    """The client's own id, where it is one; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value.decode("ascii"))
    return uuid4().hex[:16]
