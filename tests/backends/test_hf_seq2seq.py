"""Scores of encoder-decoder models equal the plain computation, one label at a time."""

import json
import shutil

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM

from promptkit.backends import hf_passes, hf_seq2seq
from promptkit.backends.hf import HFBackend
from promptkit.backends.hf_passes import absent
from promptkit.backends.hf_seq2seq import Seq2SeqScorer, _Rows
from promptkit.backends.plan import plan
from promptkit.backends.tokens import Request
from promptkit.errors import BackendError
from promptkit.prompts import find_template
from promptkit.types import Candidate, Example, Piece, Prompt
from tests.tiny import save_seq2seq

TEXTS = [
    "Fine.",
    "The room was noisy, the bed was hard and nobody came.",
    "So so <pad> </s> ＜pad＞",
    "ok " * 40,
]
ANSWERS = (" good", " not good at all", " not", "bad", "\nneutral")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_seq2seq("t5", tmp_path_factory.mktemp("t5"))


@pytest.fixture(scope="module")
def bart(tmp_path_factory):
    return save_seq2seq("bart", tmp_path_factory.mktemp("bart"))


@pytest.fixture(scope="module")
def backend(folder):
    return HFBackend(str(folder))


def candidates_of(*answers):
    return [Candidate(a, (Piece(a),)) for a in answers]


def asked():
    prompts = [
        Prompt(
            str(i), instruction=(Piece("Judge it."),), query=(Piece(text, True), Piece("\nIt is"))
        )
        for i, text in enumerate(TEXTS)
    ]
    return prompts, [candidates_of(*ANSWERS)] * len(prompts)


def requests_of(backend, prompts, candidates):
    return backend._scorer.requests(prompts, candidates)


def plain_scores(folder, requests, head=(0,)):
    """log P of each label: encoder and decoder anew for each, nothing shared, nothing padded."""
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    scores = []
    for request in requests:
        row = []
        for answer in request.answers:
            with torch.inference_mode():
                logits = model(
                    input_ids=torch.tensor([request.context]),
                    decoder_input_ids=torch.tensor([[*head, *answer[:-1]]]),
                ).logits[0]
            log_p = logits.double().log_softmax(-1)
            start = len(head) - 1
            row.append(sum(log_p[start + i, t].item() for i, t in enumerate(answer)))
        scores.append(row)
    return scores


def test_scores_equal_the_plain_computation(folder, backend):
    prompts, candidates = asked()
    found = backend.score(prompts, candidates)
    expected = plain_scores(folder, requests_of(backend, prompts, candidates))
    for evidence, row in zip(found, expected, strict=True):
        assert evidence.log_p == pytest.approx(row, abs=1e-5)
        assert evidence.kind == "log-probability"
    assert any(n > 1 for n in found[0].n_tokens)


@pytest.mark.parametrize("batch_size", ["auto", 1, 3])
@pytest.mark.parametrize("cached", [True, False])
def test_scores_of_a_decoder_with_two_first_tokens_and_learned_positions(
    bart, batch_size, cached, monkeypatch
):
    if not cached:
        monkeypatch.setattr(Seq2SeqScorer, "_tried", lambda self: (False, "so asked"))
    backend = HFBackend(str(bart), batch_size=batch_size)
    assert backend._scorer.cached == cached
    prompts, candidates = asked()
    found = backend.score(prompts, candidates)
    expected = plain_scores(bart, requests_of(backend, prompts, candidates), head=(2, 0))
    for evidence, row in zip(found, expected, strict=True):
        assert evidence.log_p == pytest.approx(row, abs=1e-5)


def test_labels_go_on_from_what_is_kept_of_their_row(backend):
    assert backend._scorer.cached
    prompts, candidates = asked()
    requests = requests_of(backend, prompts[:1], candidates[:1])
    before = backend.cost
    backend.score(prompts[:1], candidates[:1])
    spent = backend.cost - before
    tails = {answer[:-1] for answer in requests[0].answers}
    apart = [t for t in tails if not any(o != t and o[: len(t)] == t for o in tails)]
    width = max(map(len, apart))
    assert width > 1
    assert spent.computed_tokens == len(requests[0].context) + 1 + len(apart) * width


@pytest.mark.parametrize("error", [None, RuntimeError])
def test_a_decoder_that_cannot_go_on_decodes_each_label_from_its_beginning(
    folder, error, monkeypatch, caplog
):
    caplog.set_level("INFO")
    usual = _Rows.at

    def wrong(self, which):
        if self.cache is None:
            return usual(self, which)
        if error:
            raise error
        return usual(self, which[::-1])

    monkeypatch.setattr(_Rows, "at", wrong)
    backend = HFBackend(str(folder))
    assert not backend._scorer.cached
    assert ("RuntimeError" if error else "differ by") in caplog.text
    prompts, candidates = asked()
    found = backend.score(prompts, candidates)
    expected = plain_scores(folder, requests_of(backend, prompts, candidates))
    for evidence, row in zip(found, expected, strict=True):
        assert evidence.log_p == pytest.approx(row, abs=1e-5)
        assert evidence.kind == "log-probability, each answer apart"


def test_in_half_precision_a_small_error_is_found_in_a_float32_model_like_it(folder, monkeypatch):
    assert HFBackend(str(folder), dtype="bfloat16")._scorer.cached
    usual = Seq2SeqScorer._add

    def a_little_off(self, logits, wanted, totals):
        return usual(self, logits + 0.01 * logits.abs() if self.cached else logits, wanted, totals)

    monkeypatch.setattr(Seq2SeqScorer, "_add", a_little_off)
    assert not HFBackend(str(folder), dtype="bfloat16")._scorer.cached


