"""Contextual, domain-context and PMI calibration, by hand."""

import numpy as np
import pytest

from promptkit.calibration.contextual import ContextualCalibration
from promptkit.calibration.domain import DomainCalibration
from promptkit.calibration.pmi import PMICalibration
from promptkit.errors import DataError, SpecError
from promptkit.types import Example


@pytest.mark.parametrize("calibrator", [ContextualCalibration(), DomainCalibration()])
def test_the_mean_over_texts_without_content_is_divided_out(calibrator):
    # 0.8 and 0.6 on two such texts: the mean is 0.7 to 0.3
    learned = calibrator.learn(np.log([[0.8, 0.2], [0.6, 0.4]]))
    found = np.exp(calibrator.apply(np.log([[0.7, 0.3], [0.6, 0.4]]), learned))
    assert found[0] == pytest.approx([0.5, 0.5])
    assert found[1] == pytest.approx([0.6 / 0.7 / (0.6 / 0.7 + 0.4 / 0.3), 1 - found[1, 0]])


def test_pmi_divides_by_what_is_answered_behind_the_premise():
    # Holtzman et al. (2021): log P(y | x) - log P(y | premise). 0.5 against a premise of 0.8 loses
    # to 0.5 against 0.2, by 0.2 to 0.8.
    pmi = PMICalibration()
    found = np.exp(pmi.apply(np.log([[0.5, 0.5]]), pmi.learn(np.log([[0.8, 0.2]]))))
    assert found[0] == pytest.approx([0.2, 0.8])


def test_content_free_texts_stand_in_every_field():
    texts = ContextualCalibration(["N/A", "-"]).texts((), ("premise", "hypothesis"))
    assert [row.fields for row in texts] == [
        {"premise": "N/A", "hypothesis": "N/A"},
        {"premise": "-", "hypothesis": "-"},
    ]
    with pytest.raises(SpecError, match="content_free is a list of texts, got 'N/A'"):
        ContextualCalibration("N/A")


def test_random_texts_are_made_of_the_rows_words_and_as_long_as_a_row():
    rows = [
        Example("a", {"text": "red apples taste", "note": "x"}),
        Example("b", {"text": "tea", "note": "y"}),
    ]
    texts = DomainCalibration(n_texts=50).texts(rows, ("text", "note"))
    assert len(texts) == 50
    assert {len(row.fields["text"].split()) for row in texts} == {2}  # 4 words in 2 rows
    assert {word for row in texts for word in row.fields["text"].split()} == {
        "red", "apples", "taste", "tea",
    }  # fmt: skip
    assert {row.fields["note"] for row in texts} == {"x", "y"}


def test_another_seed_draws_other_texts():
    rows = [Example("a", {"text": "one two three four five six seven"})]
    drawn = [DomainCalibration(seed=seed).texts(rows, ("text",)) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_rows_without_a_word_are_refused():
    with pytest.raises(DataError, match="there are none; give rows"):
        DomainCalibration().texts([Example("a", {"text": " "})], ("text",))
