"""What every verbalizer keeps to, whatever it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.errors import SpecError
from promptkit.types import Candidate, Evidence, Piece
from promptkit.verbalizers import VERBALIZERS
from promptkit.verbalizers.conclude import prediction_of

#: Every registered one as it is, and options under which the contract must hold too.
BUILT = [
    *((name, {}) for name in VERBALIZERS),
    ("words", {"pool_by": "mean"}),
    ("words", {"pool_by": "max", "normalize": "tokens"}),
]
LABELS = ("neg", "pos", 1, True)


def candidate(label, text="word"):
    return Candidate(label, (Piece(f" {text}"),))


def evidence_of(log_p):
    return Evidence("x", tuple(log_p), (1,) * len(log_p), (4,) * len(log_p))


# Whole numbers and their halves: sums stay exact, so a shifted tie is still a tie.
values = st.integers(-80, 0).map(lambda number: number / 2)
owners = st.lists(st.sampled_from(LABELS), max_size=6).map(lambda more: [*LABELS, *more])


@pytest.mark.parametrize(("name", "options"), BUILT)
@given(data=st.data(), labels=owners, shift=st.integers(-100, 100))
def test_a_constant_added_to_every_candidate_moves_no_argmax(name, options, data, labels, shift):
    log_p = data.draw(st.lists(values, min_size=len(labels), max_size=len(labels)))
    verbalizer = VERBALIZERS.build(name, options)
    candidates = [candidate(label) for label in labels]
    pooled = verbalizer.pool(evidence_of(log_p), candidates, LABELS)
    moved = verbalizer.pool(evidence_of([v + shift for v in log_p]), candidates, LABELS)
    assert pooled.shape == (len(LABELS),)
    assert pooled.dtype == np.float64
    assert np.allclose(moved, pooled + shift)
    assert np.isclose(pooled[np.argmax(moved)], pooled.max())


@pytest.mark.parametrize(("name", "options"), BUILT)
@given(data=st.data(), labels=owners)
def test_the_order_of_candidates_decides_nothing(name, options, data, labels):
    pairs = [(label, data.draw(values)) for label in labels]
    mixed = data.draw(st.permutations(pairs))
    verbalizer = VERBALIZERS.build(name, options)
    one, other = (
        verbalizer.pool(
            evidence_of([v for _, v in some]), [candidate(label) for label, _ in some], LABELS
        )
        for some in (pairs, mixed)
    )
    assert np.allclose(one, other)


@pytest.mark.parametrize(("name", "options"), BUILT)
@given(labels=st.permutations(LABELS))
def test_the_result_follows_the_order_of_labels_told_apart_by_type(name, options, labels):
    log_p = dict(zip(map(repr, LABELS), (-1.0, -2.0, -3.0, -4.0), strict=True))
    pooled = VERBALIZERS.build(name, options).pool(
        evidence_of(log_p.values()), [candidate(label) for label in LABELS], labels
    )
    assert pooled.tolist() == [log_p[repr(label)] for label in labels]


@pytest.mark.parametrize(("name", "options"), BUILT)
def test_evidence_is_not_changed_by_asking_twice(name, options):
    verbalizer = VERBALIZERS.build(name, options)
    evidence = evidence_of([-1.0, -2.0, -3.0, -0.5])
    candidates = [candidate(label) for label in LABELS]
    first = verbalizer.pool(evidence, candidates, LABELS).tolist()
    assert verbalizer.pool(evidence, candidates, LABELS).tolist() == first


@pytest.mark.parametrize(("name", "options"), BUILT)
def test_a_label_without_candidate_is_an_error(name, options):
    with pytest.raises(SpecError, match="label 'pos' has no candidate"):
        VERBALIZERS.build(name, options).pool(
            evidence_of([-1.0]), [candidate("neg")], ["neg", "pos"]
        )


@pytest.mark.parametrize(("name", "options"), BUILT)
@pytest.mark.parametrize("log_p", [(float("nan"), -1.0), ()])
def test_evidence_that_is_none_ends_unscored_and_not_in_a_guess(name, options, log_p):
    evidence = evidence_of(log_p)
    candidates = [candidate("neg"), candidate("pos")]
    pooled = VERBALIZERS.build(name, options).pool(evidence, candidates, ["neg", "pos"])
    assert pooled.shape == (2,)
    assert prediction_of(pooled, ["neg", "pos"], evidence).label is None


@pytest.mark.parametrize(("name", "options"), BUILT)
def test_a_word_that_cannot_be_said_is_less_than_any_that_can(name, options):
    evidence = evidence_of([float("-inf"), -700.0])
    candidates = [candidate("neg"), candidate("pos")]
    prediction = prediction_of(
        VERBALIZERS.build(name, options).pool(evidence, candidates, ["neg", "pos"]),
        ["neg", "pos"],
        evidence,
    )
    assert prediction.label == "pos"
    assert prediction.log_p == (float("-inf"), 0.0)
