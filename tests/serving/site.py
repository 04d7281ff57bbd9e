"""A server inside a test: its application asked without a socket, its model a strategy at hand."""

import asyncio
import threading
from contextlib import asynccontextmanager
from functools import partial, wraps
from math import log

import httpx

from promptkit.prompts import find_template
from promptkit.prompts.yamlfile import YamlFile, validate
from promptkit.runs import EvalSpec
from promptkit.runs.predictor import Predictor
from promptkit.serving.access import Keys
from promptkit.serving.answers import Answers
from promptkit.serving.app import make_app
from promptkit.serving.events import Events
from promptkit.serving.limits import Limits
from promptkit.serving.observed import Observed
from promptkit.serving.rows import Reader
from promptkit.serving.served import Served, load
from promptkit.serving.service import Service
from promptkit.strategies.reading import Reading
from promptkit.types import Prediction

LABELS = ("negative", "neutral", "positive")


class Gated:
    """Answers by the length of a text, when it is let; a text may tell it to fail.

    Args:
        open: Whether it need not be let.
    """

    cost = None

    def __init__(self, open=True):
        self.gate, self.begun = threading.Event(), threading.Event()
        self.batches, self.dead, self.error = [], False, None
        if open:
            self.gate.set()

    def describe(self):
        return {"name": "gated"}

    def predict(self, examples):
        self.batches.append([row.fields["text"] for row in examples])
        self.begun.set()
        assert self.gate.wait(20)
        if self.error:
            raise self.error
        for row in examples:
            if self.dead or "poison" in row.fields["text"]:
                raise RuntimeError(f"cannot bear {row.fields['text']}")
        return [said(row) for row in examples]

    @property
    def answered(self):
        """The texts that were not made up to warm it."""
        return [t for batch in self.batches for t in batch if not t.startswith("An example of")]


def said(row):
    """What `Gated` says of a row, which depends on its text alone."""
    place = len(row.fields["text"]) % 3
    log_p = tuple(log(0.8 if one == place else 0.1) for one in range(3))
    return Prediction(row.id, LABELS[place], log_p, "gated")


def gated(strategy):
    """What is served where a `Gated` answers."""
    template = find_template("sentiment_zero_shot")
    predictor = Predictor(strategy, template, {}, "0123456789abcdef" * 2)
    reader, answers = Reader(template, {"text": "text"}), Answers(template, LABELS, None, False)
    return Served("gated", predictor, reader, Reading(("text",)), answers)


def asked(**options):
    return validate(EvalSpec, YamlFile("test", options))


class Site:
    """Asks a server; ``site.lines`` is what it told in its log."""

    def __init__(self, service, client, lines):
        self.service, self.client, self.lines = service, client, lines

    async def predict(self, content, **more):
        return await self.client.post("/predict", json=content, **more)

    async def raw(self, body, **headers):
        named = {
            "content-type": "application/json",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        return await self.client.post("/predict", content=body, headers=named)

    async def get(self, path, **more):
        return await self.client.get(path, **more)

    async def until(self, holds):
        async with asyncio.timeout(60):  # to load torch takes long on a busy machine
            while not holds():
                await asyncio.sleep(0.002)


@asynccontextmanager
async def site(model, *, keys=(), ready=True, **limits):
    """A server of a `Gated`, or of what ``asked`` was asked."""
    lines = []
    loading = partial(load, model) if isinstance(model, EvalSpec) else partial(gated, model)
    service = Service(loading, Limits(**limits), Keys(keys), Events(write=lines.append))
    transport = httpx.ASGITransport(Observed(make_app(service), service))
    async with httpx.AsyncClient(transport=transport, base_url="http://served") as client:
        service.start()
        found = Site(service, client, lines)
        if ready:
            await found.until(lambda: service.state != "loading")
        try:
            yield found
        finally:
            if isinstance(model, Gated):
                model.gate.set()
            service.waiting.close()
            await asyncio.to_thread(service.worker.join, 10)


def running(test):
    """A test that is a coroutine, in a loop of its own."""

    @wraps(test)
    def run(*arguments, **named):
        asyncio.run(test(*arguments, **named))

    return run
