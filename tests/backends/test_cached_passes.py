"""Families whose attention is their own go on from kept keys and values, with the plain scores."""

import pytest
import torch

from promptkit.backends import cached_passes as module
from promptkit.backends.cached_passes import cached_passes
from promptkit.backends.hf_causal import CausalScorer
from promptkit.backends.hf_passes import Passes
from promptkit.backends.meter import Meter
from promptkit.backends.plan import plan
from promptkit.backends.tokens import Request
from tests.causal_families import REFUSED, asked, built, gap, plainly


def passes(batch_size="auto"):
    return Passes(torch.device("cpu"), batch_size, Meter())


def caching(family, batch_size="auto"):
    made, why = cached_passes(built(family), passes(batch_size))
    assert made, why
    return made


@pytest.mark.parametrize("shared", [0, 1, 30, 90])
@pytest.mark.parametrize("family", REFUSED)
def test_scores_are_those_of_the_plain_computation(family, shared):
    made, requests = caching(family), asked(6, shared)
    assert gap(made.run(requests), plainly(made.model, requests)) < 5e-5


@pytest.mark.parametrize("family", ["bloom", "gptj"])
def test_prompts_are_computed_once_and_their_beginning_is_kept(family):
    made = caching(family)
    assert made.passes.meter.cost.computed_tokens == 0  # the probe is not counted
    beginning, answers = tuple(range(40)), ((7, 8), (7, 9), (5, 6, 4), (3,))
    rows = [Request((*beginning, 50 + i, 60 + i, 70 + i), answers) for i in range(12)]
    found = made.run(rows[:6])
    tails = 2 * 2  # of (7,) and (5, 6), padded
    assert made.passes.meter.cost.computed_tokens == 40 + 6 * (3 + tails)
    found += made.run(rows[6:])
    assert made.passes.meter.cost.computed_tokens == 40 + 12 * (3 + tails)
    assert gap(found, plainly(made.model, rows)) < 5e-5


def test_another_beginning_takes_the_place_of_the_last():
    made = caching("bloom")
    for seed in (0, 1, 0):
        requests = asked(5, 40, seed=seed)
        assert gap(made.run(requests), plainly(made.model, requests)) < 5e-5


@pytest.mark.parametrize("batch_size", [1, 2, 5])
@pytest.mark.parametrize("family", ["bloom", "mpt"])
def test_scores_depend_neither_on_batches_nor_on_the_order_of_rows(family, batch_size):
    requests = asked(7, 20)
    found = caching(family).run(requests)
    other = caching(family, batch_size).run(requests[::-1])[::-1]
    assert gap(found, other) < 1e-5


def test_copies_and_logits_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "COPY_BYTES", 4 * 2 * 2 * 32 * 60 * 3)  # 3 rows of 60 tokens
    monkeypatch.setattr(module, "LOGIT_BYTES", 4 * 100 * 16)
    made, requests = caching("bloom"), asked(6, 50, longest=8)
    sizes, usual = [], made._pass

    def counted(before, tails, columns=None):
        sizes.append((len(tails), len(tails) * (len(columns or ()) or max(map(len, tails)))))
        return usual(before, tails, columns)

    monkeypatch.setattr(made, "_pass", counted)
    assert gap(made.run(requests), plainly(made.model, requests)) < 5e-5
    assert max(rows for rows, _ in sizes) <= 4
    assert max(logits for _, logits in sizes) <= 16


@pytest.mark.parametrize(
    ("family", "evidence", "log"),
    [
        ("llama", "log-probability", ""),
        ("bloom", "log-probability, answers apart behind a kept prompt", "values are copied"),
        ("mamba", "log-probability, each answer apart", "nothing is shared"),
    ],
)
def test_what_is_shared_is_said(family, evidence, log, caplog):
    caplog.set_level("INFO")
    scorer = CausalScorer(built(family), None, passes())
    requests = asked(3, 10)
    assert gap(scorer.run(requests), plainly(scorer.model, requests)) < 5e-5
    assert scorer.evidence == evidence
    assert log in caplog.text
    assert bool(log) == (type(scorer.model).__name__ in caplog.text)


def test_a_model_whose_kept_keys_and_values_give_other_scores_is_computed_plainly(monkeypatch):
    model = built("bloom")
    usual = module.cache_of
    monkeypatch.setattr(
        module, "cache_of", lambda kept: usual([(k * 1.01, v * 1.01) for k, v in kept])
    )
    made, why = cached_passes(model, passes())
    assert made is None
    assert "differ by" in why
    scorer = CausalScorer(model, None, passes())
    requests = asked(3, 10)
    assert scorer.reuse is None
    assert gap(scorer.run(requests), plainly(model, requests)) < 5e-5


def test_labels_cost_less_than_in_the_plain_computation():
    made, requests = caching("gpt_neo"), asked(6, 40)
    made.run(requests)
    alone = sum(len(one.ids) for one in plan(requests))
    assert made.passes.meter.cost.computed_tokens < alone / 2
