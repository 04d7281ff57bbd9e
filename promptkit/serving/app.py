"""The paths of the server: what is asked by HTTP, and what is said."""

from __future__ import annotations

from time import monotonic
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from promptkit.serving.answers import json_bytes
from promptkit.serving.bodies import check_headers, read_in_time, request_of
from promptkit.serving.openapi import document
from promptkit.serving.page import page
from promptkit.serving.refusals import ClientGone, Refusal, error_content
from promptkit.serving.service import Service

#: What a client that hung up would have been told, in logs and metrics.
GONE = 499
READING = ["GET", "HEAD"]


def make_app(service: Service) -> FastAPI:
    """The application; the routes hold no state but the service."""
    # FastAPI's own pages of documentation load scripts from elsewhere, and its document would have
    # to be made before the model is known
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    routes = _Routes(service)
    app.add_api_route("/predict", routes.predict, methods=["POST"])
    app.add_api_route("/", routes.card, methods=READING)
    app.add_api_route("/openapi.json", routes.document, methods=READING)
    app.add_api_route("/docs", routes.page, methods=READING)
    app.add_api_route("/healthz", routes.health, methods=READING)
    app.add_api_route("/readyz", routes.readiness, methods=READING)
    app.add_api_route("/metrics", routes.metrics, methods=READING)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(ClientGone, _gone)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(Exception, _internal)
    return app


class _Routes:
    """What each path does."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def predict(self, request: Request) -> Response:
        """Rows in, answers out."""
        began, service = monotonic(), self.service
        service.keys.check(request.headers)
        service.check_taking()
        check_headers(request.headers, service.limits)
        body = await read_in_time(request.receive, service.limits)
        asked = request_of(body, service.limits)
        request.state.rows = len(asked.rows)
        answers = await service.answer(asked, request.receive, began)
        assert service.served is not None
        found = {"answers": answers} if asked.many else {"answer": answers[0]}
        return _json({**found, "model": service.served.predictor.key[:16]})

    async def card(self, request: Request) -> Response:
        """What is served."""
        self.service.keys.check(request.headers)
        served = self.service.served
        if served is None:
            self.service.check_taking()
        assert served is not None
        paths = ["/predict", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"]
        limits = self.service.limits
        taken = {"rows": limits.rows, "chars": limits.chars, "body_bytes": limits.body_bytes}
        return _json({**served.card, "limits": taken, "paths": paths})

    async def document(self, request: Request) -> Response:
        """The OpenAPI document."""
        return _json(self._document(request))

    async def page(self, request: Request) -> Response:
        """The same to read."""
        content = page(self._document(request))
        # nothing on the page runs, whatever a label is called
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(content, media_type="text/html", headers=policy)

    def _document(self, request: Request) -> dict[str, Any]:
        service = self.service
        service.keys.check(request.headers)
        if service.served is None:
            service.check_taking()
        assert service.served is not None
        return document(service.served, service.sample, service.limits, bool(service.keys))

    async def health(self) -> Response:
        """Whether the process is well, with or without a model yet."""
        broken = self.service.state == "broken"
        return _json({"status": "broken" if broken else "ok"}, 503 if broken else 200)

    async def readiness(self) -> Response:
        """Whether it takes rows."""
        state = self.service.state
        return _json({"status": state}, 200 if state == "ready" else 503)

    async def metrics(self) -> Response:
        """What was counted."""
        meters = self.service.meters
        return Response(meters.text(), headers={"content-type": meters.content_type})


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json_bytes(content), status, headers, "application/json")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    request.state.refused = error.kind
    return _json(error.content, error.status, error.headers)


async def _not_routed(request: Request, error: Exception) -> Response:
    """No such path, or not this method: said as every other error is."""
    assert isinstance(error, HTTPException)
    kind = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "internal")
    request.state.refused = kind
    said = {
        "not_found": "no such path; GET / tells what there is",
        "method_not_allowed": "the path does not know this method; rows are sent by POST /predict",
    }.get(kind, "a bug in the server")
    return _json(error_content(kind, said), error.status_code, dict(error.headers or {}))


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=GONE)


async def _internal(request: Request, error: Exception) -> Response:
    return _json(error_content("internal", "a bug in the server; its log says where"), 500)
