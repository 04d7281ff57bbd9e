"""Every estimator goes through scikit-learn's own suite, its numbers said in words."""

import warnings

import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

from promptkit import (
    ContrastiveClassifier,
    FeatureClassifier,
    FineTunedClassifier,
    LayerFeatures,
    PromptClassifier,
)
from tests.estimators.numbers_as_words import (
    CHECKED,
    EXPECTED,
    EXPECTED_FURTHER,
    QUICK,
    further,
    suite,
    worded,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")


@pytest.mark.parametrize(
    ("name", "called", "check"),
    [
        pytest.param(
            name,
            called,
            check,
            id=f"{name}-{called}",
            marks=() if name in QUICK else pytest.mark.slow,
        )
        for name in CHECKED
        for called, check in suite(name)
    ],
)
def test_scikit_learns_suite(name, called, check):
    if called in EXPECTED:
        with pytest.raises(AssertionError, match="Did not raise"):
            check(worded(name, called))
    else:
        check(worded(name, called))


FURTHER = [(name, check) for name in QUICK for check in further(name)]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize(("name", "check"), FURTHER)
def test_checks_that_scikit_learn_keeps_for_its_own(name, check):
    run = getattr(estimator_checks, check)
    if check in EXPECTED_FURTHER:
        with pytest.raises(AssertionError, match="did not raise"):
            run(name, worded(name))
    else:
        run(name, worded(name))


@pytest.mark.parametrize(
    "estimator",
    [
        PromptClassifier(),
        FeatureClassifier(),
        ContrastiveClassifier(),
        FineTunedClassifier(),
        LayerFeatures(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_with_its_own_tags_little_of_the_suite_is_meant_for_it(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        found = check_estimator(estimator)
    assert {one["status"] for one in found} == {"passed"}
    assert "check_estimator_cloneable" in {one["check_name"] for one in found}
