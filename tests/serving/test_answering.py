"""One row that cannot be answered does not spoil the others."""

from promptkit.errors import BackendError, DataError
from promptkit.serving.answering import Unanswered, outcomes, where
from promptkit.types import Example, Prediction


class Fussy:
    """Refuses batches with certain texts in them."""

    def __init__(self, errors):
        self.errors, self.calls = errors, 0

    def predict(self, examples):
        self.calls += 1
        for row in examples:
            if row.fields["text"] in self.errors:
                raise self.errors[row.fields["text"]]
        return [Prediction(row.id, "good", (0.0,)) for row in examples]


def rows(*texts):
    return [Example(f"id-{text}", {"text": text}) for text in texts]


def test_the_rows_beside_a_bad_one_are_answered_and_in_their_order():
    bugs = []
    fussy = Fussy({"x": DataError("row 'id-x': its choices\nmust be different")})
    found = outcomes(fussy, rows("a", "b", "x", "c", "d", "e"), lambda *told: bugs.append(told))
    assert found[2] == Unanswered("its choices must be different")
    assert [one.example_id for one in found if one is not found[2]] == [
        "id-a", "id-b", "id-c", "id-d", "id-e",
    ]  # fmt: skip
    assert not bugs


def test_one_bad_row_of_many_costs_few_calls():
    fussy = Fussy({"x": DataError("no")})
    outcomes(fussy, rows(*map(str, range(63)), "x"), lambda *told: None)
    assert fussy.calls <= 2 * 6 + 1


def test_a_bug_is_told_without_its_message_which_may_hold_another_rows_text():
    bugs = []
    fussy = Fussy({"x": RuntimeError("secret of another row")})
    found = outcomes(fussy, rows("a", "x"), lambda *told: bugs.append(told))
    assert found[1] == Unanswered("the model failed on this row (RuntimeError)", bug=True)
    ((error, n),) = bugs
    assert n == 1
    assert "secret" not in where(error)
    assert "test_answering.py" in where(error)


def test_a_server_that_is_down_is_not_found_out_row_by_row():
    fussy = Fussy({"x": BackendError("no connection", retryable=True)})
    found = outcomes(fussy, rows("a", "x", "b", "c"), lambda *told: None)
    assert fussy.calls == 1
    down = Unanswered("no connection", retryable=True, cause="BackendError")
    assert found == [down] * 4
    lasting = Fussy({"x": BackendError("this text is refused")})
    assert sum(isinstance(one, Unanswered) for one in outcomes(lasting, rows("a", "x"), print)) == 1


def test_a_model_that_gives_too_few_answers_is_a_bug():
    class Short:
        def predict(self, examples):
            return []

    bugs = []
    found = outcomes(Short(), rows("a", "b"), lambda *told: bugs.append(told))
    assert all(one.bug for one in found)
    assert len(bugs) == 2
