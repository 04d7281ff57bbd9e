"""Calibrated prompting: where the prior comes from, and that evidence alone is enough."""

from dataclasses import replace

import numpy as np
import pytest

from promptkit.backends.fake import FakeBackend
from promptkit.calibration import CALIBRATORS
from promptkit.errors import CapabilityError, DataError, StoreError
from promptkit.prompts import find_template
from promptkit.selectors import SELECTORS
from promptkit.strategies.calibrated import MOST_ROWS, calibration_rows
from promptkit.strategies.in_context import InContext
from promptkit.types import Evidence, Example
from promptkit.verbalizers import VERBALIZERS

LABELS = ("negative", "neutral", "positive")
TRAIN = [Example(f"t{i}", {"text": f"training text {i}"}, LABELS[i % 3]) for i in range(30)]
ROWS = [Example(f"r{i}", {"text": f"some text {i}"}, None) for i in range(40)]


class Leaning(FakeBackend):
    """Likes one label three nats more than it should."""

    def score(self, prompts, candidates):
        lean = [3.0 if c.label == "negative" else 0.0 for c in candidates[0]] if candidates else []
        return [
            replace(found, log_p=tuple(np.add(found.log_p, lean)))
            for found in super().score(prompts, candidates)
        ]


def prompting(calibration="batch", shots=0, template="sentiment_zero_shot", **options):
    return InContext(
        find_template(template),
        Leaning(**options),
        SELECTORS.build("balanced" if shots else "none", {}),
        VERBALIZERS.build("words", {}),
        shots,
        calibrator=None if calibration is None else CALIBRATORS.build(calibration, {}),
        calibration=calibration or "none",
    )


def shares(predictions):
    found = [p.label for p in predictions]
    return [found.count(label) / len(found) for label in LABELS]


def test_a_lean_is_taken_off():
    assert shares(prompting(None).fit(TRAIN).predict(ROWS))[0] > 0.8
    assert max(shares(prompting().fit(TRAIN).predict(ROWS))) < 0.6
    assert max(shares(prompting().fit(()).predict(ROWS))) < 0.6


@pytest.mark.parametrize("shots", [0, 2])
def test_with_training_rows_a_prediction_does_not_depend_on_its_neighbours(shots):
    strategy = prompting(shots=shots).fit(TRAIN)
    together = strategy.predict(ROWS)
    assert [strategy.predict([row])[0] for row in ROWS] == together
    assert strategy.log_prior_


def test_labels_of_training_rows_are_not_read():
    blind = [Example(row.id, row.fields, None) for row in TRAIN]
    assert prompting().fit(blind).predict(ROWS) == prompting().fit(TRAIN).predict(ROWS)


def test_the_order_of_training_rows_does_not_matter():
    one, other = (prompting().fit(rows).predict(ROWS) for rows in (TRAIN, TRAIN[::-1]))
    for mine, theirs in zip(one, other, strict=True):
        assert mine.log_p == pytest.approx(theirs.log_p)


def test_evidence_carries_the_prior_so_that_no_model_is_needed_to_conclude():
    strategy = prompting().fit(TRAIN)
    evidence = strategy.gather(ROWS)
    assert {len(found.log_prior) for found in evidence} == {3}
    assert prompting().conclude(ROWS, evidence) == strategy.predict(ROWS)


def test_without_enough_training_rows_the_rows_concluded_together_are_the_batch():
    strategy = prompting().fit(TRAIN[:9])
    evidence = strategy.gather(ROWS)
    assert evidence[0].log_prior == ()
    assert prompting().conclude(ROWS, evidence) == strategy.predict(ROWS)
    assert strategy.predict([]) == []
    with pytest.raises(DataError, match="10 rows or more"):
        strategy.predict(ROWS[:9])


def test_a_row_without_evidence_stays_unscored_and_does_not_enter_the_batch():
    strategy = prompting().fit(())
    evidence = strategy.gather(ROWS)
    broken = [*evidence, Evidence("b", (), problem="too long"), Evidence("n", (np.nan, 0.0, 0.0))]
    rows = [*ROWS, Example("b", {"text": "x"}), Example("n", {"text": "y"})]
    found = strategy.conclude(rows, broken)
    assert found[:-2] == strategy.conclude(ROWS, evidence)
    assert [p.label for p in found[-2:]] == [None, None]
    assert found[-2].problem == "too long"


def test_the_kind_of_evidence_says_that_it_was_calibrated():
    assert prompting().fit(TRAIN).predict(ROWS[:1])[0].kind == "hash, batch calibration"


def test_none_as_a_calibrator_changes_no_probability():
    plain, none = (prompting(name).fit(TRAIN).predict(ROWS) for name in (None, "none"))
    assert [p.label for p in plain] == [p.label for p in none]
    assert plain[0].log_p == pytest.approx(none[0].log_p)


def test_rows_with_their_own_choices_have_no_prior():
    with pytest.raises(CapabilityError, match="its own choices; use --calibration none"):
        prompting(template="multiple_choice")


def test_the_prior_is_saved_and_taken_up_without_asking_the_model(tmp_path):
    strategy = prompting(shots=2).fit(TRAIN)
    strategy.save(tmp_path)
    again = prompting(shots=2).restore(tmp_path)
    assert again.cost.rows == 0
    assert again.predict(ROWS) == strategy.predict(ROWS)
    (tmp_path / "log_prior.safetensors").unlink()
    with pytest.raises(StoreError, match=r"log_prior.safetensors: cannot be read"):
        prompting(shots=2).restore(tmp_path)


def test_fitting_again_forgets_the_prior():
    strategy = prompting().fit(TRAIN)
    assert strategy.fit(()).log_prior_ == ()


def test_of_many_training_rows_some_are_drawn_whatever_their_order():
    many = [Example(str(i), {"text": str(i)}) for i in range(2 * MOST_ROWS)]
    drawn = calibration_rows(many)
    assert len(drawn) == MOST_ROWS
    assert calibration_rows(many[::-1]) == drawn
    assert calibration_rows(many[:9]) == []
