"""A real process with a model that takes its time: ``python -m tests.serving.slow_server``."""

import argparse
import sys
import time

from promptkit.serving.access import Keys
from promptkit.serving.events import Events
from promptkit.serving.limits import Limits
from promptkit.serving.running import listen, run
from promptkit.serving.served import SAMPLE
from promptkit.serving.service import Service
from tests.serving.site import Gated, gated


class Slow(Gated):
    """So many milliseconds a row, but for the rows that warm it."""

    def __init__(self, ms):
        super().__init__()
        self.ms = ms

    def predict(self, examples):
        asked = [row for row in examples if not row.fields["text"].startswith(SAMPLE[:13])]
        time.sleep(self.ms * len(asked) / 1000)
        return super().predict(examples)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ms", type=float, default=1.0)
    parser.add_argument("--loading", type=float, default=0.0)
    parser.add_argument("--drain", type=float, default=30.0)
    options = parser.parse_args()

    def load():
        time.sleep(options.loading)
        return gated(Slow(options.ms))

    events = Events()
    limits = Limits(batch_rows=8, drain_timeout=options.drain, body_bytes=100_000)
    service = Service(load, limits, Keys(), events)
    sys.exit(run(service, listen("127.0.0.1", 0), events, access_log=False))


if __name__ == "__main__":
    main()
