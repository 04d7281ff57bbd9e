import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from promptkit.errors import DataError
from promptkit.metrics import compare, mcnemar
from promptkit.types import Prediction


def run(**labels: str | None) -> list[Prediction]:
    return [Prediction(name, label, None) for name, label in labels.items()]


def test_mcnemar_by_hand() -> None:
    # One against five: twice the chance of at most one head in six throws, 2 * (1 + 6) / 64.
    assert mcnemar(1, 5) == mcnemar(5, 1) == pytest.approx(14 / 64)


def test_mcnemar_of_equal_or_no_disagreement_is_one() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(4, 4) == 1.0


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_equals_scipys_exact_binomial(first: int, second: int) -> None:
    if first + second:
        expected = binomtest(first, first + second, 0.5).pvalue
        assert mcnemar(first, second) == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_rows_are_joined_by_id_whatever_their_order() -> None:
    golds = {"a": "x", "b": "x", "c": "y", "d": None}
    first = run(a="x", b="x", c="x", d="x", only_here="x")
    second = run(c="y", d="x", b="y", a="x")
    found = compare(golds, first, second)
    assert (found.n, found.n_left_out) == (3, 2)
    assert (found.only_first, found.only_second) == (1, 1)
    assert found.difference.value == 0.0
    assert found.p_value == 1.0


def test_the_difference_by_hand() -> None:
    golds = dict.fromkeys("abcd", "x")
    found = compare(golds, run(a="x", b="x", c="x", d="y"), run(a="x", b="y", c="y", d="y"))
    assert found.difference.value == pytest.approx(2 / 4)
    assert (found.difference.metric, found.difference.n) == ("accuracy_difference", 4)
    assert found.p_value == pytest.approx(0.5)


def test_the_interval_narrows_when_runs_agree_on_most_rows() -> None:
    names = [str(i) for i in range(200)]
    golds = dict.fromkeys(names, "x")
    first = [Prediction(name, "x" if i % 2 else "y", None) for i, name in enumerate(names)]
    second = [
        Prediction(n, "y" if i < 4 else p.label, None)
        for i, (n, p) in enumerate(zip(names, first, strict=True))
    ]
    score = compare(golds, first, second).difference
    assert score.low is not None
    assert score.high is not None
    # Two rows of 200 differ; unpaired, the interval of the difference would be 0.2 wide.
    assert score.value == pytest.approx(0.01)
    assert score.high - score.low < 0.04


def test_runs_that_agree_everywhere_do_not_differ() -> None:
    found = compare({"a": "x"}, run(a="x"), run(a="x"))
    assert (found.difference.low, found.difference.high) == (0.0, 0.0)


def test_an_unscored_row_is_wrong_and_counted() -> None:
    found = compare({"a": "x", "b": "x"}, run(a="x", b="x"), run(a="x", b=None))
    assert (found.only_first, found.difference.n_unscored) == (1, 1)


def test_true_is_not_one() -> None:
    found = compare({"a": 1}, [Prediction("a", True, None)], [Prediction("a", 1, None)])
    assert (found.only_first, found.only_second) == (0, 1)


def test_the_same_seed_gives_the_same_interval() -> None:
    golds = dict.fromkeys("abcd", "x")
    runs = run(a="x", b="x", c="x", d="y"), run(a="x", b="y", c="y", d="y")
    assert compare(golds, *runs, seed=1) == compare(golds, *runs, seed=1)


def test_no_resamples_leave_the_interval_empty() -> None:
    score = compare({"a": "x"}, run(a="x"), run(a="x"), resamples=0).difference
    assert (score.low, score.high) == (None, None)


def test_runs_without_a_common_row_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="no labelled row in common"):
        compare({"a": "x", "b": "x"}, run(a="x"), run(b="x"))


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(DataError, match="row 'a' occurs twice"):
        compare({"a": "x"}, [*run(a="x"), *run(a="y")], run(a="x"))
