"""The thread that owns the model: it loads it, warms it, and answers what waits, batch by batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from promptkit.errors import PromptkitError
from promptkit.serving.answering import Unanswered, outcomes, where
from promptkit.serving.cpus import use_threads
from promptkit.serving.events import Events
from promptkit.serving.limits import Limits
from promptkit.serving.meters import Meters
from promptkit.serving.served import Served
from promptkit.serving.shown_prompt import shown_prompt
from promptkit.serving.waiting import Place, Waiting
from promptkit.types import Example

#: Rows that a model is warmed with, together.
WARM_ROWS = 4


class Worker(threading.Thread):
    """Nothing but this thread touches the model, so that a strategy need not be safe for several.

    Args:
        load: Loads the model.
        waiting: Where rows come from.
        limits: How many of them are a batch.
        meters: Told of every batch.
        events: Told what goes wrong.
        threads: Threads that the model computes with; None chooses.
        on_ready: Called from this thread with what is served, the answer to its sample row, and
            what it took.
        on_failed: Called from this thread where there is no model, or it is broken.
    """

    def __init__(
        self,
        load: Callable[[], Served],
        waiting: Waiting,
        limits: Limits,
        meters: Meters,
        events: Events,
        *,
        threads: int | None = None,
        on_ready: Callable[[Served, dict[str, Any], dict[str, Any]], None],
        on_failed: Callable[[BaseException], None],
    ) -> None:
        # a daemon: a model that is in the middle of something must not keep a process from ending
        super().__init__(name="promptkit-model", daemon=True)
        self._load, self._waiting, self._limits = load, waiting, limits
        self._meters, self._events, self._threads = meters, events, threads
        self._on_ready, self._on_failed = on_ready, on_failed
        self.rate = 0.0

    def run(self) -> None:
        """Load, warm, and answer until the queue is closed."""
        try:
            began = perf_counter()
            served = self._load()
            threads = use_threads(self._threads)
            loaded = perf_counter()
            sample = self._warmed(served)
            took = {"load_s": loaded - began, "warm_s": perf_counter() - loaded}
            self._on_ready(served, sample, {"threads": threads, **took})
            while batch := self._waiting.take(self._limits.batch_rows, self._limits.batch_wait):
                self._answer(served, batch)
        except BaseException as error:
            self._on_failed(error)

    def _warmed(self, served: Served) -> dict[str, Any]:
        """The answer to the sample row; the first batch takes what later ones do not.

        Raises:
            PromptkitError: Nothing answers, as where the server of a model is not there.
        """
        row = served.reader.read(served.sample)
        if row.example is None:
            raise PromptkitError(f"{served.name}: its sample row {row.problem}")
        outcomes(served.predictor.strategy, [row.example] * WARM_ROWS, self._on_bug)
        (found,) = outcomes(served.predictor.strategy, [row.example], self._on_bug)
        if isinstance(found, Unanswered):
            if found.retryable or found.bug:
                raise PromptkitError(f"{served.name} does not answer: {found.problem}")
            return served.answers.of(row, None, found.problem)
        return served.answers.of(row, found, "")

    def _answer(self, served: Served, batch: Sequence[Place]) -> None:
        examples = [job.examples[place] for job, place in batch]
        began = perf_counter()
        found = outcomes(served.predictor.strategy, examples, self._on_bug)
        for (job, place), example in zip(batch, examples, strict=True):
            if job.prompt:
                job.prompts[place] = self._prompt(served, example)
        seconds = perf_counter() - began
        self._meters.batch(len(batch), seconds)
        speed = len(batch) / max(seconds, 1e-6)
        self.rate = speed if not self.rate else 0.8 * self.rate + 0.2 * speed
        lost = [one for one in found if isinstance(one, Unanswered)]
        if any(one.retryable for one in lost):
            self._events("unreachable", "error", rows=len(batch), cause=lost[0].cause)
        for (job, place), outcome in zip(batch, found, strict=True):
            job.outcomes[place] = outcome
            job.left -= 1
            if not job.left:
                job.done(job)
        if len(lost) == len(found) and all(one.bug for one in lost):
            self._check_alive(served)

    def _prompt(self, served: Served, example: Example) -> Any:
        try:
            return shown_prompt(served.predictor.strategy, served.reading, example)
        except PromptkitError as error:
            return {"text": None, "question": "", "problem": str(error)}
        except Exception as error:  # what is shown must not cost what is answered
            self._on_bug(error, 1)
            return {"text": None, "question": "", "problem": type(error).__name__}

    def _check_alive(self, served: Served) -> None:
        """Rows may be to blame where all of a batch fail; the sample row, which it knew, is not.

        Raises:
            PromptkitError: The model is broken, as a device is that lost its memory.
        """
        self._warmed(served)

    def _on_bug(self, error: Exception, rows: int) -> None:
        self._meters.bug(rows)
        self._events("failed", "error", error=type(error).__name__, at=where(error), rows=rows)
