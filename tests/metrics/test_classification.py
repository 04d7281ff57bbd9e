import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from promptkit.metrics.classification import (
    accuracy,
    balanced_accuracy,
    confusion_of,
    macro_f1,
    margins_of,
    per_class,
)
from promptkit.metrics.rows import read_rows
from promptkit.types import Prediction

LABELS = ("a", "b", "c", "d")


def confusion(golds: list[str], predicted: list[str | None]) -> np.ndarray:
    predictions = [Prediction(str(i), label, None) for i, label in enumerate(predicted)]
    return confusion_of(read_rows(golds, predictions, LABELS), len(LABELS))


rows = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1)


@given(rows)
def test_equals_scikit_learn_on_scored_rows(pairs: list[tuple[str, str]]) -> None:
    golds, predicted = [gold for gold, _ in pairs], [label for _, label in pairs]
    counts = confusion(golds, list(predicted))
    margins = margins_of(counts)
    occurring = sorted({*golds, *predicted})
    expected_f1 = f1_score(golds, predicted, average="macro", labels=occurring, zero_division=0)
    # scikit-learn warns about predicted labels without support, and leaves them out as we do.
    with np.testing.suppress_warnings() as quiet:
        quiet.filter(UserWarning)
        expected_balanced = balanced_accuracy_score(golds, predicted)
    assert accuracy(margins) == pytest.approx(accuracy_score(golds, predicted))
    assert balanced_accuracy(margins) == pytest.approx(expected_balanced)
    assert macro_f1(margins) == pytest.approx(expected_f1)
    assert (counts[:, :-1] == confusion_matrix(golds, predicted, labels=LABELS)).all()


@given(rows)
def test_per_class_equals_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    golds, predicted = [gold for gold, _ in pairs], [label for _, label in pairs]
    lines = per_class(margins_of(confusion(golds, list(predicted))), LABELS)
    expected = precision_recall_fscore_support(golds, predicted, labels=LABELS, zero_division=0)
    ours = [(line.precision, line.recall, line.f1, line.support) for line in lines]
    assert np.allclose(np.array(ours).T, np.array(expected))


def test_unscored_rows_lower_recall_and_f1_but_not_precision() -> None:
    # a: 4 rows, 2 right, 1 called b, 1 unscored; b: 1 row, right.
    margins = margins_of(confusion(["a", "a", "a", "a", "b"], ["a", "a", "b", None, "b"]))
    a, b = per_class(margins, LABELS)[:2]
    assert (a.precision, a.recall, a.f1) == (1.0, 0.5, 4 / 6)
    assert (b.precision, b.recall, b.f1) == (0.5, 1.0, 2 / 3)
    assert (a.support, a.predicted, b.support, b.predicted) == (4, 2, 1, 2)
    assert accuracy(margins) == pytest.approx(3 / 5)
    assert balanced_accuracy(margins) == pytest.approx(0.75)
    assert macro_f1(margins) == pytest.approx(2 / 3)


def test_the_last_column_holds_the_unscored_rows() -> None:
    assert confusion(["a", "b"], [None, "a"])[:2].tolist() == [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0]]


def test_a_label_that_occurs_nowhere_does_not_lower_macro_f1() -> None:
    assert macro_f1(margins_of(confusion(["a", "b"], ["a", "b"]))) == 1.0


def test_a_label_that_is_only_predicted_lowers_macro_f1_but_not_balanced_accuracy() -> None:
    margins = margins_of(confusion(["a", "a"], ["a", "c"]))
    assert macro_f1(margins) == pytest.approx((2 / 3 + 0) / 2)
    assert balanced_accuracy(margins) == 0.5


def test_nothing_right_gives_zeros_without_a_warning() -> None:
    margins = margins_of(confusion(["a", "b"], [None, None]))
    assert (accuracy(margins), balanced_accuracy(margins), macro_f1(margins)) == (0, 0, 0)
    assert all(line.precision == line.recall == line.f1 == 0 for line in per_class(margins, LABELS))
