"""The server without its HTTP: its state, and how a request gets to the model and back."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from time import monotonic
from typing import Any, Literal

from promptkit.errors import PromptkitError
from promptkit.serving.access import Keys
from promptkit.serving.answering import Outcome, Unanswered
from promptkit.serving.bodies import Receive, Request
from promptkit.serving.events import Events
from promptkit.serving.limits import Limits
from promptkit.serving.meters import Meters
from promptkit.serving.refusals import ClientGone, Refusal
from promptkit.serving.rows import ReadRow, characters
from promptkit.serving.served import Served
from promptkit.serving.waiting import Job, QueueFull, Waiting
from promptkit.serving.worker import Worker

State = Literal["loading", "ready", "stopping", "broken"]
#: Seconds after which a client may ask again that came before the model was loaded.
LOADING_S = 2


class Service:
    """One model, its queue, and the requests that are open.

    All but the worker's thread happens in one event loop.

    Args:
        load: Loads the model; called in the worker's thread.
        limits: What is taken.
        keys: Who may ask.
        events: Where is told what happens.
        threads: Threads that the model computes with; None chooses.
    """

    def __init__(
        self,
        load: Callable[[], Served],
        limits: Limits,
        keys: Keys,
        events: Events,
        threads: int | None = None,
    ) -> None:
        self.limits, self.keys, self.events = limits, keys, events
        self.meters = Meters(limits.queue_rows)
        self.waiting = Waiting(limits.queue_rows)
        self.meters.watch(lambda: self.waiting.rows, lambda: float(self.state == "ready"))
        self.state: State = "loading"
        self.served: Served | None = None
        self.sample: dict[str, Any] = {}
        self._open: dict[Job, asyncio.Future[None]] = {}
        self._idle, self._failed = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.worker = Worker(
            load, self.waiting, limits, self.meters, events, threads=threads,
            on_ready=lambda *told: self._in_loop(self._on_ready, *told),
            on_failed=lambda error: self._in_loop(self._on_failed, error),
        )  # fmt: skip

    def start(self) -> None:
        """Begin to load; called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self.worker.start()

    async def failed(self) -> BaseException:
        """Wait until there is no model, or it is broken; the reason."""
        await self._failed.wait()
        assert self._error is not None
        return self._error

    def check_taking(self) -> None:
        """Refuse rows that nobody would answer.

        Raises:
            Refusal: The model is not there yet, or no longer.
        """
        if self.state == "loading":
            raise Refusal("loading", "the model is still being loaded", retry_after=LOADING_S)
        if self.state == "stopping":
            raise Refusal("stopping", "the server is being stopped; ask another one", close=True)
        if self.state == "broken":
            raise _broken("the model is broken, and the server ends")

    async def answer(self, request: Request, receive: Receive, began: float) -> list[Any]:
        """The answer to each row, in their order.

        Args:
            request: The rows.
            receive: Says when the client hangs up.
            began: When the request came, by `time.monotonic`.

        Raises:
            Refusal: A row is too long, too much is waiting already, or it took too long.
            ClientGone: Nobody waits for the answer any more.
        """
        self.check_taking()
        assert self.served is not None
        for place, row in enumerate(request.rows):
            n = characters(row)
            if n > self.limits.chars:
                at = f"rows[{place}]" if request.many else "row"
                raise Refusal(
                    "text_too_long",
                    f"{at} has {n:,} characters, and at most {self.limits.chars:,} are taken",
                )
        read = [self.served.reader.read(row) for row in request.rows]
        examples = [row.example for row in read if row.example is not None]
        told: list[tuple[Any, Any]] = []
        if examples:
            job = Job(examples, request.prompt, self._on_done)
            await self._asked(job, receive, began)
            for outcome in job.outcomes:
                if isinstance(outcome, Unanswered) and outcome.retryable:
                    # its message may tell where that is, which is nobody's business out there
                    raise _broken("what runs the model cannot be reached; ask again later")
            told = list(zip(job.outcomes, job.prompts, strict=True))
        return self._told(self.served, read, told)

    def _told(
        self, served: Served, read: list[ReadRow], told: list[tuple[Any, Any]]
    ) -> list[dict[str, Any]]:
        found, outcomes = [], iter(told)
        for row in read:
            if row.example is None:
                found.append(served.answers.of(row, None, row.problem))
                self.meters.rows("problem")
                continue
            found.append(_said(served, row, *next(outcomes)))
            kind = "abstained" if found[-1]["abstained"] else "answered"
            self.meters.rows("problem" if found[-1]["problem"] else kind)
        return found

    async def _asked(self, job: Job, receive: Receive, began: float) -> None:
        """Let the rows wait, and wait for what becomes of them."""
        assert self._loop is not None
        try:
            self.waiting.put(job)
        except QueueFull as error:
            raise Refusal(
                "queue_full", f"{error}; ask again later", retry_after=self._seconds_to_wait()
            ) from None
        future = self._open[job] = self._loop.create_future()
        self._idle.clear()
        gone = asyncio.ensure_future(_hung_up(receive))
        try:
            left = max(began + self.limits.timeout - monotonic(), 0.0)
            await asyncio.wait({future, gone}, timeout=left, return_when="FIRST_COMPLETED")
            if future.done():
                future.result()
            elif gone.done():
                raise ClientGone("the client hung up while its rows waited")
            else:
                raise Refusal(
                    "timeout",
                    f"no answer within {self.limits.timeout:g} s; send fewer rows, or ask later",
                )
        except BaseException as error:
            why = error.kind if isinstance(error, Refusal) else "gone"
            self.meters.dropped(why, self.waiting.drop(job))
            raise
        finally:
            gone.cancel()
            self._close(job)

    async def drain(self) -> int:
        """Take no more rows, and answer those that were taken.

        Returns:
            Requests that were not answered in time; they are refused.
        """
        self.state = "stopping"
        try:
            async with asyncio.timeout(self.limits.drain_timeout):
                await self._idle.wait()
        except TimeoutError:
            pass
        left = len(self._open)
        self._refuse_open(Refusal("stopping", "the server was stopped before it could answer"))
        return left

    @property
    def open_requests(self) -> int:
        """Requests whose rows were taken and are not answered yet."""
        return len(self._open)

    def _refuse_open(self, error: PromptkitError) -> None:
        for job in self.waiting.close():
            self.meters.dropped("stopping", len(job.examples) - job.taken)
        for future in self._open.values():
            if not future.done():
                future.set_exception(error)

    def _seconds_to_wait(self) -> int:
        """When a full queue will have been worked off, by how fast the model was lately."""
        seconds = self.waiting.rows / self.worker.rate if self.worker.rate else 1.0
        return min(max(math.ceil(seconds), 1), 60)

    def _on_done(self, job: Job) -> None:
        self._in_loop(self._resolve, job)

    def _resolve(self, job: Job) -> None:
        future = self._open.get(job)
        if future is not None and not future.done():
            future.set_result(None)

    def _close(self, job: Job) -> None:
        self._open.pop(job, None)
        if not self._open:
            self._idle.set()

    def _on_ready(self, served: Served, sample: dict[str, Any], took: dict[str, Any]) -> None:
        self.served, self.sample = served, sample
        card = served.card
        named = {key: card[key] for key in ("model", "hash", "promptkit")}
        self.meters.model(named)
        for note in served.notes:
            self.events("note", message=note)
        if self.state == "loading":
            self.state = "ready"
            self.events("ready", **named, **took)

    def _on_failed(self, error: BaseException) -> None:
        self._error = error
        self.state = "broken"
        self._refuse_open(_broken("the model is broken, and the server ends"))
        self._failed.set()

    def _in_loop(self, call: Callable[..., None], *told: Any) -> None:
        """From the worker's thread; a loop that has ended wants to hear nothing more."""
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(call, *told)
        except RuntimeError:
            if not self._loop.is_closed():
                raise


def _said(served: Served, row: ReadRow, outcome: Outcome, prompt: Any) -> dict[str, Any]:
    """The answer to a row that the model had; one that cannot be told does not spoil the others."""
    if isinstance(outcome, Unanswered):
        return served.answers.of(row, None, outcome.problem, prompt)
    try:
        return served.answers.of(row, outcome, "", prompt)
    except PromptkitError as error:  # no probabilities, where how sure it is has to be told
        return served.answers.of(row, None, str(error), prompt)


def _broken(why: str) -> Refusal:
    return Refusal("model_unavailable", why, retry_after=5)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
