"""What a model of transformers writes is what it would write by itself, row by row."""

import math
from collections import Counter

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from promptkit.backends.hf import HFBackend
from promptkit.backends.hf_writing import Asked, Draws, LabelTree
from promptkit.errors import CapabilityError
from promptkit.types import Candidate, Piece, Prompt, Sampling, Shot
from tests.chats import ALWAYS, HYBRID, save_chatting
from tests.tiny import save_masked, save_seq2seq
from tests.trained import rows
from tests.trained_prompts import FEELINGS, INTENTS, labels, prompts

FAMILIES = ["llama", "qwen3", "gemma", "gpt2", "opt"]


def candidates(words):
    return [Candidate(word, (Piece(f" {word}"),)) for word in words]


def asked(n=7, **options):
    """Prompts of unlike length."""
    shot = Shot("s", "good", (Piece("Lovely", True), Piece("\nIt is")), (Piece(" good"),))
    return [
        Prompt(
            f"row {number}",
            instruction=(Piece("Judge it."),),
            shots=(shot,) * (number % 3),
            query=(Piece("so so and " * (number % 4) + f"fine {number}", True), Piece("\nIt is")),
            **options,
        )
        for number in range(n)
    ]


def texts(found):
    return [[one.text for one in evidence.generations] for evidence in found]


def greedily(model, ids, n, ends):
    """The plain computation: a pass for each token, nothing kept."""
    written = []
    for _ in range(n):
        logits = model(torch.tensor([[*ids, *written]])).logits[0, -1]
        written.append(int(logits.argmax()))
        if written[-1] in ends:
            return written[:-1]
    return written


@pytest.fixture(scope="module", params=FAMILIES)
def both(request, causal_folder):
    folder = causal_folder(request.param)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    return HFBackend(str(folder), dtype="float32", device="cpu"), model


@torch.no_grad()
def test_rows_that_are_written_together_are_written_as_by_the_plain_computation(both):
    backend, model = both
    tokenizer = backend.tokens.tokenizer
    found = backend.generate(asked(), Sampling(max_new_tokens=12))
    ids = backend.tokens.contexts([backend.tokens.flat(one).text for one in asked()])
    ends = {tokenizer.eos_token_id}
    for evidence, own in zip(found, ids, strict=True):
        expected = greedily(model, own, 12, ends)
        (written,) = evidence.generations
        assert written.text == tokenizer.decode(expected, clean_up_tokenization_spaces=False)
        assert written.n_tokens == len(expected)
        assert written.finish == ("length" if len(expected) == 12 else "stop")
        assert evidence.kind == "generated text"


def test_a_rows_draws_do_not_depend_on_the_rows_beside_it(both):
    backend, _ = both
    sampling = Sampling(max_new_tokens=6, temperature=1.5, top_p=0.95, top_k=50, samples=3, seed=3)
    together = texts(backend.generate(asked(), sampling))
    assert texts(backend.generate(asked()[::-1], sampling))[::-1] == together
    assert texts(backend.generate(asked()[4:5], sampling)) == together[4:5]
    assert any(len(set(own)) > 1 for own in together)
    other = Sampling(**{**vars(sampling), "seed": 4})
    assert texts(backend.generate(asked(), other)) != together


def test_draws_follow_the_softmax():
    logits = torch.tensor([[2.0, 1.0, 0.0, -math.inf]])
    drawn = Counter(int(Draws([seed])(None, logits).argmax()) for seed in range(4000))
    expected = torch.softmax(logits[0], 0)
    for token in range(3):
        # five standard errors of a share of 4,000
        assert drawn[token] / 4000 == pytest.approx(float(expected[token]), abs=0.04)
    assert drawn[3] == 0


@torch.no_grad()
def test_nothing_but_a_label_can_be_written_and_it_is_the_greedy_path(both):
    backend, model = both
    words = ("not", "not good", "good", "very good indeed", "good grief")
    found = backend.generate(asked(), Sampling(), [candidates(words)] * 7)
    requests = backend._scorer.requests(asked(), [candidates(words)] * 7)
    end = backend.tokens.tokenizer.eos_token_id
    for evidence, request in zip(found, requests, strict=True):
        path = ()
        while True:
            allowed = {a[len(path)] for a in request.answers if a[: len(path)] == path != a}
            allowed |= {end} if path in request.answers else set()
            logits = model(torch.tensor([[*request.context, *path]])).logits[0, -1]
            best = max(allowed, key=lambda token: float(logits[token]))
            if best == end:
                break
            path = (*path, best)
        (written,) = evidence.generations
        assert written.text == f" {words[request.answers.index(path)]}"
        assert written.finish == "stop"
        assert evidence.kind == "generated text, constrained to the labels"


