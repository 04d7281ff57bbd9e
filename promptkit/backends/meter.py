"""Counts what a backend does."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from promptkit.types import Cost


class Meter:
    """Adds up costs; a run's cost is the difference of two readings."""

    def __init__(self) -> None:
        self._total = Cost()

    @property
    def cost(self) -> Cost:
        """What has been counted so far."""
        return self._total

    def add(self, **counts: int) -> None:
        """Count rows, prompt_tokens, computed_tokens, new_tokens, requests or peak_bytes."""
        self._total += Cost(**counts)

    def pay(self, price: float) -> None:
        """Count what requests cost."""
        self._total += Cost(price=price)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Counts the seconds inside, and the highest memory at its end."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._total += Cost(
                seconds=time.perf_counter() - started, peak_bytes=resident_peak_bytes()
            )


def resident_peak_bytes() -> int:
    """Highest resident memory of this process so far; 0 where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
