"""What is counted, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

#: Seconds; a saved model on a CPU answers within tens of milliseconds, one that writes in many.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Rows.
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Meters:
    """The counters of one server; each has a registry of its own, so that tests may run several.

    Args:
        queue_limit: Rows that may wait.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, queue_limit: int) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._requests = Counter(
            "promptkit_requests", "Answered requests.", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "promptkit_request_seconds", "From a request's head to its answer.", ["route"],
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self._rows = Counter(
            "promptkit_rows", "Rows by what became of them.", ["outcome"], registry=registry
        )
        self._refused = Counter(
            "promptkit_refused", "Requests that were not answered.", ["type"], registry=registry
        )
        self._dropped = Counter(
            "promptkit_dropped_rows", "Rows that left the queue unanswered.", ["why"],
            registry=registry,
        )  # fmt: skip
        self._batch_rows = Histogram(
            "promptkit_batch_rows", "Rows that the model answered together.", buckets=BATCHES,
            registry=registry,
        )  # fmt: skip
        self._batch_seconds = Histogram(
            "promptkit_batch_seconds", "What the model took for them.", buckets=SECONDS,
            registry=registry,
        )  # fmt: skip
        self._bugs = Counter(
            "promptkit_model_failures", "Rows that the model failed on.", registry=registry
        )
        self._queue = Gauge("promptkit_queue_rows", "Rows that wait.", registry=registry)
        limit = Gauge("promptkit_queue_limit_rows", "Rows that may wait.", registry=registry)
        limit.set(queue_limit)
        self._ready = Gauge("promptkit_ready", "1 while rows are taken.", registry=registry)

    def request(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, kind: str) -> None:
        """A request was not answered, by the type of its error."""
        self._refused.labels(kind).inc()

    def rows(self, outcome: str, n: int = 1) -> None:
        """Rows were answered, abstained from, or could not be answered."""
        if n:
            self._rows.labels(outcome).inc(n)

    def dropped(self, why: str, n: int) -> None:
        """Rows left the queue."""
        if n:
            self._dropped.labels(why).inc(n)

    def batch(self, rows: int, seconds: float) -> None:
        """The model answered a batch."""
        self._batch_rows.observe(rows)
        self._batch_seconds.observe(seconds)

    def bug(self, rows: int) -> None:
        """The model failed on rows."""
        self._bugs.inc(rows)

    def watch(self, queue: Callable[[], float], ready: Callable[[], float]) -> None:
        """Ask these whenever somebody looks."""
        self._queue.set_function(queue)
        self._ready.set_function(ready)

    def model(self, card: Mapping[str, str]) -> None:
        """What is served, as labels of a number that is always 1."""
        told = Gauge("promptkit_model_info", "What is served.", list(card), registry=self.registry)
        told.labels(*card.values()).set(1)

    def text(self) -> bytes:
        """All of it in the text format of Prometheus."""
        return generate_latest(self.registry)
