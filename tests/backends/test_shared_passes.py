"""Shared passes: the scores of the plain computation, with every token computed once."""

import pytest
import torch

from promptkit.backends import shared_attention, shared_layout
from promptkit.backends import shared_passes as module
from promptkit.backends.hf import with_exact_attention, with_fused_gelu
from promptkit.backends.hf_passes import Passes
from promptkit.backends.meter import Meter
from promptkit.backends.probe import twin_of
from promptkit.backends.shared_passes import attention_of, shared_passes
from promptkit.backends.shared_plan import shared_plan
from promptkit.backends.tokens import Request
from tests.causal_families import FAMILIES, REFUSED, asked, built, gap, plainly


def sharing(family, batch_size="auto"):
    passes = Passes(torch.device("cpu"), batch_size, Meter())
    model = built(family)
    made, why = shared_passes(model, passes)
    assert made, why
    return made


@pytest.mark.parametrize("shared", [0, 1, 30, 90])
@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_the_plain_computation(family, shared):
    made, requests = sharing(family), asked(6, shared)
    assert gap(made.run(requests), plainly(made.model, requests)) < 5e-5


def test_scores_that_are_written_out_a_few_at_a_time_are_the_same(monkeypatch):
    monkeypatch.setattr(shared_attention, "SCORE_BYTES", 4 * 4 * 100)
    made, requests = sharing("gemma2"), asked(4, 30)
    assert gap(made.run(requests), plainly(made.model, requests)) < 5e-5


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_scores_in_float64_differ_by_rounding_alone(family):
    made, requests = sharing(family), asked(4, 20)
    found = made.run(requests)
    assert gap(found, plainly(made.model.double(), requests)) < 5e-5


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral"])
def test_every_token_is_computed_once(family):
    made, requests = sharing(family), asked(6, 30)
    assert made.passes.meter.cost.computed_tokens == 0  # the probe is not counted
    made.run(requests)
    assert made.passes.meter.cost.computed_tokens == shared_plan(requests).tokens


def test_the_shared_beginning_is_kept_for_the_rows_that_come_later():
    made, requests = sharing("llama"), asked(12, 60)
    found = made.run(requests[:6])
    before = made.passes.meter.cost.computed_tokens
    found += made.run(requests[6:])
    own = sum(map(len, shared_plan(requests).segments))
    assert made.passes.meter.cost.computed_tokens == 60 + own
    assert made.passes.meter.cost.computed_tokens - before < own
    assert gap(found, plainly(made.model, requests)) < 5e-5


def test_another_beginning_takes_the_place_of_the_last():
    made = sharing("llama")
    for seed in (0, 1, 0):
        requests = asked(5, 40, seed=seed)
        assert gap(made.run(requests), plainly(made.model, requests)) < 5e-5


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_scores_depend_neither_on_batches_nor_on_the_order_of_rows(batch_size):
    requests = asked(7, 20)
    found = sharing("llama").run(requests)
    other = sharing("llama", batch_size).run(requests[::-1])[::-1]
    assert gap(found, other) < 1e-5


def test_the_model_is_left_as_it_was():
    made = sharing("llama")
    attention, forward = made.model.config._attn_implementation, made._layer.forward
    made.run(asked(3, 10))
    assert made.model.config._attn_implementation == attention != module.NAME
    assert made._layer.forward == forward
    ids = torch.tensor([[1, 2, 3]])
    with torch.inference_mode(), attention_of(made.model, "eager"):
        expected = made.model(input_ids=ids).logits
    with torch.inference_mode():
        assert torch.allclose(made.model(input_ids=ids).logits, expected, atol=1e-5)


def test_where_memory_does_not_suffice_a_pass_goes_through_in_halves(monkeypatch):
    made, requests = sharing("llama"), asked(6, 20)
    usual, sizes = made._forward, []

    def forward(segments):
        sizes.append(len(segments))
        if len(segments) > 2:
            raise torch.OutOfMemoryError
        return usual(segments)

    monkeypatch.setattr(made, "_forward", forward)
    assert gap(made.run(requests), plainly(made.model, requests)) < 5e-5
    assert sizes[0] == 6
    assert max(sizes[2:]) <= 3


def test_logits_are_read_at_the_head_a_few_rows_at_a_time(monkeypatch):
    made, requests = sharing("llama"), asked(5, 20)
    assert made.reading
    expected = made.run(requests)
    monkeypatch.setattr(module, "HEAD_BYTES", {"cpu": 1})
    monkeypatch.setattr(module, "MIN_ROWS", 3)
    sizes, usual = [], made._head.forward
    monkeypatch.setattr(
        made._head, "forward", lambda states: sizes.append(states.shape[1]) or usual(states)
    )
    assert gap(made.run(requests), expected) < 1e-5
    assert max(sizes) == 3


