from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from promptkit.metrics.probability import columns, metrics_of, probabilities_of
from promptkit.metrics.rows import read_rows
from promptkit.types import Prediction


def logs(*p: float) -> tuple[float, ...]:
    return tuple(log(one) if one else -np.inf for one in p)


def metrics(
    golds: list[str], probabilities: list[tuple[float, ...]], labels: tuple[str, ...]
) -> dict[str, float]:
    predictions = [
        Prediction(str(i), labels[int(np.argmax(p))], logs(*p)) for i, p in enumerate(probabilities)
    ]
    found = probabilities_of(read_rows(golds, predictions, labels))
    return {name: float(v) for name, v in metrics_of(columns(found).mean(axis=0)).items()}


def test_ece_by_hand() -> None:
    # Bins of 1/15: 0.95 and 0.94 share the last one, 0.6 is alone in the ninth.
    found = metrics(["x", "y", "x"], [(0.95, 0.05), (0.94, 0.06), (0.4, 0.6)], ("x", "y"))
    last = 2 / 3 * abs(1 / 2 - (0.95 + 0.94) / 2)
    ninth = 1 / 3 * abs(0 - 0.6)
    assert found["ece"] == pytest.approx(last + ninth)


def test_over_and_underconfidence_cancel_within_a_bin_but_not_across_bins() -> None:
    within = metrics(["x", "y"], [(0.97, 0.03), (0.95, 0.05)], ("x", "y"))
    across = metrics(["x", "y"], [(0.97, 0.03), (0.75, 0.25)], ("x", "y"))
    assert within["ece"] == pytest.approx(0.96 - 0.5)
    assert across["ece"] == pytest.approx((0.03 + 0.75) / 2)


@pytest.mark.parametrize("upper", range(5, 16))
def test_a_confidence_on_a_bin_border_belongs_to_the_lower_bin(upper: int) -> None:
    p = upper / 15
    rest = (1 - p) / 4
    predictions = [Prediction("a", "v", logs(p, rest, rest, rest, rest))]
    found = probabilities_of(read_rows(["v"], predictions, tuple("vwxyz")))
    assert found.bins.tolist() == [upper - 1]


def test_brier_sums_over_the_labels_by_hand() -> None:
    found = metrics(["x"], [(0.5, 0.3, 0.2)], ("x", "y", "z"))
    assert found["brier"] == pytest.approx(0.25 + 0.09 + 0.04)


def test_brier_of_a_certain_mistake_is_two() -> None:
    assert metrics(["x"], [(0.0, 1.0)], ("x", "y"))["brier"] == pytest.approx(2.0)


def test_log_loss_by_hand_is_in_nats() -> None:
    found = metrics(["x", "y"], [(0.5, 0.5), (0.8, 0.2)], ("x", "y"))
    assert found["log_loss"] == pytest.approx((log(2) + log(5)) / 2)


def test_log_loss_of_a_certain_mistake_is_large_but_finite() -> None:
    assert metrics(["x"], [(0.0, 1.0)], ("x", "y"))["log_loss"] == pytest.approx(52 * log(2))


@given(
    st.lists(
        st.tuples(st.sampled_from("xyz"), st.tuples(*[st.floats(0.01, 1)] * 3)),
        min_size=1,
        max_size=20,
    )
)
def test_log_loss_equals_scikit_learn(rows: list[tuple[str, tuple[float, ...]]]) -> None:
    golds = [gold for gold, _ in rows]
    p = [tuple(one / sum(raw) for one in raw) for _, raw in rows]
    found = metrics(golds, p, ("x", "y", "z"))
    assert found["log_loss"] == pytest.approx(log_loss(golds, p, labels=["x", "y", "z"]))


def test_rows_with_different_numbers_of_choices_stand_side_by_side() -> None:
    predictions = [Prediction("a", 0, logs(0.5, 0.5)), Prediction("b", 2, logs(0.2, 0.2, 0.6))]
    found = probabilities_of(read_rows([0, 2], predictions, ()))
    assert found.brier == pytest.approx([0.5, 0.04 + 0.04 + 0.16])
    assert found.confidence == pytest.approx([0.5, 0.6])


def test_rows_without_prediction_or_probabilities_are_left_out() -> None:
    predictions = [
        Prediction("unscored", None, logs(0.5, 0.5)),
        Prediction("generated", "x", None),
        Prediction("not a number", "x", (float("nan"), 0.0)),
        Prediction("good", "x", logs(0.9, 0.1)),
    ]
    found = probabilities_of(read_rows(["x"] * 4, predictions, ("x", "y")))
    assert found.row.tolist() == [3]


def test_probabilities_that_do_not_sum_to_one_are_a_bug() -> None:
    predictions = [Prediction("a", "x", (-0.1, -0.1))]
    with pytest.raises(ValueError, match=r"row 'a': probabilities sum to 1\.81"):
        probabilities_of(read_rows(["x"], predictions, ("x", "y")))
