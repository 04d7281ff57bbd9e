"""Each part keeps the contract of its seam; no model is needed."""

# ruff: noqa: D103

from functools import partial

import numpy as np
from promptkit_example.first_line import FirstLine
from promptkit_example.geometric import GeometricCalibration
from promptkit_example.longest import LongestSelector
from promptkit_example.naive_bayes import NaiveBayes
from promptkit_example.overlap import OverlapBackend
from promptkit_example.same_length import same_length
from promptkit_example.second_best import SecondBestVerbalizer
from promptkit_example.shortest_last import ShortestLast
from promptkit_example.spread import SPREAD

from promptkit import Example, load
from promptkit.strategies.reading import Reading
from promptkit.testing import (
    check_backend,
    check_calibrator,
    check_order,
    check_parser,
    check_selector,
    check_strategy,
    check_verbalizer,
)


def test_what_is_shown():
    check_selector(LongestSelector)
    check_order(ShortestLast)


def test_what_is_said():
    check_verbalizer(SecondBestVerbalizer)
    check_parser(FirstLine, "{}\nsince I was told so.".format)
    check_calibrator(GeometricCalibration)


def test_who_is_asked():
    check_backend(OverlapBackend)


def test_what_is_learned():
    rows = load("customer_reviews", split="train").examples
    labels = ("negative", "neutral", "positive")
    asked = [Example(row.id, row.fields) for row in rows[40:50]]
    check_strategy(partial(NaiveBayes, labels, Reading(("text",))), rows[:40], asked, labels)


def test_what_is_measured():
    apart, targets = np.repeat([[0.0], [1.0]], 5, axis=0), np.repeat([0, 1], 5)
    assert SPREAD.measure(apart, targets) > SPREAD.measure(apart * 0.1, targets)
    assert same_length("two words", ["zwei Wörter"]) == 1.0
