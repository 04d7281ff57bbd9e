"""What every calibrator keeps to, whatever it mends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.calibration import CALIBRATORS
from promptkit.errors import DataError
from promptkit.protocols import Calibrator, HasPremise, MakesTexts
from promptkit.types import Example

NAMES = list(CALIBRATORS)
#: Mixtures are fitted in seconds, and a shift of 1e-12 may end in another of two equal fits.
SMOOTH = [name for name in NAMES if name != "prototypical"]
FEW = settings(max_examples=25, deadline=None)


def asking(what):
    return [name for name in NAMES if CALIBRATORS.build(name, {}).asks == what]


def sample(seed=0, n=60, k=3):
    """Rows that are right more often than not, and their golds."""
    random = np.random.default_rng(seed)
    golds = random.integers(0, k, n)
    log_p = random.normal(0, 1, (n, k))
    log_p[np.arange(n), golds] += 1.5
    return log_p, golds


def mended(name, log_p, golds, rows=None):
    calibrator = CALIBRATORS.build(name, {})
    return calibrator.apply(log_p if rows is None else rows, calibrator.learn(log_p, golds))


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(st.integers(0, 50), st.integers(2, 5))
def test_probabilities_of_a_row_sum_to_one(name, seed, k):
    log_p, golds = sample(seed, k=k)
    found = mended(name, log_p, golds)
    assert found.shape == log_p.shape
    assert np.exp(found).sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("name", SMOOTH)
@FEW
@given(st.integers(0, 50), st.floats(-30, 30))
def test_a_constant_added_to_a_row_moves_nothing(name, seed, shift):
    log_p, golds = sample(seed)
    moved = log_p.copy()
    moved[::2] += shift
    assert mended(name, moved, golds) == pytest.approx(mended(name, log_p, golds), abs=1e-5)


@pytest.mark.parametrize("name", SMOOTH)
@FEW
@given(st.integers(0, 50))
def test_the_order_of_rows_and_of_labels_decides_nothing(name, seed):
    log_p, golds = sample(seed)
    turned = mended(name, log_p[::-1, ::-1], 2 - golds[::-1])[::-1, ::-1]
    assert turned == pytest.approx(mended(name, log_p, golds), abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_depends_on_what_was_learned_and_on_no_other_row(name):
    log_p, golds = sample()
    calibrator = CALIBRATORS.build(name, {})
    learned = calibrator.learn(log_p, golds)
    alone = np.vstack([calibrator.apply(row[None], learned) for row in log_p])
    assert alone == pytest.approx(calibrator.apply(log_p, learned), abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_label_that_a_row_rules_out_stays_ruled_out(name):
    log_p, golds = sample()
    found = mended(name, log_p, golds, np.array([[-np.inf, 0.0, -1.0]]))
    assert found[0, 0] == -np.inf
    assert not np.isnan(found).any()


@pytest.mark.parametrize("name", NAMES)
def test_certain_rows_and_labels_without_any_row_break_nothing(name):
    log_p, golds = sample(k=4)
    log_p[:, 3] = -80.0
    log_p[:5] *= 60
    found = mended(name, log_p, np.minimum(golds, 2))
    assert np.isfinite(found).any(axis=1).all()
    assert not np.isnan(found).any()


@pytest.mark.parametrize("name", NAMES)
def test_what_it_needs_and_asks_is_declared(name):
    calibrator: Calibrator = CALIBRATORS.build(name, {})
    assert calibrator.needs in {"nothing", "unlabelled rows", "labelled rows"}
    assert calibrator.asks in {"rows", "texts", "premise", "channel"}
    assert isinstance(calibrator, MakesTexts) == (calibrator.asks == "texts")
    assert isinstance(calibrator, HasPremise) == (calibrator.asks == "premise")
    assert (calibrator.least_rows == 0) == (calibrator.needs == "nothing")


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_read_only_where_that_is_declared(name):
    log_p, golds = sample()
    calibrator = CALIBRATORS.build(name, {})
    mine = calibrator.learn(log_p, golds)
    if calibrator.needs == "labelled rows":
        other = calibrator.learn(log_p, (golds + 1) % 3)
        assert any(not np.array_equal(mine[key], other[key]) for key in mine)
    else:
        blind = calibrator.learn(log_p)
        assert all(np.array_equal(mine[key], blind[key]) for key in mine)


@pytest.mark.parametrize("name", asking("rows"))
def test_too_few_rows_are_an_error_that_says_how_many_are_needed(name):
    calibrator = CALIBRATORS.build(name, {})
    if calibrator.needs == "nothing":
        assert calibrator.learn(np.zeros((0, 2))) == {}
        return
    log_p, golds = sample(n=calibrator.least_rows - 1)
    with pytest.raises(DataError, match=r"needs \d+ rows or more .* and has \d+; give more rows"):
        calibrator.learn(log_p, golds)


@pytest.mark.parametrize("name", asking("texts"))
def test_texts_depend_on_words_and_not_on_labels_or_order(name):
    rows = [Example(str(i), {"text": f"word{i} and more"}, "ab"[i % 2]) for i in range(12)]
    calibrator = CALIBRATORS.build(name, {})
    texts = calibrator.texts(rows, ("text",))
    blind = [Example(row.id, row.fields) for row in rows[::-1]]
    assert calibrator.texts(blind, ("text",)) == texts
    assert all(text.label is None for text in texts)
    assert len({text.id for text in texts}) == len(texts)
