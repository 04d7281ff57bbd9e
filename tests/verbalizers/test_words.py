import math

import numpy as np
import pytest

from promptkit.errors import CapabilityError, SpecError
from promptkit.types import Candidate, Evidence, Piece
from promptkit.verbalizers import VERBALIZERS
from promptkit.verbalizers.words import WordsVerbalizer

NAN, INF = float("nan"), float("inf")


def candidates(*labels):
    return [Candidate(label, (Piece(" word"),)) for label in labels]


def pool(log_p, labels, order, n_tokens=(), n_bytes=(), **options):
    evidence = Evidence("x", tuple(log_p), tuple(n_tokens), tuple(n_bytes))
    return WordsVerbalizer(**options).pool(evidence, candidates(*labels), order).tolist()


GOOD, GREAT, BAD = math.log(0.2), math.log(0.1), math.log(0.25)


@pytest.mark.parametrize(
    ("pool_by", "positive"),
    [
        ("sum", math.log(0.3)),  # 0.2 + 0.1
        ("mean", math.log(math.sqrt(0.02))),  # the geometric mean of 0.2 and 0.1
        ("max", math.log(0.2)),
    ],
)
def test_the_words_of_one_label_are_pooled(pool_by, positive):
    pooled = pool([GOOD, BAD, GREAT], ["pos", "neg", "pos"], ["neg", "pos"], pool_by=pool_by)
    assert pooled == pytest.approx([BAD, positive])


@pytest.mark.parametrize("pool_by", ["sum", "mean", "max"])
def test_one_word_a_label_is_left_as_it_is(pool_by):
    assert pool([-3.25, -1.5], "ab", "ab", pool_by=pool_by) == [-3.25, -1.5]


@pytest.mark.parametrize(("normalize", "expected"), [("tokens", -2.0), ("bytes", -0.5)])
def test_lengths_divide_before_pooling(normalize, expected):
    pooled = pool([-6.0, -4.0], "ab", "ab", (3, 1), (12, 4), normalize=normalize)
    assert pooled[0] == expected
    # exp(-6/3) + exp(-4/1), not exp(-(6 + 4) / (3 + 1))
    both = pool([-6.0, -4.0], "aa", "a", (3, 1), (12, 4), normalize="tokens")
    assert both == pytest.approx([math.log(math.exp(-2) + math.exp(-4))])


def test_very_small_probabilities_do_not_vanish():
    assert pool([-1000.0, -1000.0], "aa", "a") == pytest.approx([-1000 + math.log(2)])
    assert pool([1000.0, 1000.0], "aa", "a") == pytest.approx([1000 + math.log(2)])


@pytest.mark.parametrize(
    ("pool_by", "expected"), [("sum", [-1.0, -INF]), ("mean", [-INF, -INF]), ("max", [-1.0, -INF])]
)
def test_what_cannot_be_said_is_minus_infinity(pool_by, expected):
    assert pool([-1.0, -INF, -INF, -INF], "aabb", "ab", pool_by=pool_by) == expected


@pytest.mark.parametrize("pool_by", ["sum", "mean", "max"])
def test_nan_stays_nan_for_its_label_alone(pool_by):
    pooled = pool([NAN, -1.0, -2.0], "aab", "ab", pool_by=pool_by)
    assert math.isnan(pooled[0])
    assert pooled[1] == -2.0


def test_no_evidence_is_nan_for_every_label():
    assert np.isnan(pool([], "ab", "ab")).all()


def test_zero_false_and_the_empty_text_are_labels():
    labels = [0, False, "", 1, True]
    assert pool([-1, -2, -3, -4, -5], labels, labels[::-1]) == [-5, -4, -3, -2, -1]


def test_a_candidate_of_no_label_is_an_error_that_names_the_nearest():
    with pytest.raises(SpecError, match=r"'positiv'.*did you mean 'positive'"):
        pool([-1.0, -2.0], ["positiv", "negative"], ["negative", "positive"])


def test_a_label_may_not_take_the_candidate_of_one_that_only_equals_it():
    with pytest.raises(SpecError, match="True"):
        pool([-1.0], [True], [1])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"pool_by": "summ"}, "'pool_by'.*did you mean 'sum'"),
        ({"normalize": "token"}, "'normalize'.*did you mean 'tokens'"),
        ({"normalise": "bytes"}, "did you mean 'normalize'"),
    ],
)
def test_a_wrong_option_names_the_nearest_when_it_is_built(options, match):
    with pytest.raises(SpecError, match=match):
        VERBALIZERS.build("words", options)


def test_arguments_are_kept_as_they_are():
    verbalizer = WordsVerbalizer("max", "bytes")
    assert (verbalizer.pool_by, verbalizer.normalize) == ("max", "bytes")


def test_lengths_that_the_backend_does_not_give_cannot_be_divided_by():
    with pytest.raises(CapabilityError, match="how many tokens"):
        pool([-1.0], "a", "a", normalize="tokens")


def test_an_empty_candidate_has_no_length_to_divide_by():
    with pytest.raises(SpecError, match="'a' has no bytes"):
        pool([-1.0], "a", "a", (1,), (0,), normalize="bytes")


def test_evidence_for_other_candidates_is_a_bug():
    with pytest.raises(ValueError, match="2 values of evidence for 1"):
        pool([-1.0, -2.0], "a", "a")
