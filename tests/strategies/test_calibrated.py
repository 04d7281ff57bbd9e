"""Calibrated prompting: where the prior comes from, and that evidence alone is enough."""

from dataclasses import replace

import numpy as np
import pytest

from promptkit.backends.fake import FakeBackend
from promptkit.calibration import CALIBRATORS
from promptkit.errors import CapabilityError, DataError, SpecError, StoreError
from promptkit.prompts import find_template
from promptkit.protocols import FitContext
from promptkit.selectors import SELECTORS
from promptkit.selectors.copies import copy_key
from promptkit.strategies.calibrated import MOST_ROWS, Calibration, drawn
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


def prompting(
    calibration="batch", shots=0, template="sentiment_zero_shot", rows="auto", own=None, **options
):
    own = own or {}
    return InContext(
        find_template(template),
        Leaning(**options),
        SELECTORS.build("balanced" if shots else "none", {}),
        VERBALIZERS.build("words", {}),
        shots,
        calibration and Calibration(calibration, CALIBRATORS.build(calibration, own), own, rows),
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
    assert set(strategy.learned_) == {"log_prior"}


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
    assert {len(found.calibrated) for found in evidence} == {3}
    assert prompting().conclude(ROWS, evidence) == strategy.predict(ROWS)


def test_without_enough_training_rows_the_rows_concluded_together_are_the_batch():
    strategy = prompting().fit(TRAIN[:9])
    evidence = strategy.gather(ROWS)
    assert evidence[0].calibrated == ()
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
    (tmp_path / "calibration.safetensors").write_bytes(b"broken")
    with pytest.raises(StoreError, match=r"calibration.safetensors: cannot be read"):
        prompting(shots=2).restore(tmp_path)


def test_fitting_again_forgets_what_was_learned():
    strategy = prompting().fit(TRAIN)
    assert strategy.fit(()).learned_ is None


def test_of_many_training_rows_some_are_drawn_whatever_their_order():
    many = [Example(str(i), {"text": str(i)}) for i in range(2 * MOST_ROWS)]
    chosen = drawn(many, MOST_ROWS)
    assert len(chosen) == MOST_ROWS
    assert drawn(many[::-1], MOST_ROWS) == chosen
    assert Calibration("batch", CALIBRATORS.build("batch", {}), {}).chosen(many[:9]) is None


def test_the_evaluated_rows_can_be_asked_for_although_there_are_training_rows():
    asked = prompting(rows="evaluated").fit(TRAIN)
    assert asked.predict(ROWS) == prompting().fit(()).predict(ROWS)
    assert asked.predict(ROWS) != prompting().fit(TRAIN).predict(ROWS)


def test_rows_of_a_file_are_learned_from_instead_of_the_training_rows():
    mine = tuple(Example(f"f{i}", {"text": f"other text {i}"}) for i in range(20))
    given = Calibration("batch", CALIBRATORS.build("batch", {}), {}, "more.csv", mine)
    assert given.chosen(TRAIN) == drawn(mine, MOST_ROWS)
    assert given.described() == {"calibration": "batch", "calibration_rows": "more.csv"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("temperature", "reads labels"),
        ("isotonic", "reads labels"),
        ("contextual", "learns from no rows"),
        ("domain", "has to ask about other texts"),
    ],
)
def test_what_cannot_learn_from_evaluated_rows_says_why(name, why):
    with pytest.raises(SpecError, match=f"evaluated: calibration '{name}' {why}"):
        prompting(name, rows="evaluated")


@pytest.mark.parametrize("name", ["temperature", "platt", "isotonic"])
def test_what_reads_labels_never_reads_those_of_evaluated_rows(name):
    calibrator = CALIBRATORS.build(name, {})
    barred = frozenset(copy_key(row) for row in TRAIN)
    shouted = [
        Example(f"c{i}", {"text": row.fields["text"].upper()}, "negative")
        for i, row in enumerate(TRAIN)
    ]
    with pytest.raises(DataError, match="that are not evaluated, and has 0; give more with --tr"):
        Calibration(name, calibrator, {}, barred=barred).chosen([*TRAIN, *shouted])


@pytest.mark.parametrize("name", ["temperature", "platt", "isotonic"])
def test_what_reads_labels_learns_from_training_rows_alone(name):
    strategy = prompting(name).fit(TRAIN)
    alone = [strategy.predict([row])[0] for row in ROWS]
    assert alone == strategy.predict(ROWS)
    with pytest.raises(DataError, match="learns from labelled rows"):
        prompting(name).fit([Example(row.id, row.fields) for row in TRAIN])


def test_temperature_changes_no_prediction():
    plain, scaled = (prompting(name).fit(TRAIN).predict(ROWS) for name in (None, "temperature"))
    assert [p.label for p in plain] == [p.label for p in scaled]
    assert plain[0].log_p != scaled[0].log_p


@pytest.mark.parametrize(("name", "n"), [("contextual", 3), ("domain", 20), ("pmi", 1)])
def test_further_prompts_are_asked_once_and_counted(name, n):
    strategy = prompting(name).fit(TRAIN)
    assert strategy.cost.rows == n
    evidence = strategy.gather(ROWS)
    assert strategy.cost.rows == len(ROWS) + n
    assert prompting(name).conclude(ROWS, evidence) == strategy.predict(ROWS)


@pytest.mark.parametrize("name", ["contextual", "pmi"])
def test_a_lean_shows_without_any_row(name):
    assert max(shares(prompting(name).fit(()).predict(ROWS))) < 0.7


def test_a_fit_that_goes_on_does_not_ask_again(tmp_path):
    first = prompting("contextual").fit((), FitContext(tmp_path))
    again = prompting("contextual").fit((), FitContext(tmp_path))
    assert again.cost.rows == 0
    assert again.predict(ROWS) == first.predict(ROWS)
