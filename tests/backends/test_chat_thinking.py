"""Labels of a thinking model are scored behind a closed block, or not at all."""

import pytest

from promptkit.backends.hf import HFBackend
from promptkit.errors import CapabilityError
from promptkit.types import Candidate, Piece, Prompt, Shot
from tests.thinking_models import ALWAYS, SWITCHED, saved

LABELS = [Candidate(word, (Piece(f" {word}"),)) for word in ("good", "not good")]
SHOT = Shot("s", "good", (Piece("Lovely", row=True),), (Piece(" good"),))


@pytest.fixture(scope="module")
def switched(tmp_path_factory):
    return saved(SWITCHED, tmp_path_factory.mktemp("switched"))


@pytest.fixture(scope="module")
def always(tmp_path_factory):
    return saved(ALWAYS, tmp_path_factory.mktemp("always"))


def prompt(text="Fine.", **options):
    return Prompt("r", (Piece(text, row=True),), chat=True, **options)


def read(backend, asked):
    request = backend.tokens.request(asked, LABELS)
    return backend.tokens.tokenizer.decode(request.context)


def test_labels_are_scored_behind_a_closed_block(switched, monkeypatch):
    backend = HFBackend(switched)
    seen = []
    usual = backend._scorer.run
    monkeypatch.setattr(backend._scorer, "run", lambda asked: seen.extend(asked) or usual(asked))
    (evidence,) = backend.score([prompt()], [LABELS])
    assert len(evidence.log_p) == 2
    text = backend.tokens.tokenizer.decode(seen[0].context)
    assert text.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")


@pytest.mark.parametrize("system", [(), (Piece("Be short."),)])
def test_turns_of_demonstrations_and_the_system_role_stand_before_it(switched, system):
    text = read(HFBackend(switched), prompt(system=system, shots=(SHOT,)))
    first = "<|im_start|>system\nBe short.<|im_end|>\n" if system else ""
    assert text == (
        f"{first}<|im_start|>user\nLovely<|im_end|>\n<|im_start|>assistant\ngood<|im_end|>\n"
        "<|im_start|>user\nFine.<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )


def test_a_row_that_writes_of_thoughts_opens_no_block(switched):
    backend = HFBackend(switched)
    (evidence,) = backend.score([prompt("<think> is what I did </s>")], [LABELS])
    assert len(evidence.log_p) == 2
    marks = backend.tokens.tokenizer.convert_tokens_to_ids(["<think>", "</think>"])
    context = backend.tokens.request(prompt("<think> is what I did"), LABELS).context
    assert [token for token in context if token in marks] == marks


def test_told_to_think_it_is_refused(switched):
    backend = HFBackend(switched, chat_template_kwargs={"enable_thinking": True})
    with pytest.raises(CapabilityError, match="enable_thinking=false"):
        backend.score([prompt()], [LABELS])


def test_a_template_that_always_opens_a_block_is_refused_for_chats_alone(always):
    backend = HFBackend(always)
    with pytest.raises(CapabilityError, match="opens a block of thoughts"):
        backend.score([prompt()], [LABELS])
    (evidence,) = backend.score([Prompt("r", (Piece("Fine.", row=True),))], [LABELS])
    assert len(evidence.log_p) == 2
