"""Why a row is worth a label, in words."""

import numpy as np
import pytest

from promptkit.runs.label_next.models import Asked
from promptkit.runs.label_next.reasons import between, reasons, stands_for, unlike

LABELS = ("bad", "good", "so-so")


@pytest.mark.parametrize(
    ("p", "told"),
    [
        ((0.46, 0.06, 0.48), "between so-so and bad (0.48 / 0.46)"),
        ((0.95, 0.03, 0.02), ""),
        ((0.75, 0.2, 0.05), "between bad and good (0.75 / 0.20)"),
    ],
)
def test_a_model_wavers_between_two_labels_or_does_not(p, told):
    assert between(np.array(p), LABELS, str) == told


def test_of_many_labels_none_may_be_probable():
    p = np.array([0.3, *[0.1] * 7])
    assert between(p, list("abcdefgh"), str) == "perhaps a (0.30)"


def test_each_row_of_the_pool_is_nearest_to_one_of_the_chosen():
    vectors = np.array([[1.0, 0], [0.9, 0.1], [0.8, 0.2], [0, 1.0], [0.1, 0.9]])
    assert stands_for(vectors, np.array([0, 3])) == [3, 2]


def test_the_tenth_that_is_least_like_labelled_rows_is_called_so():
    vectors = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 1, 20)])
    strange = unlike(vectors, vectors[:1])
    assert np.flatnonzero(strange).tolist() == [18, 19]
    assert not unlike(vectors, vectors[:0]).any()


def test_votes_of_a_committee_are_told_where_they_differ():
    class Silent:
        cost = None

    p, q = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.2, 0.8], [0.3, 0.7]])
    members = [Asked("features", Silent(), p), Asked("tfidf", Silent(), q)]
    told = reasons(np.array([0, 1]), members[0], members, ("bad", "good"), str,
                   np.eye(2), np.eye(2)[:0])  # fmt: skip
    assert told == ["features: bad, words alone: good", "unlike the others"]