def test_a_soft_cap_too_wide_for_the_prompts_that_are_tried_is_found_all_the_same():
    model = built("gemma2")
    model.config.final_logit_softcapping = 1e5
    made, why = shared_passes(model, Passes(torch.device("cpu"), "auto", Meter()))
    assert made, why
    assert not made.reading


def test_logits_with_soft_caps_are_read_at_the_end_and_bound_a_pass(monkeypatch):
    monkeypatch.setattr(module, "LOGIT_BYTES", 4 * 100 * 12)
    made, requests = sharing("gemma2"), asked(5, 20)
    assert not made.reading
    nodes = len(shared_plan(requests).segments[0].tree.ids) + 1
    assert max(map(len, made._packs(shared_plan(requests).segments))) == max(1, 12 // nodes)
    assert gap(made.run(requests), plainly(made.model, requests)) < 5e-5


@pytest.mark.parametrize("family", REFUSED)
def test_a_family_that_does_not_take_the_attention_is_refused_and_says_why(family):
    model = built(family)
    attention = model.config._attn_implementation
    made, why = shared_passes(model, Passes(torch.device("cpu"), "auto", Meter()))
    assert made is None
    assert "attention" in why
    assert model.config._attn_implementation == attention


def test_a_model_that_is_built_otherwise_is_refused_rather_than_failing_at_load(monkeypatch):
    model = built("llama")
    monkeypatch.setattr(model, "get_output_embeddings", lambda: None)
    made, why = shared_passes(model, Passes(torch.device("cpu"), "auto", Meter()))
    assert made is None
    assert why.startswith("AttributeError")


def test_a_gelu_in_one_pass_is_the_same():
    model = built("gpt2")
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.inference_mode():
        expected = model(input_ids=ids).logits
        found = with_fused_gelu(model)
        assert any(isinstance(one, torch.nn.GELU) for one in found.modules())
        assert torch.allclose(found(input_ids=ids).logits, expected, atol=1e-5)


@pytest.mark.parametrize("family", ["gemma2", "llama"])
def test_a_model_with_soft_caps_uses_an_attention_that_knows_them(family):
    model = with_exact_attention(built(family))
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.inference_mode():
        found = model(input_ids=ids).logits
        with attention_of(model, "eager"):
            assert torch.allclose(found, model(input_ids=ids).logits, atol=1e-5)
    assert (model.config._attn_implementation == "eager") == (family == "gemma2")


@pytest.mark.parametrize("family", ["llama", "gemma2", "gemma3", "gpt2"])
def test_segments_of_similar_length_may_share_a_batch_with_padding(family, monkeypatch):
    monkeypatch.setitem(shared_layout.ALIKE, "cpu", 0.3)
    made, requests = sharing(family), asked(9, 30)
    requests += [Request((*request.context, 3), ((5,), (7,))) for request in asked(4, 30, seed=1)]
    assert gap(made.run(requests), plainly(made.model, requests)) < 5e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_in_half_precision_scores_are_those_of_float32_but_for_its_rounding(family):
    passes = Passes(torch.device("cpu"), "auto", Meter())
    model, requests = built(family), asked(6, 30)
    expected = plainly(model, requests)
    made, why = shared_passes(model.to(torch.bfloat16), passes)
    assert made, why
    rounding = gap(plainly(model, requests), expected)
    assert gap(made.run(requests), expected) < 2 * rounding


def test_in_half_precision_a_small_error_is_found_in_a_float32_model_like_it(monkeypatch):
    seen = shared_layout._seen

    def leaking(segment, window):
        found = seen(segment, window)
        found[-1, :] = True
        return found

    monkeypatch.setattr(shared_layout, "_seen", leaking)
    model = built("llama").to(torch.bfloat16)
    made, why = shared_passes(model, Passes(torch.device("cpu"), "auto", Meter()))
    assert made is None
    assert "differs by" in why


def test_the_small_model_has_a_layer_of_every_kind_and_leaves_chance_alone():
    model = built("gemma3").to(torch.bfloat16)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    twin = twin_of(model)
    assert torch.equal(torch.rand(2), expected)
    assert twin.dtype == torch.float32
    assert set(twin.config.layer_types) <= {"sliding_attention", "full_attention"}
    assert twin.config.vocab_size == 128


def test_an_attention_that_computes_something_else_is_found_out(monkeypatch):
    monkeypatch.setattr(
        shared_layout, "_seen", lambda s, w: torch.ones(len(s), len(s)).bool().tril()
    )
    made, why = shared_passes(built("llama"), Passes(torch.device("cpu"), "auto", Meter()))
    assert made is None
    assert "differs by" in why
