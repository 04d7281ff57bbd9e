"""Weights in few bits: really rounded, nearly the same scores, and no batch that changes them."""

import bitsandbytes
import pytest
import torch
from peft.tuners.lora import LoraLayer
from torchao.quantization import Int8Tensor

from promptkit.backends import hf_loading
from promptkit.backends.cached_passes import cached_passes
from promptkit.backends.hf import HFBackend
from promptkit.backends.hf_loading import QUANTIZATIONS, Loading
from promptkit.backends.memory import token_bytes
from promptkit.backends.shared_passes import SharedPasses
from promptkit.errors import CapabilityError, MissingExtra, SpecError
from promptkit.runs import EvalSpec, Store, build, run
from tests.backends import test_hf_masked, test_hf_seq2seq
from tests.backends.test_adapter import LABELS, PROMPT, saved
from tests.tiny import save_masked, save_seq2seq
from tests.trained_prompts import FEELINGS, labels, prompts

#: Of the trained Llama: mean nats by which its likeliest labels may move and by which all may, and
#: rows of 60 that may be decided otherwise. Trained from four seeds it gave at most 0.12, 1.23, 2;
#: 0.0001, 0.023, 0; 0.0001, 0.006, 0.
NEAR = {"4bit": (0.5, 2.5, 6), "8bit": (0.005, 0.1, 1), "int8": (0.005, 0.05, 1)}
every_way = pytest.mark.parametrize("way", QUANTIZATIONS)


@pytest.fixture(scope="module")
def asked():
    return prompts(), labels(FEELINGS, 60)


@pytest.fixture(scope="module")
def quantized(trained_folder):
    return {way: on_cpu(trained_folder, quantization=way) for way in QUANTIZATIONS}


def on_cpu(folder, **options):
    return HFBackend(str(folder), device="cpu", **options)


def scores(backend, asked):
    return torch.tensor([one.log_p for one in backend.score(*asked)])


