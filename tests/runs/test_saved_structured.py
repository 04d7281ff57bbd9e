"""A saved model of several labels, a rating or tags reads its rows as they were learned from."""

import pytest

from promptkit.runs.build import build
from promptkit.runs.spec import EvalSpec
from tests.cli.conftest import promptkit  # noqa: F401


@pytest.fixture
def tuned(promptkit, home):  # noqa: F811
    """Saves TF-IDF for a template and rows of a CSV."""

    def tune(template, rows):
        (home / "rows.csv").write_text(f"text,label\n{rows}")
        status, _, err = promptkit(
            "tune", "--strategy", "tfidf", "-t", template, "--data", "rows.csv", "--output", "kept"
        )
        assert status == 0, err
        return build(EvalSpec(model="kept", data="rows.csv"))

    return tune


def test_a_cell_with_several_labels_and_an_empty_one_are_sets(tuned):
    trial = tuned("feedback_topics", "Late and dear.,price; delivery\nFine.,\nSolid.,quality\n")
    assert trial.golds == (("price", "delivery"), (), ("quality",))


def test_a_rating_in_a_text_file_is_a_number(tuned):
    trial = tuned("star_rating", "Bad.,1\nGood.,4.5\nBest.,5\nSo so.,3\n")
    assert trial.golds == (1, 4.5, 5, 3)
