"""The process around the server: its socket, its signals, and an end that loses no answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Generator
from types import FrameType
from typing import Any

import uvicorn

from promptkit.errors import PromptkitError, SpecError
from promptkit.serving.app import make_app
from promptkit.serving.events import Events
from promptkit.serving.observed import Observed
from promptkit.serving.service import Service

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Connections that may wait to be taken up.
BACKLOG = 1024
#: Seconds that an idle connection is kept: longer than load balancers keep theirs (60 s), so that
#: it is not this side that closes one just as a request comes.
KEEP_ALIVE_S = 75
#: Seconds in which answers that were made reach their clients.
SENDING_S = 5


class _Server(uvicorn.Server):
    """uvicorn without its own signals: they would stop it before all rows are answered."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound, before a model is loaded in vain.

    Args:
        host: A name or an address.
        port: 0 is any that is free.

    Raises:
        SpecError: It cannot be bound.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise SpecError(f"--host {host}: no such address ({_said(error)})") from error
    # with its protocol: of a socket that does not name TCP asyncio does not turn off Nagle's
    # algorithm, and an answer in two writes then waits 40 ms for the client's delayed ACK
    found = socket.socket(family, kind, protocol)
    try:
        # else a port stays taken for a minute after a server ended
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        found.close()
        raise SpecError(
            f"--port {port}: cannot be used on {host} ({_said(error)}); choose another, or "
            "--port 0 for any that is free"
        ) from error
    return found


def is_open(bound: socket.socket) -> bool:
    """Whether other machines may reach it."""
    host = str(bound.getsockname()[0])
    return not (host.startswith("127.") or host == "::1")


def address_of(bound: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(service: Service, bound: socket.socket, events: Events, access_log: bool = True) -> int:
    """Serve until a signal comes; the exit status.

    The first signal refuses new rows and ends when those that were accepted are answered; the
    second ends at once.

    Returns:
        0, or 1 where something accepted could not be answered in time.

    Raises:
        PromptkitError: There is no model, or it broke.
    """
    stopping = _Stopping(events)
    with stopping.caught():
        status = asyncio.run(_serve(service, bound, events, access_log, stopping))
    if service.worker.is_alive():
        # it loads or computes what nobody waits for, and native threads do not like to be torn down
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


async def _serve(
    service: Service,
    bound: socket.socket,
    events: Events,
    access_log: bool,
    stopping: _Stopping,
) -> int:
    stopping.loop = asyncio.get_running_loop()
    config = uvicorn.Config(
        Observed(make_app(service), service, access_log),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        interface="asgi3",
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SENDING_S,
    )
    events.take_over("uvicorn.error")
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[bound]))
    service.start()
    events("listening", url=address_of(bound))
    failed = asyncio.ensure_future(service.failed())
    asked = asyncio.ensure_future(stopping.asked.wait())
    await asyncio.wait({serving, failed, asked}, return_when="FIRST_COMPLETED")
    left = 0
    if asked.done() and not failed.done():
        events("stopping", signal=stopping.name, open_requests=service.open_requests)
        left = await service.drain()
    server.should_exit = True
    await serving
    for task in (failed, asked):
        task.cancel()
    if failed.done() and not failed.cancelled():
        raise _ending(failed.result(), service)
    events("stopped", "error" if left else "info", unanswered_requests=left)
    return 1 if left else 0


class _Stopping:
    """What signals ask for."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self.asked = asyncio.Event()
        self.name: str | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    @contextlib.contextmanager
    def caught(self) -> Generator[None, None, None]:
        """Hear signals while inside."""
        before: dict[int, Any] = {one: signal.signal(one, self._heard) for one in SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self.name is not None or self.loop is None:
            # not even the loop has to be well: it may be what does not end
            os.write(2, f"promptkit: {name}: ends at once\n".encode())
            os._exit(128 + number)
        self.name = name
        self.loop.call_soon_threadsafe(self.asked.set)


def _ending(error: BaseException, service: Service) -> BaseException:
    """What the process ends with where its model failed."""
    if isinstance(error, PromptkitError) or service.served is None:
        return error  # a bug, before any row came: it keeps its traceback
    return PromptkitError(f"the server ends, as its model failed ({type(error).__name__})")


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