@every_way
def test_weights_are_kept_in_few_bits(way, quantized):
    layer = quantized[way]._model.model.layers[0].mlp.up_proj
    values = layer.in_features * layer.out_features
    if way == "int8":
        assert type(layer.weight) is Int8Tensor
        assert (layer.weight.qdata.dtype, layer.weight.qdata.numel()) == (torch.int8, values)
        return
    kinds = {"4bit": (torch.uint8, values // 2), "8bit": (torch.int8, values)}
    assert (layer.weight.dtype, layer.weight.numel()) == kinds[way]


@every_way
def test_scores_are_near_and_decisions_nearly_all_the_same(way, quantized, trained_folder, asked):
    plain, found = scores(on_cpu(trained_folder), asked), scores(quantized[way], asked)
    moved, best = (found - plain).abs(), plain.argmax(1)
    likeliest, each, others = NEAR[way]
    assert moved[range(60), best].mean() < likeliest
    assert 0 < moved.mean() < each
    assert (found.argmax(1) != best).sum() <= others


@every_way
def test_scores_depend_neither_on_batches_nor_on_order(way, quantized, trained_folder, asked):
    alone = on_cpu(trained_folder, quantization=way, batch_size=1)
    turned = scores(alone, [one[::-1] for one in asked]).flip(0)
    assert scores(quantized[way], asked) == pytest.approx(
        turned, abs=0.02 if way == "8bit" else 1e-4
    )


@every_way
def test_what_is_shared_is_still_computed_once(way, quantized, asked):
    scorer = quantized[way]._scorer
    assert isinstance(scorer.reuse, SharedPasses)
    copies, why = cached_passes(scorer.model, scorer.passes)
    assert copies, why
    requests = [quantized[way].tokens.request(*one) for one in zip(*asked, strict=True)][:20]
    plainly = torch.tensor(scorer._plainly(requests))
    for made in (scorer.reuse, copies):
        found = torch.tensor(made.run(requests))
        assert found == pytest.approx(plainly, abs=0.02 if way == "8bit" else 1e-4)


def test_four_bits_are_multiplied_in_the_dtype_that_was_asked_for(quantized):
    layer = quantized["4bit"]._model.model.layers[1].mlp.down_proj
    weight = bitsandbytes.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    states = torch.randn(7, layer.in_features, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert layer(states) == pytest.approx(states @ weight.T, abs=1e-5)


@every_way
def test_a_batch_is_planned_for_states_of_the_same_size(way, quantized, trained_folder):
    assert token_bytes(quantized[way]._model) == token_bytes(on_cpu(trained_folder)._model)


@every_way
@pytest.mark.parametrize("family", ["t5", "bart", "bert", "modernbert"])
def test_other_kinds_of_models_are_quantized_too(way, family, tmp_path):
    masked = family in ("bert", "modernbert")
    folder = (save_masked if masked else save_seq2seq)(family, tmp_path)
    asked = (test_hf_masked if masked else test_hf_seq2seq).asked()
    plain = on_cpu(folder).score(*asked)
    found = on_cpu(folder, quantization=way).score(*asked)
    before, after = (torch.tensor([y for x in own for y in x.log_p]) for own in (plain, found))
    # of the spread of the scores: random weights are at most .17 off in four bits, .016 in eight
    assert 0 < (after - before).std() < (0.4 if way == "4bit" else 0.05) * before.std()
    assert all(one.kind == other.kind for one, other in zip(plain, found, strict=True))


@every_way
def test_an_adapter_stays_beside_weights_that_are_as_they_were(way, causal_folder, tmp_path):
    folder, adapter = causal_folder("llama"), saved(tmp_path / "adapter", 0.5)
    bare = on_cpu(folder, quantization=way).score([PROMPT], [LABELS])[0].log_p
    adapted = on_cpu(folder, quantization=way, adapter=adapter)
    assert isinstance(adapted._scorer.reuse, SharedPasses)
    assert adapted.score([PROMPT], [LABELS])[0].log_p != pytest.approx(bare, abs=0.05)
    layers = [one for one in adapted._model.modules() if isinstance(one, LoraLayer)]
    assert len(layers) == 4
    for layer in layers:
        assert not layer.merged
        layer.enable_adapters(False)
    assert adapted.score([PROMPT], [LABELS])[0].log_p == pytest.approx(bare, abs=1e-4)


def test_a_wrong_name_says_the_right_one():
    with pytest.raises(SpecError, match="did you mean '4bit'"):
        Loading(quantization="4bits")


@every_way
def test_a_missing_package_is_said_with_the_command_that_installs_it(way, monkeypatch):
    monkeypatch.setattr(hf_loading, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=f"{QUANTIZATIONS[way]}: pip install 'promptkit.quant"):
        Loading(quantization=way)


def test_weights_are_not_left_whole_in_silence(causal_folder):
    with pytest.raises(CapabilityError, match="'int8' leaves its weights as they are"):
        on_cpu(causal_folder("gpt2"), quantization="int8")


def test_what_was_saved_quantized_is_not_quantized_anew(quantized, tmp_path):
    quantized["4bit"]._model.save_pretrained(tmp_path)
    quantized["4bit"].tokens.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(CapabilityError, match=r"with quantization '4bit': .* already has"):
        on_cpu(tmp_path, quantization="4bit")


def test_what_cannot_compute_says_so_when_it_is_loaded(causal_folder, monkeypatch):
    def unable(*arguments, **options):
        raise RuntimeError("no kernel for this device\nand more")

    monkeypatch.setattr(bitsandbytes, "matmul_4bit", unable)
    with pytest.raises(CapabilityError, match="cannot compute on cpu: no kernel") as caught:
        on_cpu(causal_folder("llama"), quantization="4bit")
    assert "\n" not in str(caught.value)


@every_way
def test_a_run_and_its_kept_answers_are_named_by_it(way, causal_folder, home, monkeypatch):
    monkeypatch.delenv("PROMPTKIT_CACHE", raising=False)
    plain = EvalSpec(
        template="sentiment_zero_shot",
        model=str(causal_folder("llama")),
        device="cpu",
        limit=4,
        cache=True,
    )
    asked = plain.model_copy(update={"backend_options": {"quantization": way}})
    other = run(build(plain), Store())
    record = run(build(asked), Store())
    assert record.spec.fingerprint() != other.spec.fingerprint()
    assert {QUANTIZATIONS[way], "accelerate"} == {*record.packages} - {*other.packages}
    assert record.spec.backend["packages"] == record.packages
    assert (record.cost.cached_rows, other.cost.cached_rows) == (0, 0)
    again = run(build(asked.model_copy(update={"limit": 6})), Store())
    assert again.cost.cached_rows == 4
