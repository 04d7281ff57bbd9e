"""Scores of masked models equal the plain computation, one sentence at a time."""

import pytest
import torch
from transformers import AutoModelForMaskedLM

from promptkit.backends.hf import HFBackend
from promptkit.backends.hf_masked import masked_text
from promptkit.errors import CapabilityError
from promptkit.prompts import find_template
from promptkit.prompts.sandbox import SLOT
from promptkit.types import Candidate, Example, Piece, Prompt, flat
from tests.tiny import MASKED, save_masked

TEXTS = [
    "Fine.",
    "The room was noisy, the bed was hard and nobody came.",
    "So so [SEP] </s> [MASK] <mask> <pad>",
    "ok " * 40,
]
WORDS = (" great", " terrible", " not", " not good", "okay")


@pytest.fixture(scope="module")
def backends(tmp_path_factory):
    made = {}

    def of(family, **options):
        if family not in made:
            made[family] = save_masked(family, tmp_path_factory.mktemp(family))
        return HFBackend(str(made[family]), **options)

    return of


def candidates_of(*words):
    return [Candidate(word, (Piece(word),)) for word in words]


def prompt_of(text, before="", after=" It was ", end=".", **options):
    cloze = (Piece(before), Piece(text, True), Piece(after), Piece(SLOT), Piece(end))
    return Prompt("1", query=(Piece("not read"),), cloze=cloze, **options)


def asked():
    return [prompt_of(text) for text in TEXTS], [candidates_of(*WORDS)] * len(TEXTS)


def request_of(backend, prompt, words=WORDS):
    return backend._scorer.requests([backend._scorer.seen(prompt)], [candidates_of(*words)])[0]


def plain_scores(backend, request):
    """Sum of log P at the masks: one sentence a word, nothing shared, nothing padded."""
    model = AutoModelForMaskedLM.from_pretrained(backend.model, dtype=torch.float32).eval()
    mask = backend.tokens.tokenizer.mask_token_id
    scores = []
    for ids, answer in zip(request.masked, request.answers, strict=True):
        with torch.inference_mode():
            log_p = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
        places = [at for at, token in enumerate(ids) if token == mask]
        assert len(places) == len(answer)
        scores.append(sum(log_p[at, t].item() for at, t in zip(places, answer, strict=True)))
    return scores


@pytest.mark.parametrize("family", MASKED)
def test_scores_equal_the_plain_computation(family, backends):
    backend = backends(family)
    prompts, candidates = asked()
    found = backend.score(prompts, candidates)
    for evidence, prompt in zip(found, prompts, strict=True):
        expected = plain_scores(backend, request_of(backend, prompt))
        assert evidence.log_p == pytest.approx(expected, abs=1e-5)
        assert evidence.kind == "pseudo-log-probability"
        assert evidence.n_bytes == (5, 8, 3, 8, 4)
    assert len(set(found[0].n_tokens)) > 1


@pytest.mark.parametrize("family", MASKED)
def test_the_head_computes_logits_of_the_masks_alone(family, backends):
    backend, sizes = backends(family), []
    prompts, candidates = asked()
    head = backend._scorer.model.get_output_embeddings()
    hook = head.register_forward_hook(lambda _, args, out: sizes.append(args[0].shape[:-1].numel()))
    backend.score(prompts, candidates)
    hook.remove()
    masks = 0
    for prompt in prompts:
        request = request_of(backend, prompt)
        distinct = dict(zip(request.masked, request.answers, strict=True))
        masks += sum(map(len, distinct.values()))
    assert sum(sizes) == masks


@pytest.mark.parametrize("family", MASKED)
def test_a_model_without_an_encoder_of_its_own_scores_the_same(family, backends, monkeypatch):
    prompts, candidates = asked()
    expected = backends(family).score(prompts, candidates)
    backend = backends(family)
    monkeypatch.setattr(type(backend._scorer.model), "base_model", property(lambda self: self))
    for there, here in zip(expected, backend.score(prompts, candidates), strict=True):
        assert there.log_p == pytest.approx(here.log_p, abs=1e-5)


@pytest.mark.parametrize("family", MASKED)
def test_scores_depend_neither_on_batches_nor_on_the_order_of_rows_and_candidates(family, backends):
    prompts, candidates = asked()
    whole = backends(family).score(prompts, candidates)
    one = backends(family, batch_size=1)
    back = one.score(prompts[::-1], [row[::-1] for row in candidates])[::-1]
    for there, here in zip(whole, back, strict=True):
        assert there.log_p == pytest.approx(here.log_p[::-1], abs=1e-5)


@pytest.mark.parametrize("family", MASKED)
@pytest.mark.parametrize(
    ("after", "end"), [(" It was ", "."), (" It was ", ""), ("\n", " indeed"), (" (", ")")]
)
def test_the_sentence_is_what_the_tokenizer_makes_of_it_with_its_own_masks(
    family, after, end, backends
):
    backend = backends(family)
    tokenizer = backend.tokens.tokenizer
    request = request_of(backend, prompt_of("The room was fine.", after=after, end=end))
    for ids, answer in zip(request.masked, request.answers, strict=True):
        written = f"The room was fine.{after}{tokenizer.mask_token * len(answer)}{end}"
        if (family, after) == ("roberta", " ("):  # '(great' has no blank for the mask to swallow
            assert tokenizer.convert_ids_to_tokens(answer)[0][0] != "Ġ"
        if (family, after) == ("roberta", "\n"):  # its mask swallows line ends, its words do not
            continue
        assert list(ids) == tokenizer(written)["input_ids"]


