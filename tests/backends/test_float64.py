"""Scores of every family on 50 real rows against a float64 model that computes each label apart."""

import pytest
import torch
import transformers as tf

from promptkit.backends.hf import HFBackend, with_exact_attention
from promptkit.runs import EvalSpec
from promptkit.runs.rows import rows_for
from tests.causal_families import MORE
from tests.tiny import CAUSAL, MASKED, save_masked, save_seq2seq, tokenizer_of

ROWS = 50
#: Families whose tokenizer is another one's manner.
EXTRA = {"gemma2": "gemma", "gemma3": "gemma", "mistral": "llama", "bloom": "gpt2"}
SEQ2SEQ = ("t5", "bart")


def save_extra(family, folder):
    tokenizer = tokenizer_of(EXTRA[family])
    config = (
        tf.BloomConfig(hidden_size=32, n_layer=2, n_head=4) if family == "bloom" else MORE[family]()
    )
    config.vocab_size, config.pad_token_id = len(tokenizer), 0
    torch.manual_seed(0)
    model = tf.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, 0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder_of(causal_folder, tmp_path_factory):
    def made(family):
        folder = tmp_path_factory.mktemp(family)
        if family in CAUSAL:
            return causal_folder(family)
        save = save_masked if family in MASKED else save_seq2seq
        return save_extra(family, folder) if family in EXTRA else save(family, folder)

    return made


def asked(template_name):
    """Prompts and candidates of the first test rows of the template's own data."""
    template, rows, _, _ = rows_for(EvalSpec(template=template_name, model="minilm", limit=ROWS))
    return [template.prompt(row) for row in rows], [
        template.candidates(row, "text") for row in rows
    ]


@torch.inference_mode()
def causal_scores(model, request):
    found = []
    for answer in request.answers:
        ids = torch.tensor([[*request.context, *answer]])
        log_p = model(input_ids=ids, use_cache=False).logits[0].double().log_softmax(-1)
        start = len(request.context) - 1
        found.append(sum(float(log_p[start + i, t]) for i, t in enumerate(answer)))
    return found


@torch.inference_mode()
def decoder_scores(model, request, head):
    found = []
    for answer in request.answers:
        ids = torch.tensor([[*head, *answer]])
        logits = model(
            input_ids=torch.tensor([request.context]), decoder_input_ids=ids, use_cache=False
        ).logits[0]
        log_p, start = logits.double().log_softmax(-1), len(head) - 1
        found.append(sum(float(log_p[start + i, t]) for i, t in enumerate(answer)))
    return found


@torch.inference_mode()
def masked_scores(model, request):
    found = []
    for ids, start, answer in zip(request.masked, request.starts, request.answers, strict=True):
        log_p = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
        found.append(sum(float(log_p[start + i, t]) for i, t in enumerate(answer)))
    return found


@pytest.mark.parametrize("family", [*CAUSAL, *EXTRA, *SEQ2SEQ, *MASKED])
def test_no_label_is_further_off_than_rounding_and_every_decision_is_the_same(family, folder_of):
    folder = str(folder_of(family))
    backend = HFBackend(folder)
    # twelve labels of several tokens, where a family needs no cloze
    prompts, candidates = asked("sentiment_cloze" if family in MASKED else "intent_zero_shot")
    found = backend.score(prompts, candidates)
    scorer = backend._scorer
    requests = scorer.requests([scorer.seen(prompt) for prompt in prompts], candidates)
    loaders = {"masked": tf.AutoModelForMaskedLM, "seq2seq": tf.AutoModelForSeq2SeqLM}
    kind = "masked" if family in MASKED else "seq2seq" if family in SEQ2SEQ else "causal"
    loader = loaders.get(kind, tf.AutoModelForCausalLM)
    exact = with_exact_attention(loader.from_pretrained(folder, dtype=torch.float64).eval())
    assert len(found) == ROWS
    for evidence, request in zip(found, requests, strict=True):
        if kind == "causal":
            expected = causal_scores(exact, request)
        elif kind == "seq2seq":
            expected = decoder_scores(exact, request, scorer._head)
        else:
            expected = masked_scores(exact, request)
        assert evidence.log_p == pytest.approx(expected, abs=5e-5)
        assert evidence.log_p.index(max(evidence.log_p)) == expected.index(max(expected))
