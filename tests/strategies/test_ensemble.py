"""Several prompts and one answer, by hand and through the runner."""

import numpy as np
import pytest

from promptkit.backends.fake import FakeBackend
from promptkit.errors import SpecError
from promptkit.prompts import find_template
from promptkit.selectors import SELECTORS
from promptkit.strategies.ensemble import Ensemble, together
from promptkit.strategies.in_context import InContext
from promptkit.types import Evidence, Example, Prediction
from promptkit.verbalizers import VERBALIZERS

LABELS = ("a", "b", "c")
TRAIN = [
    Example(f"t{i}", {"text": f"training text {i}"}, ("negative", "neutral", "positive")[i % 3])
    for i in range(12)
]
ROWS = [Example(f"r{i}", {"text": f"some text {i}"}) for i in range(9)]


def said(p, label=None):
    with np.errstate(divide="ignore"):
        log_p = tuple(np.log(p).tolist())
    return Prediction("r", label or LABELS[int(np.argmax(p))], log_p, kind="hash")


# one is sure of b, two lean to a
THREE = [said([0.05, 0.9, 0.05]), said([0.5, 0.4, 0.1]), said([0.45, 0.35, 0.2])]


def test_the_mean_of_probabilities():
    found = together(THREE, LABELS, "mean")
    assert np.exp(found.log_p) == pytest.approx([1.0 / 3, 1.65 / 3, 0.35 / 3])
    assert (found.label, found.kind) == ("b", "hash, mean of 3")
    assert found.agreement == pytest.approx(1 / 3)


def test_the_product_of_probabilities():
    found = together(THREE, LABELS, "product")
    products = np.cbrt([0.05 * 0.5 * 0.45, 0.9 * 0.4 * 0.35, 0.05 * 0.1 * 0.2])
    assert np.exp(found.log_p) == pytest.approx(products / products.sum())
    assert found.label == "b"


def test_votes_count_labels_and_the_mean_decides_between_as_many():
    assert together(THREE, LABELS, "vote").label == "a"
    assert together(THREE, LABELS, "vote").agreement == pytest.approx(2 / 3)
    assert together(THREE[:2], LABELS, "vote").label == "b"
    even = [said([0.6, 0.4, 0.0]), said([0.4, 0.6, 0.0])]
    assert together(even, LABELS, "vote").tied


def test_a_product_of_prompts_that_rule_out_each_others_labels_is_no_answer():
    found = together([said([1.0, 0.0, 0.0]), said([0.0, 1.0, 0.0])], LABELS, "product")
    assert (found.label, found.log_p) == (None, None)
    assert "use --ensemble mean" in found.problem


def test_bare_decisions_are_votes():
    bare = [Prediction("r", label, None) for label in ("b", "a", "a")]
    found = together(bare, LABELS, "mean")
    assert (found.label, found.log_p, found.agreement) == ("a", None, pytest.approx(2 / 3))


def test_members_without_an_answer_do_not_count_and_the_kind_says_how_many_did():
    broken = Prediction("r", None, None, problem="too long")
    found = together([broken, *THREE[1:]], LABELS, "mean")
    assert (found.label, found.kind, found.agreement) == ("a", "hash, mean of 2", 1.0)
    assert together([broken, broken], LABELS, "mean").problem == "too long"


def test_labels_that_python_takes_for_equal_stay_apart():
    labels = (1, True, "1")
    found = together([Prediction("r", True, None), Prediction("r", True, None)], labels, "vote")
    assert found.label is True


def member(seed=0, template="sentiment_zero_shot", shots=2):
    return InContext(
        find_template(template),
        FakeBackend(),
        SELECTORS.build("balanced", {"seed": seed}),
        VERBALIZERS.build("words", {}),
        shots,
    )


def ensemble(n=3, how="mean"):
    members = [member(seed) for seed in range(n)]
    return Ensemble(members, members[0].template.labels_of, how)


def test_predictions_come_from_the_members_own_and_evidence_alone_is_enough():
    strategy = ensemble().fit(TRAIN)
    evidence = strategy.gather(ROWS)
    assert [Evidence.from_json(_plain(one)) for one in evidence] == evidence
    own = [member(seed).fit(TRAIN).predict(ROWS) for seed in range(3)]
    expected = np.mean([np.exp([p.log_p for p in one]) for one in own], axis=0)
    found = ensemble().conclude(ROWS, evidence)
    assert np.exp([p.log_p for p in found]) == pytest.approx(expected)
    assert strategy.cost.rows == 3 * len(ROWS)


def _plain(evidence):
    import json
    from dataclasses import asdict

    return json.loads(json.dumps(asdict(evidence)))


def test_it_is_saved_and_taken_up_again(tmp_path):
    strategy = ensemble().fit(TRAIN)
    strategy.save(tmp_path)
    assert ensemble().restore(tmp_path).predict(ROWS) == strategy.predict(ROWS)


@pytest.mark.parametrize(("n", "how", "told"), [(1, "mean", "two members"), (2, "men", "'mean'")])
def test_what_is_no_ensemble_is_refused(n, how, told):
    with pytest.raises(SpecError, match=told):
        ensemble(n, how)
