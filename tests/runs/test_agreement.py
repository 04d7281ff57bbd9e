"""Backends that say the same are told apart from those that do not."""

import math
from dataclasses import replace

import pytest

from promptkit.backends import BACKENDS
from promptkit.errors import BackendError, CapabilityError, DataError
from promptkit.runs import EvalSpec
from promptkit.runs.agreement import Said, Variant, agreement, agreements
from promptkit.types import Evidence, Prediction

NAN, INF = math.nan, math.inf


def said(*rows, name="one", n_tokens=(1, 1)):
    """Rows of log_p for the words a and b."""
    evidence, predictions = [], []
    for i, row in enumerate(rows):
        problem = "" if row else "the server answered 500"
        evidence.append(Evidence(f"r{i}", tuple(row), n_tokens if row else (), problem=problem))
        label = None if not row else "ab"[row[1] > row[0]]
        tied = bool(row) and row[0] == row[1]
        predictions.append(Prediction(f"r{i}", label, tuple(row) or None, tied=tied))
    return Said(name, [("a", "b")] * len(rows), evidence, predictions)


def test_the_largest_difference_and_its_word_are_found():
    one = said((-1.0, -2.0), (-1.0, -3.0), (-5.0, -1.0))
    other = said((-1.001, -2.0), (-1.0, -3.25), (-5.0, -1.0), name="other")
    found = agreement(one, other, 0.002)
    assert (found.n, found.n_compared, found.largest, found.changed) == (3, 3, 0.25, ())
    worst = found.worst[0]
    assert (worst.example_id, worst.word, worst.log_p, worst.labels) == (
        "r1", "b", (-3.0, -3.25), ("a", "a"),
    )  # fmt: skip
    assert found.worst[1].gap == pytest.approx(0.001)
    assert not found.holds(0.2)
    assert found.holds(0.25)


def test_a_changed_decision_is_no_agreement_however_small_the_difference():
    one = said((-1.0, -1.0005), (-1.0, -4.0), (-1.0, -1.0))
    other = said((-1.0, -0.9995), (-1.0, -4.0), (-1.0, -1.0))
    found = agreement(one, other, 0.002)
    assert (found.changed, found.n_ties, found.n_changed_ties) == (("r0",), 2, 1)
    assert found.largest == pytest.approx(0.001)
    assert not found.holds(1.0)


def test_words_that_neither_can_say_agree_and_numbers_that_are_none_do_not():
    assert agreement(said((-1.0, -INF)), said((-1.0, -INF)), 0.0).holds(0.0)
    assert agreement(said((-1.0, -INF)), said((-1.0, -9.0)), 0.0).largest == INF
    assert agreement(said((-1.0, NAN)), said((-1.0, NAN)), 0.0).largest == INF


def test_a_row_that_only_one_scored_is_no_agreement():
    found = agreement(said((-1.0, -2.0), (-1.0, -2.0)), said((-1.0, -2.0), ()), 0.002)
    assert (found.n, found.n_compared, found.largest, found.changed) == (2, 1, 0.0, ("r1",))
    assert found.problem == "the server answered 500"
    assert not found.holds(1.0)


def test_rows_that_neither_scored_are_not_compared():
    both = said((-1.0, -2.0), ())
    assert agreement(both, both, 0.002).n_compared == 1
    with pytest.raises(BackendError, match="neither scored a row: the server answered 500"):
        agreement(said(()), said(()), 0.002)


def test_other_numbers_of_tokens_are_told():
    found = agreement(said((-1.0, -2.0)), said((-1.0, -2.0), n_tokens=(1, 2)), 0.002)
    assert found.n_other_tokens == 1


def test_other_rows_are_refused():
    one = said((-1.0, -2.0))
    other = replace(one, evidence=[replace(one.evidence[0], example_id="else")])
    with pytest.raises(DataError, match="different rows"):
        agreement(one, other, 0.002)


@pytest.fixture
def asked(home, causal_folder):
    return EvalSpec(
        template="sentiment_zero_shot", model=str(causal_folder("gpt2")), dtype="float32", limit=20
    )


def test_one_backend_agrees_with_itself_however_rows_are_dealt_out(asked):
    begun = []
    variants = [Variant("hf", "hf", {}), Variant("hf:batch_size=1", "hf", {"batch_size": 1})]
    (found,) = agreements(asked, variants, 2e-3, begun.append)
    assert begun == ["hf", "hf:batch_size=1"]
    assert (found.n, found.n_compared) == (20, 20)
    assert 0 <= found.largest < 1e-4
    assert found.holds(2e-3)


def test_other_number_formats_are_compared_pair_by_pair(asked):
    names = {"hf": {}, "again": {"device": "cpu"}, "half": {"dtype": "bfloat16"}}
    variants = [Variant(name, "hf", options) for name, options in names.items()]
    found = agreements(asked, variants, 2e-3)
    assert [one.names for one in found] == [("hf", "again"), ("hf", "half"), ("again", "half")]
    assert [one.holds(2e-3) for one in found] == [True, False, False]
    assert found[0].largest == 0.0
    assert found[1].largest == found[2].largest > 2e-3


def test_demonstrations_are_the_same_for_all(asked):
    asked = asked.model_copy(update={"shots": 2, "template": "sentiment_few_shot"})
    variants = [Variant("hf", "hf", {}), Variant("one", "hf", {"batch_size": 1})]
    assert agreements(asked, variants, 2e-3)[0].holds(2e-3)


def test_a_backend_that_is_wrong_about_one_word_is_found(asked, monkeypatch):
    from promptkit.backends.hf import HFBackend

    class Wrong(HFBackend):
        """Sure of the third label's word by 0.01 nats more."""

        name = "wrong"

        def score(self, prompts, candidates):
            found = super().score(prompts, candidates)
            return [replace(e, log_p=(*e.log_p[:2], e.log_p[2] + 0.01)) for e in found]

    monkeypatch.setitem(BACKENDS._targets, "wrong", "found by the line below")
    load = BACKENDS.load
    monkeypatch.setattr(BACKENDS, "load", lambda n: Wrong if n == "wrong" else load(n))
    (found,) = agreements(asked, [Variant("hf", "hf", {}), Variant("w", "wrong", {})], 2e-3)
    assert found.largest == pytest.approx(0.01, abs=1e-4)
    assert {row.word for row in found.worst} == {" positive"}
    assert not found.holds(2e-3)


def test_what_compares_statements_is_refused_before_its_model_is_loaded(asked, monkeypatch):
    monkeypatch.setattr("promptkit.backends.embedding._load", None)
    with pytest.raises(CapabilityError, match="compares statements about labels"):
        agreements(
            EvalSpec(template="sentiment_zero_shot"), [Variant("e", "embedding", {})] * 2, 2e-3
        )


def test_models_are_let_go_of_one_by_one_and_told_to_close(asked, monkeypatch):
    from promptkit.backends.hf import HFBackend
    from promptkit.runs.models import _loaded

    closed = []
    monkeypatch.setattr(HFBackend, "close", lambda self: closed.append(self), raising=False)
    variants = [Variant("hf", "hf", {}), Variant("one", "hf", {"batch_size": 1})]
    agreements(asked, variants, 2e-3)
    assert [one.batch_size for one in closed] == ["auto", 1]
    assert _loaded.cache_info().currsize == 0