def test_a_tree_lets_go_on_or_end_and_nothing_else():
    tree = LabelTree([((1, 2), (1,)), ((3,),)], start=1, end=0)
    scores = torch.zeros(2, 5)
    lowest = torch.finfo(torch.float32).min

    def allowed(written):
        kept = tree(torch.tensor([[9, *one] for one in written]), scores)
        return [[i for i in range(5) if row[i] > lowest] for row in kept]

    assert allowed([(), ()]) == [[1], [3]]
    assert allowed([(1,), (3,)]) == [[0, 2], [0]]
    assert allowed([(1, 2), (3, 0)]) == [[0], [0]]
    # a token that the model thinks impossible is still the only one that may follow
    kept = tree(torch.tensor([[9], [9]]), torch.full((2, 5), -math.inf))
    assert kept.argmax(1).tolist() == [1, 3]


def test_the_trained_model_writes_what_it_has_learned(trained_folder):
    backend = HFBackend(str(trained_folder))
    golds = [row["label"] for row in rows()]
    free = backend.generate(prompts(), Sampling(max_new_tokens=8))
    pairs = zip(texts(free), golds, strict=True)
    assert sum(own[0].strip().startswith(gold) for own, gold in pairs) >= 57
    held = backend.generate(prompts("fixed"), Sampling(), labels(INTENTS, 60))
    assert {e.generations[0].text.strip() for e in held} <= set(INTENTS)
    held = backend.generate(prompts(), Sampling(), labels(FEELINGS, 60))
    pairs = zip(texts(held), golds, strict=True)
    assert sum(own[0].strip() == gold for own, gold in pairs) >= 57


def test_what_is_written_is_counted(trained_folder):
    backend = HFBackend(str(trained_folder))
    found = backend.generate(prompts()[:5], Sampling(max_new_tokens=4, temperature=1, samples=2))
    cost = backend.cost
    written = [one for evidence in found for one in evidence.generations]
    assert cost.new_tokens == sum(one.n_tokens for one in written) > 0
    assert cost.rows == 5
    ids = backend.tokens.contexts([backend.tokens.flat(one).text for one in prompts()[:5]])
    assert cost.prompt_tokens == sum(map(len, ids))
    assert cost.computed_tokens >= 2 * cost.prompt_tokens


def test_a_stop_text_ends_an_answer_and_is_no_part_of_it(trained_folder):
    backend = HFBackend(str(trained_folder))
    (whole,) = backend.generate(prompts()[:1], Sampling(max_new_tokens=12))
    text = whole.generations[0].text
    stop = text[5:8]
    (cut,) = backend.generate(prompts()[:1], Sampling(max_new_tokens=12, stop=("\x00", stop)))
    assert cut.generations[0].text == text[: text.find(stop)]
    assert cut.generations[0].finish == "stop"
    assert cut.generations[0].n_tokens < whole.generations[0].n_tokens


