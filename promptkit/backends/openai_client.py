"""Requests to a server: several at once, faults tried again, a budget kept, a key never shown.

The client's own retries are switched off, so that each try is counted and waits as is said here.
All foreign exceptions are turned into `Fault` in one place.
"""

from __future__ import annotations

import json
import os
import random
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from promptkit.errors import BackendError, MissingExtra, PromptkitError, SpecError

try:
    import openai
except ModuleNotFoundError as error:
    raise MissingExtra(
        "backend 'openai' needs the openai client: pip install 'promptkit[openai]'"
    ) from error

T = TypeVar("T")

#: Longest pause before a request is tried again, in seconds, unless the server asks for more.
LONGEST_PAUSE = 30.0
#: Longest pause that a server may ask for with Retry-After.
LONGEST_ASKED = 300.0
#: What a server without keys is given; the client insists on one.
NO_KEY = "none"
#: How often a server that is being explored is asked again where it answers 500.
DOUBTS = 2
#: Characters of a server's own words that a message repeats.
_TOLD = 200


class Fault(Exception):
    """A request that got no answer.

    Args:
        reason: Why, in words that hold no key.
        kind: ``refused``: the server does not take this request, and another one may be fine;
            ``failed``: it could not answer, however often it was asked; ``unreachable``: nobody
            answered at all.
        status: The HTTP status, where there was one.
    """

    def __init__(
        self, reason: str, kind: Literal["refused", "failed", "unreachable"], status: int = 0
    ) -> None:
        super().__init__(reason)
        self.reason, self.kind, self.status = reason, kind, status


@dataclass(frozen=True)
class Price:
    """What tokens cost, in the user's currency per million.

    Args:
        prompt: Of what is read.
        completion: Of what is written.
    """

    prompt: float = 0.0
    completion: float = 0.0


