"""A strategy for tests: counts words by label, slowly enough to be watched and stopped."""

from __future__ import annotations

import json

import numpy as np
import pytest

from promptkit.backends.meter import Meter
from promptkit.protocols import NO_CONTEXT, Step
from promptkit.strategies import STRATEGIES
from promptkit.strategies.classified import conclude, evidence_of, targets_of
from promptkit.types import flat

#: Set by a test that wants the fit to stop after so many steps, as Ctrl-C would.
STOP_AFTER: list[int] = []
#: Steps that were computed, over all fits, so that a test can tell what was taken up again.
COMPUTED: list[int] = []


class Learner:
    """Word counts; one step a row, a checkpoint after each."""

    def __init__(self, labels, reading, *, weight=1.0, seed=0):
        self.labels, self.reading, self.weight, self.seed = labels, reading, weight, seed
        self._meter = Meter()

    @property
    def cost(self):
        return self._meter.cost

    def fit(self, train, context=NO_CONTEXT):
        targets = targets_of(train, self.labels)
        self.counts_, start = {}, 0
        kept = context.folder / "learner.json" if context.folder else None
        if kept and kept.is_file():
            self.counts_, start = json.loads(kept.read_text())
        for place in range(start, len(train)):
            if STOP_AFTER and place == STOP_AFTER[0]:
                raise KeyboardInterrupt
            COMPUTED.append(place)
            for word in flat(self.reading(train[place])).lower().split():
                self.counts_.setdefault(word, [0.0] * len(self.labels))[targets[place]] += 1
            if kept:
                kept.write_text(json.dumps([self.counts_, place + 1]))
            context.on_step(Step(place + 1, len(train), loss=1 / (place + 1), score=0.5))
        self._meter.add(trained_parameters=len(self.counts_) * len(self.labels))
        return self

    def gather(self, examples):
        k, rows = len(self.labels), []
        for example in examples:
            words = flat(self.reading(example)).lower().split()
            seen = [self.counts_[word] for word in words if word in self.counts_]
            total = self.weight * np.sum(seen, axis=0) + 1 if seen else np.ones(k)
            rows.append(np.log(total / total.sum()))
        self._meter.add(rows=len(examples))
        return evidence_of(examples, np.array(rows).reshape(-1, k), "learner")

    def conclude(self, examples, evidence):
        return conclude(examples, evidence, self.labels)

    def predict(self, examples):
        return self.conclude(examples, self.gather(examples))

    def describe(self):
        reading = dict(self.reading.describe())
        return {"name": "learner", "weight": self.weight, "seed": self.seed, "reading": reading}

    def save(self, folder):
        (folder / "counts.json").write_text(json.dumps(self.counts_))

    def restore(self, folder):
        self.counts_ = json.loads((folder / "counts.json").read_text())
        return self


@pytest.fixture
def registered(monkeypatch):
    """``learner`` is a strategy while the test runs."""
    monkeypatch.setitem(STRATEGIES._targets, "learner", "tests.learner:Learner")
    STOP_AFTER.clear()
    COMPUTED.clear()
