"""The contracts of verbalizers, parsers and calibrators: from evidence or text to labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import DataError
from promptkit.protocols import Calibrator, HasPremise, MakesTexts, Parser, Verbalizer
from promptkit.testing.kept import keep, refuses
from promptkit.types import Candidate, Evidence, Piece, Scalar
from promptkit.verbalizers.conclude import prediction_of

#: Two of them are equal to Python, and are four labels all the same.
_LABELS: tuple[Scalar, ...] = ("neg", "pos", 1, True)
_WORDS = ("negative", "not negative", "positive", "card not working")


def check_verbalizer(make: Callable[[], Verbalizer]) -> None:
    """Check a verbalizer.

    Args:
        make: Builds one.

    Raises:
        Broken: A constant moves an argmax, order decides, labels are mixed up, or a label is said
            without evidence.
    """
    verbalizer = make()
    owners = [*_LABELS, "pos", 1]
    log_p = [-1.0, -2.5, -0.5, -4.0, -3.0, -2.0]
    pooled = verbalizer.pool(_evidence(log_p), _candidates(owners), _LABELS)
    keep(pooled.shape == (len(_LABELS),), verbalizer, "pool must give one value for each label")
    moved = verbalizer.pool(_evidence([v + 7 for v in log_p]), _candidates(owners), _LABELS)
    same = int(moved.argmax()) == int(pooled.argmax())
    keep(same, verbalizer, "a constant added to every candidate moves the argmax")
    turned = verbalizer.pool(_evidence(log_p[::-1]), _candidates(owners[::-1]), _LABELS)
    keep(np.allclose(turned, pooled), verbalizer, "the order of candidates decides")
    other = verbalizer.pool(_evidence(log_p), _candidates(owners), _LABELS[::-1])
    told = "values must follow the order of labels, and 1 and True are two labels"
    keep(np.allclose(other[::-1], pooled), verbalizer, told)
    for nothing in ([float("nan"), -1.0], []):
        evidence = _evidence(nothing)
        found = verbalizer.pool(evidence, _candidates(["neg", "pos"]), ["neg", "pos"])
        said = prediction_of(found, ["neg", "pos"], evidence).label
        keep(said is None, verbalizer, "without evidence a row is unscored, never a guess")


def check_parser(
    make: Callable[[], Parser], reply: Callable[[str], str] = str, words: Sequence[str] = _WORDS
) -> None:
    """Check a parser.

    Args:
        make: Builds one.
        reply: From a label's word to a reply that says it, as the parser expects replies.
        words: The labels' words.

    Raises:
        Broken: It does not find a word that was said, or finds one that was not.
    """
    parser = make()
    for place, word in enumerate(words):
        answer = parser.extract(reply(word))
        keep(answer == answer.strip(), parser, "extract must leave out white space at the ends")
        found = parser.match(answer, words)
        told = f"{reply(word)!r} is read as {found!r} and must be the place {place}, {word!r}"
        keep(found == place, parser, told)
    for text in ("", " \n"):
        refuses(parser, partial(_read, parser, text, words), f"{text!r}", DataError)
    strange = reply("zzzz qqqq")
    refuses(parser, lambda: _read(parser, strange, words), "a reply of no label", DataError)
    try:
        _read(parser, strange, words)
    except DataError as error:
        told = "an error must leave the reply out: it is kept with the prediction"
        keep("qqqq" not in str(error), parser, told)


def check_calibrator(make: Callable[[], Calibrator]) -> None:
    """Check a calibrator.

    Args:
        make: Builds one.

    Raises:
        Broken: Probabilities do not sum to one, a row depends on others, labels are read without
            need, a constant moves something, or what was ruled out comes back.
    """
    calibrator = make()
    _declares(calibrator)
    log_p, golds = _sample()
    learned = calibrator.learn(log_p, golds)
    found = calibrator.apply(log_p, learned)
    keep(found.shape == log_p.shape, calibrator, "apply must keep the shape (n, k)")
    sums = np.exp(found).sum(axis=1)
    keep(np.allclose(sums, 1), calibrator, "probabilities of a row must sum to one")
    alone = np.vstack([calibrator.apply(one[None], learned) for one in log_p])
    keep(np.allclose(alone, found), calibrator, "a mended row depends on other rows")
    shifted = calibrator.apply(log_p + 3.0, learned)
    keep(np.allclose(shifted, found, atol=1e-5), calibrator, "a constant added to a row moves it")
    ruled = calibrator.apply(np.array([[-np.inf, 0.0, -1.0]]), learned)
    told = "a label that a row rules out must stay ruled out, and nothing may be NaN"
    keep(bool(ruled[0, 0] == -np.inf) and not np.isnan(ruled).any(), calibrator, told)
    if calibrator.needs != "labelled rows":
        blind = calibrator.learn(log_p)
        same = all(np.array_equal(learned[key], blind[key]) for key in learned)
        keep(same, calibrator, f"it needs {calibrator.needs}, and reads labels")
    if calibrator.asks == "rows" and calibrator.least_rows > 0:
        few = calibrator.least_rows - 1
        refuses(calibrator, lambda: make().learn(log_p[:few], golds[:few]), "too few rows",
                DataError)  # fmt: skip


def _declares(calibrator: Calibrator) -> None:
    known = ("nothing", "unlabelled rows", "labelled rows")
    keep(calibrator.needs in known, calibrator, f"needs must be one of {', '.join(known)}")
    ways = ("rows", "texts", "premise", "channel")
    keep(calibrator.asks in ways, calibrator, f"asks must be one of {', '.join(ways)}")
    makes = isinstance(calibrator, MakesTexts) == (calibrator.asks == "texts")
    keep(makes, calibrator, "texts(rows, fields) belongs to asks = 'texts', and to that alone")
    has = isinstance(calibrator, HasPremise) == (calibrator.asks == "premise")
    keep(has, calibrator, "a premise belongs to asks = 'premise', and to that alone")
    none = (calibrator.least_rows == 0) == (calibrator.needs == "nothing")
    keep(none, calibrator, "least_rows is 0 where it needs nothing, and nowhere else")


def _sample(n: int = 60, k: int = 3) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows that are right more often than not, and their golds."""
    random = np.random.default_rng(0)
    golds = random.integers(0, k, n)
    log_p = random.normal(0, 1, (n, k))
    log_p[np.arange(n), golds] += 1.5
    return log_p, golds


def _read(parser: Parser, text: str, words: Sequence[str]) -> int:
    return parser.match(parser.extract(text), words)


def _candidates(labels: Sequence[Scalar]) -> list[Candidate]:
    return [Candidate(label, (Piece(" word"),)) for label in labels]


def _evidence(log_p: Sequence[float]) -> Evidence:
    return Evidence("x", tuple(log_p), (1,) * len(log_p), (4,) * len(log_p))
