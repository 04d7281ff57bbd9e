"""The in-box encoder on whole test splits of public data, zero-shot."""

import pytest

from promptkit.runs import EvalSpec, build, run
from tests.conftest import REFERENCE


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference data beside this checkout")
@pytest.mark.parametrize(
    ("template", "data", "rows", "bar"),
    [
        ("movie_sentiment_zero_shot", "sst2", 1821, 0.73),
        ("intent_zero_shot", "banking77", 3080, 0.62),
        ("tweet_sentiment_zero_shot", "tweet_sentiment", 12284, 0.50),
        ("question_type_zero_shot", "trec", 500, 0.70),
    ],
)
def test_zero_shot_accuracy(template, data, rows, bar):
    record = run(build(EvalSpec(template=template, data=str(REFERENCE / data))))
    accuracy = record.report.find("accuracy")
    assert accuracy.n == rows
    assert accuracy.n_unscored == 0
    assert accuracy.value >= bar
