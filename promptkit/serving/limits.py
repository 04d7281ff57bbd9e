"""How much a server takes, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass, fields

from promptkit.errors import SpecError


@dataclass(frozen=True)
class Limits:
    """What is refused, and when.

    Args:
        batch_rows: Rows that the model answers together.
        batch_wait: Seconds that a batch that is not full waits for more rows.
        queue_rows: Rows that may wait; more are refused with 429.
        rows: Rows of one request.
        chars: Characters of one row.
        body_bytes: Bytes of a request's body.
        timeout: Seconds from a request's first byte to its answer.
        drain_timeout: Seconds in which what was accepted is answered, once the server is stopped.

    Raises:
        SpecError: A number that means nothing, or a request that could never wait.
    """

    batch_rows: int = 32
    batch_wait: float = 0.0
    queue_rows: int = 4096
    rows: int = 1024
    chars: int = 20_000
    body_bytes: int = 8 * 2**20
    timeout: float = 30.0
    drain_timeout: float = 30.0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            least = 0 if one.name == "batch_wait" else 1e-3 if one.type == "float" else 1
            if not least <= value < float("inf"):
                raise SpecError(f"--{FLAGS[one.name]} {value:g}: must be at least {least:g}")
        if self.rows > self.queue_rows:
            raise SpecError(
                f"--max-rows {self.rows}: a request of so many rows could never wait, as "
                f"--queue-rows is {self.queue_rows}; raise that, or lower this"
            )


#: What each is called on the command line.
FLAGS = {
    "batch_rows": "batch-rows",
    "batch_wait": "batch-wait-ms",
    "queue_rows": "queue-rows",
    "rows": "max-rows",
    "chars": "max-chars",
    "body_bytes": "max-body",
    "timeout": "timeout",
    "drain_timeout": "drain-timeout",
}
