"""Batch calibration in `PromptClassifier`."""

import numpy as np
import pytest

from promptkit import PromptClassifier
from promptkit.errors import DataError

TEXTS = [f"a text about {i}" for i in range(24)]
LABELS = ["negative", "neutral", "positive"] * 8


def classifier(**options):
    return PromptClassifier(backend="fake", calibration="batch", **options)


@pytest.mark.parametrize("y", [None, LABELS])
def test_the_rows_of_the_fit_are_calibrated_on_whether_they_have_labels_or_not(y):
    model = classifier().fit(TEXTS, y)
    together = model.predict_proba(TEXTS[:5])
    alone = np.vstack([model.predict_proba([text]) for text in TEXTS[:5]])
    assert alone == pytest.approx(together)
    assert together.sum(axis=1) == pytest.approx(np.ones(5))
    plain = PromptClassifier(backend="fake").fit(TEXTS)
    assert np.abs(model.predict_proba(TEXTS) - plain.predict_proba(TEXTS)).max() > 0.01


def test_without_rows_to_fit_on_those_predicted_together_are_the_batch():
    model = classifier().fit()
    assert model.predict_proba(TEXTS).mean(axis=0) == pytest.approx(np.full(3, 1 / 3), abs=0.05)
    with pytest.raises(DataError, match="10 rows or more"):
        model.predict(TEXTS[:3])


def test_demonstrations_and_calibration_go_together():
    model = classifier(shots=2).fit(TEXTS, LABELS)
    assert set(model.predict(TEXTS)) <= set(LABELS)
