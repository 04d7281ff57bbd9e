"""Labels scored by their first token: equal to the plain computation, and told apart or refused."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from promptkit.backends.hf import HFBackend
from promptkit.errors import CapabilityError, SpecError
from promptkit.runs import EvalSpec, build, run
from promptkit.types import Candidate, Piece, Prompt, Sampling
from promptkit.verbalizers.words import WordsVerbalizer
from tests.tiny import CAUSAL, save_masked, save_seq2seq

TEXTS = ["Fine.", "The room was noisy, the bed was hard and nobody came.", "ok " * 40]
#: Of one token and of several, with a blank and with a line break before them.
ANSWERS = (" good", " terrible service at all", "\nneutral")


def candidates(*answers):
    return [Candidate(a.strip(), (Piece(a),)) for a in answers]


def prompts(ending="\nIt is"):
    return [
        Prompt(str(i), instruction=(Piece("Judge it."),), query=(Piece(t, True), Piece(ending)))
        for i, t in enumerate(TEXTS)
    ]


def next_token(model, context, answer):
    """log P of the answer's first token, the rest of it left aside."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([context])).logits[0, -1]
    return logits.double().log_softmax(-1)[answer[0]].item()


@pytest.mark.parametrize("ending", ["\nIt is", "\nIt is "], ids=["blank in label", "blank before"])
@pytest.mark.parametrize("family", CAUSAL)
def test_a_candidate_is_its_first_token(family, ending, causal_folder):
    folder = causal_folder(family)
    backend = HFBackend(str(folder), candidate_tokens="first")
    own = candidates("good", "terrible service")
    if ending[-1] != " ":  # llama and gemma join "is" to the blank; see below
        own = candidates(*ANSWERS[: 2 if family in {"llama", "gemma"} else 3])
    asked = prompts(ending)
    found = backend.score(asked, [own] * len(asked))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    for prompt, evidence in zip(asked, found, strict=True):
        request = backend.tokens.request(prompt, own)
        assert max(map(len, request.answers)) > 1
        expected = [next_token(model, request.context, answer) for answer in request.answers]
        assert evidence.log_p == pytest.approx(expected, abs=1e-5)
        assert evidence.n_tokens == (1,) * len(own)
        assert evidence.kind == "log-probability, first token"


def test_a_decoders_first_token_is_that_of_the_label_as_a_text(tmp_path):
    folder = save_seq2seq("t5", tmp_path)
    backend = HFBackend(str(folder), candidate_tokens="first")
    own = candidates(" good", " terrible service")
    found = backend.score(prompts(), [own] * len(TEXTS))
    requests = backend._scorer.requests(prompts(), [own] * len(TEXTS))
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    for request, evidence in zip(requests, found, strict=True):
        with torch.inference_mode():
            logits = model(
                input_ids=torch.tensor([request.context]), decoder_input_ids=torch.tensor([[0]])
            ).logits[0, -1]
        log_p = logits.double().log_softmax(-1)
        expected = [log_p[answer[0]].item() for answer in request.answers]
        assert evidence.log_p == pytest.approx(expected, abs=1e-5)


def test_a_label_of_one_token_has_the_same_evidence_as_ever(causal_folder):
    folder = str(causal_folder("gpt2"))
    own = candidates(" a", " b")
    whole = HFBackend(folder).score(prompts(), [own] * len(TEXTS))
    first = HFBackend(folder, candidate_tokens="first").score(prompts(), [own] * len(TEXTS))
    for one, other in zip(whole, first, strict=True):
        assert one.n_tokens == other.n_tokens == (1, 1)
        assert one.log_p == pytest.approx(other.log_p, abs=1e-5)


def test_it_costs_one_pass_a_row_however_long_the_labels_are(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")), candidate_tokens="first", batch_size=1)
    own = candidates(" good and long", " terrible service at all")
    context = len(backend.tokens.request(prompts()[0], own).context)
    backend.score(prompts()[:1], [own])
    assert backend.cost.computed_tokens == context


def test_labels_that_begin_alike_are_refused_by_name(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")), candidate_tokens="first")
    own = candidates(" good", " not good", " not bad")
    message = "labels 'not good' and 'not bad' both begin with the token 'Ġnot'"
    with pytest.raises(SpecError, match=message):
        backend.score(prompts(), [own] * len(TEXTS))
    assert backend.cost.computed_tokens == 0


def test_an_answer_that_is_joined_to_the_prompt_makes_the_prompts_last_token_the_first(
    causal_folder,
):
    backend = HFBackend(str(causal_folder("llama")), candidate_tokens="first")
    own = candidates(" good", " terrible service", "\nneutral")  # "is▁" is a token here
    message = "'terrible service' and 'neutral' both begin with the token 'is'"
    with pytest.raises(SpecError, match=message):
        backend.score(prompts(), [own] * len(TEXTS))


def test_labels_that_only_equal_each_other_are_two(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")), candidate_tokens="first")
    own = [Candidate(1, (Piece(" not one"),)), Candidate(True, (Piece(" not true"),))]
    with pytest.raises(SpecError, match="labels 1 and True both begin"):
        backend.score(prompts()[:1], [own])


def test_two_words_of_one_label_may_not_count_the_same_token_twice(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")), candidate_tokens="first")
    own = [Candidate("x", (Piece(" not good"),)), Candidate("x", (Piece(" not nice"),))]
    with pytest.raises(SpecError, match="words 'not good' and 'not nice' of label 'x'"):
        backend.score(prompts()[:1], [own])


def test_bytes_of_a_word_do_not_divide_its_first_token(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")), candidate_tokens="first")
    own = candidates(" good", " terrible service")
    evidence = backend.score(prompts()[:1], [own])[0]
    with pytest.raises(CapabilityError, match="how many bytes"):
        WordsVerbalizer(normalize="bytes").pool(evidence, own, ["good", "terrible service"])


def test_a_row_that_does_not_fit_is_unscored_as_ever(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")), candidate_tokens="first")
    prompt = Prompt("q", query=(Piece("x", True), Piece(" word" * 900)))
    found = backend.score([prompt], [candidates(" a", " b")])[0]
    assert "instruction and labels alone take" in found.problem
    assert (found.log_p, found.n_tokens, found.n_bytes) == ((), (), ())


def test_what_writes_is_refused(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")), candidate_tokens="first")
    with pytest.raises(SpecError, match="here the model writes"):
        backend.generate(prompts(), Sampling())


def test_a_masked_model_is_refused(tmp_path):
    with pytest.raises(CapabilityError, match="leave out candidate_tokens=first"):
        HFBackend(str(save_masked("bert", tmp_path)), candidate_tokens="first")


def test_a_wrong_value_names_the_nearest():
    with pytest.raises(SpecError, match="did you mean 'first'"):
        HFBackend("nowhere", candidate_tokens="frist")


def test_a_run_is_another_one_by_first_tokens(causal_folder, home):
    options = {"template": "sentiment_zero_shot", "model": str(causal_folder("gpt2")), "limit": 4}
    options["labels"] = ["negative", "positive"]  # negative and neutral begin alike here
    plain = build(EvalSpec(**options))
    first = build(EvalSpec(**options, backend_options={"candidate_tokens": "first"}))
    assert plain.spec.fingerprint() != first.spec.fingerprint()
    assert "candidate_tokens" not in plain.spec.backend["options"]
    assert run(first).predictions[0].kind == "log-probability, first token"
