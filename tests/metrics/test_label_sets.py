"""Sets of labels are scored as scikit-learn scores them, and unscored rows are never right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, jaccard_score

from promptkit.errors import DataError
from promptkit.metrics import evaluate_sets
from promptkit.types import Prediction

LABELS = ("a", "b", "c")


def said(*sets):
    return [Prediction(str(n), own, None) for n, own in enumerate(sets)]


def values(report):
    return {score.metric: score.value for score in report.scores}


def test_hand_computed():
    # hits: a 1, b 1; false alarms: c 1; misses: b 1
    report = evaluate_sets([("a", "b"), ("b",), ()], said(("a",), ("b", "c"), ()), LABELS)
    found = values(report)
    assert found["micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert found["exact_match"] == pytest.approx(1 / 3)
    assert found["jaccard"] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert [line.support for line in report.per_class] == [1, 2, 0]
    assert [one.example_id for one in report.worst] == ["0", "1"]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(*[st.sets(st.sampled_from(LABELS))] * 2), min_size=1, max_size=9))
def test_as_scikit_learn(rows):
    golds, own = ([tuple(sorted(pair[i])) for pair in rows] for i in (0, 1))
    found = values(evaluate_sets(golds, said(*own), LABELS, resamples=0))
    y, z = (np.array([[x in one for x in LABELS] for one in sets]) for sets in (golds, own))
    assert found["micro_f1"] == pytest.approx(f1_score(y, z, average="micro", zero_division=0))
    seen = [at for at in range(3) if y[:, at].any() or z[:, at].any()]
    if seen:
        macro = f1_score(y, z, average="macro", labels=seen, zero_division=0)
        assert found["macro_f1"] == pytest.approx(macro)
    overlap = jaccard_score(y, z, average="samples", zero_division=1)
    assert found["jaccard"] == pytest.approx(overlap)
    assert found["exact_match"] == pytest.approx(np.mean((y == z).all(1)))


def test_a_row_without_prediction_is_wrong_even_where_no_label_was_right():
    report = evaluate_sets([(), ()], said((), None), LABELS)
    assert values(report)["exact_match"] == values(report)["jaccard"] == 0.5
    assert report.n_unscored == 1


def test_the_baseline_is_the_best_set_of_train():
    train = [("a",), ("a", "b"), ("a", "c")]
    report = evaluate_sets([("a",), ("a",)], said(("b",), ("b",)), LABELS, train_labels=train)
    (baseline,) = report.baselines
    assert (baseline.metric, baseline.value) == ("set_of_train", 1.0)


def test_rows_without_a_gold_set_are_left_out_and_unknown_labels_are_refused():
    assert evaluate_sets([None, ("a",)], said(("a",), ("a",)), LABELS).n_unlabelled == 1
    with pytest.raises(DataError, match="'z' is none of the 3 labels"):
        evaluate_sets([("z",)], said(("a",)), LABELS)
    assert evaluate_sets([None], said(("a",)), LABELS).scores == ()
