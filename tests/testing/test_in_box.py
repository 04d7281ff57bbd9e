"""The checks for authors of plugins hold for every part in the box, and tell broken ones."""

from functools import partial

import numpy as np
import pytest

from promptkit.backends.embedding import EmbeddingBackend
from promptkit.backends.fake import FakeBackend
from promptkit.calibration import CALIBRATORS
from promptkit.calibration.batch import BatchCalibration
from promptkit.errors import DataError
from promptkit.orders import ORDERS
from promptkit.parsers import PARSERS
from promptkit.parsers.whole import Exact
from promptkit.registry import parameters_of
from promptkit.selectors import SELECTORS
from promptkit.selectors.random import RandomSelector
from promptkit.strategies import STRATEGIES
from promptkit.strategies.majority import Majority
from promptkit.strategies.reading import Reading
from promptkit.testing import (
    Broken,
    check_backend,
    check_calibrator,
    check_order,
    check_parser,
    check_selector,
    check_strategy,
    check_verbalizer,
)
from promptkit.types import Example
from promptkit.verbalizers import VERBALIZERS
from promptkit.verbalizers.words import WordsVerbalizer
from tests.selectors.trigrams import Trigrams

LABELS = ("negative", "neutral", "positive")
TRAIN = [Example(f"t{i}", {"text": f"training text {i}"}, LABELS[i % 3]) for i in range(9)]
ROWS = [Example(f"r{i}", {"text": f"some text {i * 7 % 5}"}) for i in range(7)]
#: How a label's word is said to each parser.
REPLIES = {"json": '{{"answer": "{}"}}', "last_line": "Let me see.\n{}", "regex": "Answer: {}"}


def build(registry, name, seed=0):
    embeds = "encoder" in parameters_of(registry.load(name))
    return registry.build(name, {"seed": seed, **({"encoder": Trigrams()} if embeds else {})})


@pytest.mark.parametrize("name", [name for name in SELECTORS.built_in if name != "none"])
def test_selectors(name):
    check_selector(partial(build, SELECTORS, name))


@pytest.mark.parametrize("name", ORDERS.built_in)
def test_orders(name):
    check_order(partial(build, ORDERS, name))


@pytest.mark.parametrize("name", VERBALIZERS.built_in)
def test_verbalizers(name):
    check_verbalizer(VERBALIZERS.load(name))


@pytest.mark.parametrize("name", PARSERS.built_in)
def test_parsers(name):
    options = {"pattern": "Answer: (.+)"} if name == "regex" else {}
    check_parser(lambda: PARSERS.build(name, options), REPLIES.get(name, "{}").format)


@pytest.mark.parametrize("name", CALIBRATORS.built_in)
def test_calibrators(name):
    check_calibrator(CALIBRATORS.load(name))


@pytest.mark.parametrize("make", [FakeBackend, partial(EmbeddingBackend, "minilm")])
def test_backends(make):
    check_backend(make)


@pytest.mark.parametrize("name", ["majority", "random", "tfidf"])
def test_strategies(name):
    make = partial(STRATEGIES.load(name), LABELS, Reading(("text",)))
    check_strategy(make, TRAIN, ROWS, LABELS)


class Careless(RandomSelector):
    """Shows the query."""

    def select(self, query, k):
        return list(self.pool_.rows[:k])


class Forgetful(RandomSelector):
    """Draws anew each time."""

    calls = 0

    def select(self, query, k):
        self.calls += 1
        return super().select(Example(f"{query.id}{self.calls}", query.fields), k)


class Guesser(WordsVerbalizer):
    """Says the first label where there is no evidence."""

    def pool(self, evidence, candidates, labels):
        return np.nan_to_num(super().pool(evidence, candidates, labels))


class Lenient(Exact):
    """Takes any reply for the first word."""

    def match(self, answer, words):
        try:
            return super().match(answer, words)
        except DataError:
            return 0


class Unnormalised(BatchCalibration):
    """Leaves rows as they are."""

    def apply(self, log_p, learned):
        return log_p - learned["log_prior"]


class Silent(FakeBackend):
    """Loses a row."""

    def score(self, prompts, candidates):
        return super().score(prompts[:1], candidates[:1])


class Backwards(Majority):
    """Predicts from the last row on."""

    def gather(self, examples):
        return super().gather(examples[::-1])

    def conclude(self, examples, evidence):
        return super().conclude(examples[::-1], evidence)


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (partial(check_selector, Careless), "Careless: it shows "),
        (partial(check_selector, Forgetful), "depends on earlier queries"),
        (partial(check_verbalizer, Guesser), "never a guess"),
        (partial(check_parser, Lenient), "a reply of no label must be a DataError"),
        (partial(check_calibrator, Unnormalised), "must sum to one"),
        (partial(check_backend, Silent), "evidence for each prompt|rows beside it"),
        (
            partial(check_strategy, partial(Backwards, LABELS, Reading(("text",))), TRAIN, ROWS,
                    LABELS),
            "keep the order and the ids",
        ),
    ],
)  # fmt: skip
def test_a_part_that_breaks_its_promise_is_told_which(check, told):
    with pytest.raises(Broken, match=told):
        check()


def test_an_exception_of_another_kind_is_no_refusal():
    class Bare(RandomSelector):
        """Fails on rows without labels by accident."""

        def fit(self, pool):
            super().fit([row for row in pool if row.label or 1 / 0])
            return self

    with pytest.raises(Broken, match="must be a DataError, and is a ZeroDivisionError"):
        check_selector(Bare)