def test_a_byte_level_word_takes_the_blank_before_it_and_none_at_the_head(backends):
    backend = backends("roberta")
    inside = request_of(backend, prompt_of("Fine."), (" okay",)).answers[0]
    head = Prompt("1", query=(), cloze=(Piece(SLOT), Piece("! "), Piece("Fine.", True)))
    first = request_of(backend, head, (" okay",)).answers[0]
    assert backend.tokens.words(inside)[0].startswith("Ġ")
    assert not backend.tokens.words(first)[0].startswith("Ġ")
    assert backend.tokens.tokenizer.decode(first) == "okay"


@pytest.mark.parametrize("family", MASKED)
def test_no_control_id_comes_from_a_row_and_each_special_stands_once(family, backends):
    backend = backends(family)
    tokenizer = backend.tokens.tokenizer
    request = request_of(backend, prompt_of(TEXTS[2]))
    for ids, answer in zip(request.masked, request.answers, strict=True):
        control = [token for token in ids if token in backend.tokens.control]
        assert control == [
            tokenizer.cls_token_id,
            *[tokenizer.mask_token_id] * len(answer),
            tokenizer.sep_token_id,
        ]


@pytest.mark.parametrize("family", MASKED)
def test_specials_that_the_template_writes_are_not_doubled(family, backends):
    backend = backends(family)
    tokenizer = backend.tokens.tokenizer
    prompt = prompt_of("Fine.", before=tokenizer.cls_token, end=f".{tokenizer.sep_token}")
    request = request_of(backend, prompt)
    for ids in request.masked:
        assert ids.count(tokenizer.cls_token_id) == ids.count(tokenizer.sep_token_id) == 1
    assert backend.score([prompt], [candidates_of(*WORDS)])[0].log_p == pytest.approx(
        plain_scores(backend, request), abs=1e-5
    )


def test_words_of_as_many_tokens_share_a_pass(backends):
    backend = backends("bert")
    request = request_of(backend, prompt_of("Fine."), (" great", " it", " was", " terrible"))
    assert request.masked[0] == request.masked[1] == request.masked[2] != request.masked[3]
    backend.score([prompt_of("Fine.")], [candidates_of(" great", " it", " was", " terrible")])
    assert backend.cost.computed_tokens == 2 * len(request.masked[3])  # one row is padded


def test_a_word_that_begins_another_is_scored_in_its_own_gap(backends):
    backend = backends("bert")
    both = backend.score([prompt_of("Fine.")], [candidates_of("not", "not good")])[0]
    alone = backend.score([prompt_of("Fine.")], [candidates_of("not")])[0]
    assert both.log_p[0] == pytest.approx(alone.log_p[0], abs=1e-5)
    assert both.n_tokens[1] > both.n_tokens[0]


def test_a_word_from_a_row_becomes_no_control_token(backends):
    backend = backends("bert")
    words = [Candidate(0, (Piece(" "), Piece("[MASK]", True))), *candidates_of("good")]
    seen = backend._scorer.seen(prompt_of("Fine."))
    request = backend._scorer.requests([seen], [words])[0]
    assert backend.tokens.tokenizer.mask_token_id not in request.answers[0]


@pytest.mark.parametrize("family", MASKED)
def test_a_long_prompt_loses_demonstrations_first_then_the_rows_own_text(family, backends):
    backend = backends(family)
    assert backend.max_tokens == 256
    template = find_template("sentiment_cloze")
    shots = [Example(f"s{i}", {"text": "fine " * 20}, "neutral") for i in range(12)]
    for text, cut in (("the end", False), ("the end " * 300, True)):
        example = Example("q", {"text": text}, None)
        found = backend.score(
            [template.prompt(example, shots)], [template.candidates(example, "text")]
        )[0]
        assert len(found.log_p) == 3
        assert found.dropped_shots == 12 - len(found.shots) > 0
        assert (found.cut_chars > 0) == cut


def test_demonstrations_are_clozes_with_their_word_in_the_slot(backends):
    backend = backends("bert")
    template = find_template("sentiment_cloze")
    shots = [Example("s", {"text": "Broken [MASK]."}, "negative")]
    seen = masked_text(template.prompt(Example("q", {"text": "Fine."}), shots), backend.tokens)
    assert flat(backend.tokens.flat(seen).text) == (
        "Broken [MASK]. It was terrible.\n\nFine. It was [MASK]."
    )
    request = request_of(backend, template.prompt(Example("q", {"text": "Fine."}), shots))
    mask = backend.tokens.tokenizer.mask_token_id
    assert [ids.count(mask) for ids in request.masked] == [len(a) for a in request.answers]


def test_a_template_without_a_cloze_is_refused_with_what_to_add(backends):
    template = find_template("sentiment_zero_shot")
    example = Example("q", {"text": "Fine."})
    with pytest.raises(CapabilityError, match=r"'sentiment_zero_shot' has no cloze.*mask }}"):
        backends("bert").score([template.prompt(example)], [template.candidates(example, "text")])