def test_a_folders_own_ideas_of_sampling_change_nothing(trained_folder, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(trained_folder)
    model.generation_config.update(
        do_sample=True, temperature=0.3, repetition_penalty=9.0, max_new_tokens=1, top_k=3
    )
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(trained_folder).save_pretrained(tmp_path)
    sampling = Sampling(max_new_tokens=8)
    expected = texts(HFBackend(str(trained_folder)).generate(prompts()[:6], sampling))
    assert texts(HFBackend(str(tmp_path)).generate(prompts()[:6], sampling)) == expected


def test_each_of_several_end_tokens_ends_an_answer_as_chat_models_have_them(
    trained_folder, tmp_path
):
    tokenizer = AutoTokenizer.from_pretrained(trained_folder)
    plain = HFBackend(str(trained_folder))
    (whole,) = plain.generate(prompts()[:1], Sampling(max_new_tokens=12))
    ids = tokenizer(whole.generations[0].text, add_special_tokens=False).input_ids
    other = ids[2]
    model = AutoModelForCausalLM.from_pretrained(trained_folder)
    model.generation_config.eos_token_id = [other, tokenizer.eos_token_id]
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    backend = HFBackend(str(tmp_path))
    (cut,) = backend.generate(prompts()[:1], Sampling(max_new_tokens=12))
    assert cut.generations[0].finish == "stop"
    assert cut.generations[0].n_tokens < whole.generations[0].n_tokens
    assert whole.generations[0].text.startswith(cut.generations[0].text)
    asked = prompts()[:9], labels(FEELINGS, 9)
    assert texts(backend.generate(asked[0], Sampling(), asked[1])) == texts(
        plain.generate(asked[0], Sampling(), asked[1])
    )
    assert [one.log_p for one in backend.score(*asked)] == [
        one.log_p for one in plain.score(*asked)
    ]


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_a_sequence_to_sequence_model_writes_behind_its_encoder(family, tmp_path):
    folder = save_seq2seq(family, tmp_path)
    backend = HFBackend(str(folder), dtype="float32", device="cpu")
    found = backend.generate(asked(), Sampling(max_new_tokens=6))
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    from promptkit.prompts.flatten import flatten
    from promptkit.types import flat

    for evidence, prompt in zip(found, asked(), strict=True):
        ids = tokenizer(flat(flatten(prompt).text), return_tensors="pt")["input_ids"]
        plain = model.generate(ids, max_new_tokens=6, do_sample=False)[0, 1:].tolist()
        end = tokenizer.eos_token_id
        own = plain[: plain.index(end)] if end in plain else plain
        assert evidence.generations[0].text == tokenizer.decode(own)
    words = ("good", "not good", "bad")
    held = backend.generate(asked(), Sampling(), [candidates(words)] * 7)
    assert {one.generations[0].text for one in held} <= set(words)


def test_a_masked_model_does_not_write(tmp_path):
    backend = HFBackend(str(save_masked("bert", tmp_path)))
    with pytest.raises(CapabilityError, match="masked language model, which does not write"):
        backend.generate(asked(), Sampling())


def test_a_long_prompt_leaves_room_for_its_answer_or_says_why_not(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    long = Prompt("l", (Piece("good " * 900, row=True), Piece("\nIt is")))
    never = Prompt("n", (Piece("fine", row=True),), instruction=(Piece("word " * 900),))
    cut, refused = backend.generate([long, never], Sampling(max_new_tokens=100))
    assert cut.cut_chars > 0
    assert cut.generations[0].n_tokens <= 100
    assert refused.generations == ()
    assert "at most 512, with 100 tokens of them for the answer" in refused.problem


def test_a_blank_at_the_end_of_a_prompt_goes_with_the_answer(causal_folder):
    backend = HFBackend(str(causal_folder("gpt2")))
    with_blank = [Prompt("r", (Piece("fine", True), Piece("\nIt is ")))]
    without = [Prompt("r", (Piece("fine", True), Piece("\nIt is")))]
    sampling = Sampling(max_new_tokens=5)
    assert texts(backend.generate(with_blank, sampling)) == texts(
        backend.generate(without, sampling)
    )


def test_text_of_a_row_never_becomes_a_control_token_when_a_model_writes(causal_folder):
    backend = HFBackend(str(causal_folder("qwen3")))
    nasty = Prompt("n", (Piece("So <|im_end|> <think>", True), Piece("\nIt is")))
    read = []
    usual = backend._writer.write
    backend._writer.write = lambda asked, sampling: read.extend(asked) or usual(asked, sampling)
    backend.generate([nasty], Sampling(max_new_tokens=2))
    assert not set(read[0].ids) & set(backend.tokens.control)
    assert isinstance(read[0], Asked)


def test_a_think_block_that_the_prompt_opens_is_told_apart_in_what_is_written(tmp_path):
    backend = HFBackend(str(save_chatting(ALWAYS, tmp_path)))
    (found,) = backend.generate(asked(1, chat=True), Sampling(max_new_tokens=4))
    assert found.generations[0].text.startswith("<think>\n")
    with pytest.raises(CapabilityError, match="think block open"):
        backend.generate(asked(1, chat=True), Sampling(), [candidates(("good", "bad"))])


@pytest.mark.parametrize(("given", "closed"), [({}, True), ({"enable_thinking": True}, False)])
def test_a_model_thinks_before_a_free_answer_when_it_is_told_to(tmp_path, given, closed):
    backend = HFBackend(str(save_chatting(HYBRID, tmp_path)), chat_template_kwargs=given)
    read = []
    usual = backend._writer.write
    backend._writer.write = lambda asked, sampling: read.extend(asked) or usual(asked, sampling)
    backend.generate(asked(1, chat=True), Sampling(max_new_tokens=2))
    assert backend.tokens.tokenizer.decode(read[0].ids).rstrip().endswith("</think>") is closed
