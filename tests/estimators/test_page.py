"""docs/sklearn.md shows the suite as `bench/sklearn_checks.py` found it, and its code is right."""

import re
from pathlib import Path

import pytest

import promptkit
from tests.estimators.numbers_as_words import CHECKED, EXPECTED, EXPECTED_FURTHER, further, suite

PAGE = (Path(__file__).parents[2] / "docs" / "sklearn.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("<!-- checks: begin -->")[2].partition("<!-- checks: end -->")[0]


@pytest.mark.parametrize("name", CHECKED)
def test_every_estimator_stands_in_the_table_without_a_failure(name):
    row = re.search(rf"^\| {re.escape(name)} \| (.*) \|$", TABLE, re.MULTILINE)
    assert row, "run python bench/sklearn_checks.py"
    checks, passed, cannot, failed, skipped = map(int, row[1].split(" | "))
    assert checks == passed + cannot
    assert failed == skipped == 0
    assert cannot == len(EXPECTED) + len(EXPECTED_FURTHER)
    assert checks >= len(suite(name)) + len(further(name)) or "1.9" not in TABLE


def test_every_reason_stands_below_it():
    for check, why in (EXPECTED | EXPECTED_FURTHER).items():
        assert f"- `{check}`: {why}." in TABLE


def test_the_estimators_it_names_are_public():
    named = set(re.findall(r"`(\w+(?:Classifier|Features))`", PAGE.partition("## Rows")[0]))
    assert named <= set(promptkit.__all__)
    assert len(named) == 5
