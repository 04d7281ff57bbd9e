"""Verbalizers on the command line: chosen by name, their options one at a time."""

import json

import pytest

from promptkit.verbalizers import VERBALIZERS
from promptkit.verbalizers.words import WordsVerbalizer

FAKE = ("eval", "-t", "sentiment_zero_shot", "--backend", "fake", "--format", "json")


class LastWord(WordsVerbalizer):
    """Another verbalizer: takes evidence as it is, the labels in reverse."""

    def __init__(self, turned: bool = True) -> None:
        super().__init__()
        self.turned = turned

    def pool(self, evidence, candidates, labels):
        pooled = super().pool(evidence, candidates, labels)
        return pooled[::-1] if self.turned else pooled


@pytest.fixture
def registered(monkeypatch):
    targets = {**VERBALIZERS._targets, "last": f"{__name__}:LastWord"}
    monkeypatch.setattr(VERBALIZERS, "_targets", targets)


def result(promptkit, *options):
    status, out, err = promptkit(*FAKE, *options)
    assert status == 0, err
    found = json.loads(out)
    return found[0] if isinstance(found, list) else found["runs"][0]


def test_an_option_of_the_verbalizer_changes_the_result_and_the_run(promptkit):
    plain = result(promptkit)
    normalized = result(promptkit, "--verbalizer-option", "normalize=bytes")
    assert plain["fingerprint"] != normalized["fingerprint"]
    assert plain["scores"] != normalized["scores"]
    assert plain["spec"]["strategy"]["verbalizer"] == {}
    assert normalized["spec"]["strategy"]["verbalizer"] == {"normalize": "bytes"}


def test_the_usual_verbalizer_by_its_name_is_the_same_run(promptkit):
    named = result(promptkit, "--verbalizer", "words")
    assert named["fingerprint"] == result(promptkit)["fingerprint"]


@pytest.mark.usefixtures("registered")
def test_another_verbalizer_is_built_and_named_in_the_run(promptkit):
    plain, other = result(promptkit), result(promptkit, "--verbalizer", "last")
    assert other["spec"]["strategy"]["verbalizer"] == {"name": "last"}
    assert other["scores"] != plain["scores"]
    same = result(promptkit, "--verbalizer", "last", "--verbalizer-option", "turned=false")
    assert same["scores"] == plain["scores"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--verbalizer", "word"), "no verbalizer named 'word'; did you mean 'words'"),
        (("--verbalizer-option", "pool_by=summ"), "did you mean 'sum'"),
        (("--verbalizer-option", "pool=sum"), "has no option 'pool'; did you mean 'pool_by'"),
        (("--verbalizer-option", "pool_by"), "write it as --verbalizer-option normalize=tokens"),
        (
            ("--verbalizer-option", "pool_by=max", "--strategy", "generate"),
            "--verbalizer-option is for labels that are scored",
        ),
        (
            ("--verbalizer-option", "pool_by=max", "--strategy", "tfidf"),
            "--verbalizer-option is for prompting",
        ),
    ],
)
def test_what_is_wrong_is_said(promptkit, options, said):
    status, _, err = promptkit(*FAKE, *options)
    assert status == 2
    assert said in " ".join(err.split())


def test_a_saved_model_takes_no_other_verbalizer(promptkit):
    data = ("--strategy", "tfidf", "--data", "customer_reviews")
    status, _, err = promptkit("tune", *data, "--output", "saved")
    assert status == 0, err
    asked = ("eval", "--model", "saved", "--data", "customer_reviews")
    for one in (("--verbalizer-option", "pool_by=max"), ("--verbalizer", "last")):
        status, _, err = promptkit(*asked, *one)
        assert status == 2
        assert f"{one[0]} cannot be chosen for the saved model" in err
