"""The rows that wait for the model: bounded, fair, and forgotten when nobody wants them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from promptkit.errors import PromptkitError
from promptkit.types import Example


class QueueFull(PromptkitError):
    """More rows than may wait."""


@dataclass(eq=False)
class Job:
    """The rows of one request.

    Args:
        examples: What the model reads; at least one row.
        prompt: Whether what it reads is wanted too.
        done: Called once, from any thread, when every row has its outcome.
        outcomes: What became of each row; None until something did.
        prompts: What the model read of each, where that is wanted.
        taken: Rows that the model has, or had.
    """

    examples: Sequence[Example]
    prompt: bool
    done: Callable[[Job], None]
    outcomes: list[Any] = field(default_factory=list)
    prompts: list[Any] = field(default_factory=list)
    taken: int = 0
    left: int = 0

    def __post_init__(self) -> None:
        self.left = len(self.examples)
        self.outcomes = [None] * self.left
        self.prompts = [None] * self.left


#: A row of a job, by its place.
Place = tuple[Job, int]


class Waiting:
    """Rows of many requests, given to the model in batches.

    A batch takes a few rows of each request in turn, so that one of a thousand rows does not hold
    up those of one row behind it, and is not held up by them either.

    Args:
        most: Rows that may wait.
        clock: Tells seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = monotonic) -> None:
        self.most, self._clock = most, clock
        self._jobs: deque[Job] = deque()
        self._rows = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def rows(self) -> int:
        """Rows that wait now."""
        return self._rows

    def put(self, job: Job) -> None:
        """Let the rows of a request wait: all of them or none.

        Raises:
            QueueFull: They are too many.
        """
        with self._changed:
            if self._closed or self._rows + job.left > self.most:
                raise QueueFull(f"{self._rows:,} rows are waiting, of at most {self.most:,}")
            self._jobs.append(job)
            self._rows += job.left
            self._changed.notify()

    def take(self, most: int, wait: float = 0.0) -> list[Place]:
        """The next batch; waits for the first row as long as it takes. Empty once it is closed.

        Args:
            most: Rows of a batch.
            wait: Seconds that a batch that is not full waits for more.
        """
        with self._changed:
            while not self._closed:
                while not self._rows and not self._closed:
                    self._changed.wait()
                self._gather(most, self._clock() + wait)
                found = self._batch(most)
                if found:  # else all that waited was dropped meanwhile
                    return found
            return []

    def _gather(self, most: int, until: float) -> None:
        """Wait until a batch is full, or the time is over."""
        while 0 < self._rows < most and not self._closed:
            left = until - self._clock()
            if left <= 0:
                return
            self._changed.wait(left)

    def drop(self, job: Job) -> int:
        """Forget a request's rows that the model has not begun; how many they were."""
        with self._changed:
            if job not in self._jobs:
                return 0
            self._jobs.remove(job)
            dropped = len(job.examples) - job.taken
            self._rows -= dropped
            return dropped

    def close(self) -> list[Job]:
        """Take no more rows and give none; the requests whose rows were still waiting."""
        with self._changed:
            self._closed = True
            left = list(self._jobs)
            self._jobs.clear()
            self._rows = 0
            self._changed.notify_all()
            return left

    def _batch(self, most: int) -> list[Place]:
        found: list[Place] = []
        share = max(1, most // 4)
        while self._jobs and len(found) < most:
            job = self._jobs.popleft()
            n = min(share, most - len(found), len(job.examples) - job.taken)
            found += [(job, place) for place in range(job.taken, job.taken + n)]
            job.taken += n
            if job.taken < len(job.examples):
                self._jobs.append(job)
        self._rows -= len(found)
        return found