@dataclass
class Spent:
    """What a server was asked for so far.

    Args:
        requests: Tries, those that failed among them.
        prompt_tokens: As the server counts them.
        completion_tokens: As the server counts them.
    """

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Client:
    """One server.

    Args:
        base_url: Where it is, ``/v1`` included.
        api_key_env: The environment variable that holds its key, if it needs one.
        timeout: Seconds to wait for an answer.
        retries: How often a request is tried again.
        concurrency: Requests under way at once.
        backoff: Seconds of the first pause; each one after it may be twice as long.
        max_requests: Tries that are allowed; None is any number.
        max_tokens: Tokens read and written that are allowed; None is any number.
        price: What tokens cost.

    Raises:
        SpecError: An option that cannot be.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key_env: str = "OPENAI_API_KEY",
        timeout: float = 60.0,
        retries: int = 6,
        concurrency: int = 8,
        backoff: float = 0.5,
        max_requests: int | None = None,
        max_tokens: int | None = None,
        price: Price | None = None,
    ) -> None:
        self.url = _checked_url(base_url)
        # a key given here by mistake must not be repeated in the message
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", api_key_env):
            raise SpecError(
                "api_key_env: not the name of an environment variable; put the key into one, and "
                "give its name"
            )
        self.api_key_env = api_key_env
        self._key = os.environ.get(api_key_env, "").strip()
        self.retries, self.concurrency, self.backoff = retries, concurrency, backoff
        self.max_requests, self.max_tokens = max_requests, max_tokens
        self.price = price or Price()
        self.spent = Spent()
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._exploring = False
        self._client = openai.OpenAI(
            base_url=self.url, api_key=self._key or NO_KEY, max_retries=0, timeout=timeout
        )

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON that the server answers; tried again where that may help.

        Raises:
            Fault: It refused, or failed once too often.
            BackendError: The budget is used up, or the key is refused.
        """
        return self._tried(lambda: self._client.post(path, cast_to=_Raw, body=dict(body)))

    def get(self, path: str) -> dict[str, Any]:
        """The same without a body."""
        return self._tried(lambda: self._client.get(path, cast_to=_Raw))

    @contextmanager
    def exploring(self) -> Iterator[None]:
        """Within it a 500 that stays is a refusal: so some servers answer what they do not know."""
        self._exploring = True
        try:
            yield
        finally:
            self._exploring = False

    def each(self, jobs: Sequence[Callable[[], T]]) -> list[T | Fault]:
        """The result of each job, or its fault, in order; several run at once.

        The threads are daemons: Ctrl-C ends the program at once, whatever a server still owes.

        Raises:
            BackendError: Whatever a job raised besides a fault; or nobody answers any more.
        """
        found: dict[int, T | Fault] = {}
        ended: list[BaseException] = []
        places = iter(range(len(jobs)))
        stop = self._stop = threading.Event()
        done = threading.Semaphore(0)

        def work() -> None:
            try:
                while not stop.is_set():
                    with self._lock:
                        place = next(places, None)
                    if place is None:
                        return
                    found[place] = self._result(jobs[place])
            except BaseException as error:
                ended.append(error)
                stop.set()
            finally:
                done.release()

        workers = min(self.concurrency, len(jobs))
        for _ in range(workers):
            threading.Thread(target=work, daemon=True).start()
        try:
            for _ in range(workers):
                done.acquire()
        except BaseException:
            stop.set()
            raise
        if ended:
            raise ended[0]
        return [found[place] for place in range(len(jobs))]

    def _result(self, job: Callable[[], T]) -> T | Fault:
        try:
            return job()
        except Fault as fault:
            if fault.kind == "unreachable" and not self._stop.is_set():
                self.check_alive(fault)
            return fault

    def check_alive(self, fault: Fault) -> None:
        """Ask the server for anything at all.

        Raises:
            BackendError: Nobody answers.
        """
        try:
            self._count()
            self._client.get("/models", cast_to=_Raw)
        except (openai.APIConnectionError, openai.InternalServerError):
            raise self.gone(fault) from fault
        except openai.APIStatusError:
            return  # it answers, if only to say no

    def gone(self, fault: Fault) -> BackendError:
        """What to say of a server that answers nothing."""
        return BackendError(
            f"server {self.url}: {fault.reason}",
            hint="finished rows are stored; run the same command again when it is up",
            retryable=True,
        )

    @property
    def money(self) -> float:
        """What it cost so far, by the price table."""
        read, written = self.spent.prompt_tokens, self.spent.completion_tokens
        return (read * self.price.prompt + written * self.price.completion) / 1e6

    def _tried(self, ask: Callable[[], Any]) -> dict[str, Any]:
        for tried in range(self.retries + 1):
            self._count()
            try:
                return self._read(ask())
            except _Again as again:
                fault = again
            except openai.APIConnectionError as error:
                fault = _Again(_name_of(error), None, reached=False)
            except openai.APIStatusError as error:
                fault = self._status(error)
                doubted = self._exploring and tried == min(DOUBTS, self.retries)
                if doubted and error.status_code == 500:
                    raise Fault(fault.reason, "refused", 500) from None
            if tried < self.retries and self._stop.wait(self._pause(tried, fault.asked)):
                break
        times = f" ({self.retries + 1} tries)" if self.retries else ""
        raise Fault(fault.reason + times, "failed" if fault.reached else "unreachable")

    def _read(self, response: Any) -> dict[str, Any]:
        try:
            found = json.loads(response.text)
        except ValueError as error:
            raise _Again("the answer is no whole JSON", None) from error
        if not isinstance(found, dict):
            raise _Again("the answer is no JSON object", None)
        usage = found.get("usage") or {}
        with self._lock:
            self.spent.prompt_tokens += int(usage.get("prompt_tokens") or 0)
            self.spent.completion_tokens += int(usage.get("completion_tokens") or 0)
        return found

    def _count(self) -> None:
        """Count a try.

        Raises:
            BackendError: It would be one too many.
        """
        with self._lock:
            tokens = self.spent.prompt_tokens + self.spent.completion_tokens
            if self.max_requests is not None and self.spent.requests >= self.max_requests:
                raise _over("max_requests", f"{self.max_requests:,} requests")
            if self.max_tokens is not None and tokens >= self.max_tokens:
                raise _over("max_tokens_budget", f"{self.max_tokens:,} tokens")
            self.spent.requests += 1

    def _status(self, error: Any) -> _Again:
        """The fault of an HTTP status; returned where another try may help, else raised."""
        status, told = int(error.status_code), self._told(error)
        if status in (401, 403):
            has = "was refused" if self._key else "is not set"
            raise BackendError(
                f"server {self.url}: status {status}; the key in ${self.api_key_env} {has}",
                hint="put a valid key into that environment variable",
            ) from None
        # a used-up account answers 429 as well, and stays used up
        if status == 429 and "insufficient_quota" in told:
            raise BackendError(f"server {self.url}: {told}", hint="the account is used up")
        if status in (408, 409, 425, 429) or status >= 500:
            return _Again(told, _seconds(error.response.headers.get("retry-after")))
        raise Fault(told, "refused", status)

    def _told(self, error: Any) -> str:
        """The server's own words in one short line, without the key."""
        body = error.body if isinstance(error.body, Mapping) else {}
        words = body.get("message") or body.get("detail") or error.response.text or ""
        code = f" {body['code']}" if body.get("code") == "insufficient_quota" else ""
        line = " ".join(str(words).split())
        line = line.replace(self._key, "[key]") if self._key else line
        return f"status {error.status_code}{code}: {line[:_TOLD]}".rstrip(": ")

    def _pause(self, tried: int, asked: float | None) -> float:
        """Seconds before the next try: twice as long each time, less up to a half by chance."""
        longest = min(self.backoff * 2.0**tried, LONGEST_PAUSE)
        own = longest * random.uniform(0.5, 1.0)
        return own if asked is None else max(own, min(asked, LONGEST_ASKED))


class _Again(Exception):
    """A fault that may pass."""

    def __init__(self, reason: str, asked: float | None, *, reached: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.asked, self.reached = reason, asked, reached


#: The client hands over the response as it came.
_Raw: Any = openai.HttpxBinaryResponseContent


def _name_of(error: Any) -> str:
    if isinstance(error, openai.APITimeoutError):
        return "no answer in time"
    cause = error.__cause__
    return f"no connection, or one that broke ({type(cause or error).__name__})"


def _over(option: str, what: str) -> PromptkitError:
    return BackendError(
        f"the budget of {what} is used up",
        hint=f"finished rows are stored; raise {option} and run the same command again",
    )


def _seconds(text: str | None) -> float | None:
    """What Retry-After says in seconds; None where it names a date, or nothing."""
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None


def _checked_url(url: str) -> str:
    # a key in an address ends up in logs and tables: look for one before it is repeated
    if "@" in url or "?" in url:
        raise SpecError("base_url: leave keys and passwords out of the address")
    if not re.match(r"https?://[^/]", url):
        raise SpecError(f"base_url {url!r}: write it as http://localhost:8000/v1")
    return url.rstrip("/")