@pytest.mark.parametrize(("tokens", "reads"), [(40, 10**6), (10**6, 9), (40, 9)])
def test_many_labels_of_one_row_keep_to_the_budget_of_a_batch(folder, tokens, reads, monkeypatch):
    backend = HFBackend(str(folder))
    scorer = backend._scorer
    prompts, candidates = asked()
    request = requests_of(backend, prompts[:1], candidates[:1])[0]
    planned = [
        one
        for one in plan([Request(scorer._head, request.answers)])
        if len(one.ids) > len(scorer._head)
    ]
    monkeypatch.setitem(hf_passes.BATCH_TOKENS, "cpu", tokens)
    monkeypatch.setattr(hf_seq2seq, "LOGIT_BYTES", 4 * scorer._vocabulary * reads)
    groups = list(scorer._groups(planned * 8, width=1000))
    assert [one for group in groups for one in group] == planned * 8
    for group in groups:
        size = sum(len(one.ids) for one in group)
        assert len(group) == 1 or size <= min(tokens, reads)
    assert max(map(len, groups)) > 1


def test_scores_depend_neither_on_batches_nor_on_the_order_of_rows_and_candidates(folder, backend):
    prompts, candidates = asked()
    whole = backend.score(prompts, candidates)
    one = HFBackend(str(folder), batch_size=1)
    back = one.score(prompts[::-1], [row[::-1] for row in candidates])[::-1]
    for there, here in zip(whole, back, strict=True):
        assert there.example_id == here.example_id
        assert there.log_p == pytest.approx(here.log_p[::-1], abs=1e-5)


def test_the_encoder_reads_what_the_tokenizer_makes_of_the_flat_prompt(backend):
    prompt = Prompt("1", instruction=(Piece("Judge it."),), query=(Piece("It was fine."),))
    request = backend._scorer.requests([prompt], [candidates_of("good", "bad")])[0]
    expected = backend.tokens.tokenizer("Judge it.\n\nIt was fine.")["input_ids"]
    assert list(request.context) == expected
    assert expected.count(backend.tokens.tokenizer.eos_token_id) == 1


def test_an_eos_that_the_template_writes_is_not_doubled(backend):
    prompt = Prompt("1", query=(Piece("It was fine.</s>"),))
    request = backend._scorer.requests([prompt], [candidates_of("good", "bad")])[0]
    assert list(request.context).count(backend.tokens.tokenizer.eos_token_id) == 1


def test_no_control_id_comes_from_a_row(backend):
    prompts, candidates = asked()
    request = requests_of(backend, prompts, candidates)[2]
    assert [t for t in request.context if t in backend.tokens.control] == [
        backend.tokens.tokenizer.eos_token_id
    ]


def test_a_label_has_no_white_space_before_it(backend):
    prompt = Prompt("1", query=(Piece("It was"),))
    one = backend.score([prompt], [candidates_of(" good", "\nnot bad")])[0]
    other = backend.score([prompt], [candidates_of("good", "not bad")])[0]
    assert one == other
    assert one.n_bytes == (4, 7)


def test_a_label_that_begins_another_is_scored_at_its_own_end_and_without_eos(backend):
    prompt = Prompt("1", query=(Piece("It is"),))
    both = backend.score([prompt], [candidates_of("not", "not good")])[0]
    alone = backend.score([prompt], [candidates_of("not")])[0]
    assert both.log_p[0] == pytest.approx(alone.log_p[0], abs=1e-5)
    assert both.log_p[1] < both.log_p[0]


def test_a_row_is_encoded_once_for_all_its_labels(backend):
    prompt = Prompt("1", query=(Piece("It is"),))
    labels = candidates_of("great", "it", "was")
    request = backend._scorer.requests([prompt], [labels])[0]
    before = backend.cost
    backend.score([prompt], [labels])
    spent = backend.cost - before
    tails = {answer[:-1] for answer in request.answers}
    apart = [t for t in tails if not any(o != t and o[: len(t)] == t for o in tails)]
    width = 1 + max(map(len, apart))
    assert spent.computed_tokens == len(request.context) + len(apart) * width


def test_a_long_prompt_loses_demonstrations_first_then_the_rows_own_text(folder, tmp_path):
    short = tmp_path / "short"
    shutil.copytree(folder, short)
    config = json.loads((short / "config.json").read_text())
    (short / "config.json").write_text(json.dumps(config | {"n_positions": 128}))
    backend = HFBackend(str(short))
    assert backend.max_tokens == 128
    template = find_template("sentiment_cloze")
    shots = [Example(f"s{i}", {"text": "fine " * 10}, "neutral") for i in range(8)]
    for text, cut in (("the end", False), ("the end " * 200, True)):
        example = Example("q", {"text": text}, None)
        found = backend.score(
            [template.prompt(example, shots)], [template.candidates(example, "text")]
        )[0]
        assert len(found.log_p) == 3
        assert found.dropped_shots > 0
        assert (found.cut_chars > 0) == cut


def test_a_model_that_does_not_say_how_its_decoder_begins_is_refused(folder, tmp_path):
    headless = tmp_path / "headless"
    shutil.copytree(folder, headless)
    for name in ("config.json", "generation_config.json"):
        if (headless / name).exists():
            content = json.loads((headless / name).read_text())
            content.pop("decoder_start_token_id", None)
            (headless / name).write_text(json.dumps(content))
    with pytest.raises(BackendError, match="set decoder_start_token_id in its config"):
        HFBackend(str(headless))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [((5, 6), ((0,), (2,))), ((0, 5, 2), ((), ())), ((5, 2), ((0,), ())), ((), ((0,), (2,)))],
)
def test_what_a_tokenizer_puts_around_a_text_is_put_there_once(ids, expected):
    assert absent(ids, ((0,), (2,))) == expected
    assert absent(ids, ((), ())) == ((), ())
