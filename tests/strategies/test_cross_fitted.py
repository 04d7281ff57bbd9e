"""Each training row is answered by a model that saw neither it nor a copy of it."""

from dataclasses import replace

import pytest

from promptkit.errors import DataError, StoreError
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.cross_fitted import CrossFitted
from promptkit.strategies.reading import Reading
from promptkit.types import Example
from tests.learner import Learner

LABELS = ("a", "b")
ROWS = [Example(f"t{i}", {"text": f"word{i} {LABELS[i % 2]}{i % 3}"}, LABELS[i % 2])
        for i in range(20)]  # fmt: skip


class Watched(Learner):
    """Remembers the rows of its fit."""

    def fit(self, train, context=NO_CONTEXT):
        self.saw = {row.id for row in train}
        return super().fit(train, context)


def fitted(rows=ROWS, **options):
    made = CrossFitted(lambda: Watched(LABELS, Reading(("text",))), **options)
    return made.fit(rows)


def test_no_row_is_answered_by_a_model_that_saw_it():
    found = fitted()
    assert len(found.fitted_) == 5
    for row in ROWS:
        assert row.id not in found.fitted_[found.fold_of(row)].saw
    assert all(len(one.saw) == 16 for one in found.fitted_)


def test_what_is_answered_is_what_that_model_answers():
    found = fitted()
    together = found.predict(ROWS)
    assert [p.example_id for p in together] == [row.id for row in ROWS]
    for row, prediction in zip(ROWS, together, strict=True):
        (alone,) = found.fitted_[found.fold_of(row)].predict([row])
        assert alone == prediction


def test_copies_of_a_text_share_a_fold_whatever_their_labels():
    copies = [
        Example(f"copy of {row.id}", {"text": row.fields["text"].upper()}, "a") for row in ROWS[:8]
    ]
    found = fitted([*ROWS, *copies])
    for row in (*ROWS, *copies):
        saw = found.fitted_[found.fold_of(row)].saw
        assert not saw & {row.id, row.id.removeprefix("copy of "), f"copy of {row.id}"}


def test_each_label_has_its_share_in_every_fold():
    found = fitted()
    for fold in range(5):
        own = [row.label for row in ROWS if found.fold_of(row) == fold]
        assert sorted(own) == ["a", "a", "b", "b"]


def test_the_order_of_the_rows_decides_nothing_and_the_seed_does():
    folds = [fitted().fold_of(row) for row in ROWS]
    backwards = fitted(ROWS[::-1])
    assert [backwards.fold_of(row) for row in ROWS] == folds
    other = fitted(seed=1)
    assert [other.fold_of(row) for row in ROWS] != folds


def test_a_row_that_no_model_saw_is_answered_by_one_that_its_text_decides():
    found = fitted()
    new = Example("new", {"text": "something else"})
    assert found.fold_of(new) == found.fold_of(replace(new, id="other"))
    assert found.predict([new])[0].label in LABELS


def test_fewer_texts_than_folds_are_fewer_folds():
    assert len(fitted(ROWS[:3]).fitted_) == 3
    with pytest.raises(DataError, match="2 training rows of 1 different"):
        fitted([ROWS[0], replace(ROWS[0], id="again")])
    with pytest.raises(DataError, match="has no label"):
        fitted([ROWS[0], replace(ROWS[1], label=None)])


def test_what_was_learned_can_be_kept_and_taken_up_again(tmp_path):
    found = fitted()
    found.save(tmp_path)
    again = CrossFitted(lambda: Learner(LABELS, Reading(("text",)))).restore(tmp_path)
    assert again.predict(ROWS) == found.predict(ROWS)
    (tmp_path / "folds.json").write_text("{")
    with pytest.raises(StoreError, match=r"folds\.json"):
        again.restore(tmp_path)


def test_cost_and_progress_are_those_of_all_fits(tmp_path):
    steps = []
    found = CrossFitted(lambda: Learner(LABELS, Reading(("text",))))
    found.fit(ROWS, FitContext(tmp_path, steps.append))
    assert found.cost.trained_parameters == sum(2 * len(one.counts_) for one in found.fitted_)
    assert [(step.done, step.total) for step in steps] == [(i + 1, 80) for i in range(80)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"part-{i}" for i in range(5)]
    before = found.cost
    found.predict(ROWS[:7])
    assert (found.cost - before).rows == 7


def test_its_description_holds_that_of_the_strategy():
    told = fitted(folds=3).describe()
    assert (told["name"], told["folds"], told["strategy"]["name"]) == ("cross_fitted", 3, "learner")
