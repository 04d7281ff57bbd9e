"""The embedding backend: sentence-transformers' own vectors, and cosines checked by hand."""

from functools import lru_cache

import numpy as np
import pytest

from promptkit.backends.embedding import EmbeddingBackend
from promptkit.backends.weights import locate
from promptkit.errors import CapabilityError, SpecError
from promptkit.types import Candidate, Piece, Prompt, Shot

PLAIN = [
    "Fine.",
    "The room was noisy, the bed was hard  and nobody came.",
    "Ünïcödé, né 😀 and 日本",
    "ok " * 90,
    "word " * 600,
]
STATEMENTS = {"good": ("It is good.", "I like it."), "bad": ("It is bad.",)}


@lru_cache
def backend_of(**options):
    return EmbeddingBackend(**options)


@pytest.fixture(scope="module")
def theirs():
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(locate("minilm").path), device="cpu", local_files_only=True)


def prompt_of(text, shots=()):
    return Prompt("q", query=(Piece(text, True),), encoded=(Piece(text, True),), shots=tuple(shots))


def candidates_of(statements=STATEMENTS):
    return [Candidate(label, (), told) for label, told in statements.items()]


def shot(label, text, number=0):
    return Shot(f"s{number}", label, (Piece(text, True),), (Piece("x"),), encoded=text)


def scores(prompt, candidates=None, **options):
    (found,) = backend_of(**options).score([prompt], [candidates or candidates_of()])
    return found.log_p


def test_vectors_of_plain_texts_are_those_of_sentence_transformers(theirs):
    ours = backend_of().encode(PLAIN)
    assert np.abs(ours - theirs.encode(PLAIN)).max() < 1e-5


def test_vectors_have_length_one():
    assert np.allclose(np.linalg.norm(backend_of().encode(PLAIN), axis=1), 1, atol=1e-6)


def test_no_texts_give_no_vectors():
    assert len(backend_of().encode([])) == 0


@pytest.mark.parametrize("control", ["[SEP]", "[MASK]", "[CLS]", "[PAD]"])
def test_a_control_token_in_a_row_stays_plain_text(theirs, control):
    text = f"good {control} bad"
    tokens = backend_of().tokens
    ours = tokens.encode([(Piece(text, True),)])[0].ids
    assert tokens.tokenizer.convert_tokens_to_ids(control) not in ours
    # left to itself, sentence-transformers reads the control token
    by_itself = theirs.tokenizer(text)["input_ids"][1:-1]
    assert tokens.tokenizer.convert_tokens_to_ids(control) in by_itself
    assert np.abs(backend_of().encode([text])[0] - theirs.encode(text)).max() > 1e-3


def test_a_long_text_is_cut_at_the_models_length_and_the_cut_is_counted():
    backend = backend_of()
    assert backend.max_tokens == 256
    words = ["word"] * 300
    (found,) = backend.score([prompt_of(" ".join(words))], [candidates_of()])
    kept = " ".join(words[:254])  # [CLS] and [SEP] take two places
    assert found.cut_chars == len(" ".join(words)) - len(kept)
    assert found.log_p == pytest.approx(scores(prompt_of(kept)), abs=1e-5)
    (whole,) = backend.score([prompt_of(kept)], [candidates_of()])
    assert whole.cut_chars == 0


def test_evidence_is_the_mean_cosine_to_the_labels_statements_by_the_temperature():
    texts = ["A pleasant stay.", *STATEMENTS["good"], *STATEMENTS["bad"]]
    row, one, two, bad = backend_of().encode(texts).astype(float)
    expected = [(row @ one + row @ two) / 2 / 0.05, row @ bad / 0.05]
    assert scores(prompt_of(texts[0])) == pytest.approx(expected, abs=1e-4)


def test_the_temperature_scales_the_evidence():
    prompt = prompt_of("A pleasant stay.")
    cold, warm = scores(prompt, temperature=0.1), scores(prompt, temperature=1.0)
    assert cold == pytest.approx([10 * value for value in warm], abs=1e-4)


@pytest.mark.parametrize("weight", [1.0, 0.25])
def test_demonstrations_join_the_statements_of_their_label_with_their_weight(weight):
    texts = ["A pleasant stay.", *STATEMENTS["good"], *STATEMENTS["bad"], "Lovely!", "Superb!"]
    row, one, two, bad, first, second = backend_of().encode(texts).astype(float)
    shots = [shot("good", "Lovely!", 1), shot("good", "Superb!", 2)]
    near = row @ one + row @ two + weight * (row @ first + row @ second)
    expected = [near / (2 + 2 * weight) / 1.0, row @ bad / 1.0]
    found = scores(prompt_of(texts[0], shots), temperature=1.0, shot_weight=weight)
    assert found == pytest.approx(expected, abs=1e-5)


def test_demonstrations_of_no_weight_change_nothing():
    prompt = prompt_of("A pleasant stay.")
    shown = prompt_of("A pleasant stay.", [shot("good", "Lovely!"), shot("bad", "Awful!", 1)])
    assert scores(shown, shot_weight=0.0) == pytest.approx(scores(prompt), abs=1e-5)


@pytest.mark.parametrize("label", [1, True, "1", 1.0], ids=repr)
def test_a_demonstration_joins_the_label_of_its_own_type(label):
    statements = ("It is so.",)
    candidates = [Candidate(one, (), statements) for one in (1, True, "1", 1.0)]
    found = scores(prompt_of("A stay.", [shot(label, "A stay.")]), candidates)
    highest = [c.label for c, value in zip(candidates, found, strict=True) if value == max(found)]
    assert [(type(one), one) for one in highest] == [(type(label), label)]


def test_what_an_earlier_call_embedded_is_not_embedded_again():
    backend = EmbeddingBackend()
    backend.score([prompt_of("A stay.")], [candidates_of()])
    before = backend.cost.computed_tokens
    backend.score([prompt_of("A stay.")], [candidates_of()])
    assert backend.cost.computed_tokens == before


def test_the_meter_counts_rows_and_their_tokens_once():
    backend = EmbeddingBackend()
    backend.score([prompt_of("A stay."), prompt_of("A long stay.")], [candidates_of()] * 2)
    assert backend.cost.rows == 2
    assert backend.cost.prompt_tokens == 5 + 6
    assert backend.cost.computed_tokens > backend.cost.prompt_tokens
    assert backend.cost.seconds > 0
    assert backend.cost.peak_bytes > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": 0}, "'temperature' is 0; it must be above 0"),
        ({"temperature": -1.0}, "must be above 0"),
        ({"temperature": float("nan")}, "must be above 0"),
        ({"shot_weight": -0.5}, "'shot_weight' is -0.5; it must be 0 or more"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_at_once(options, said):
    with pytest.raises(SpecError, match=said):
        EmbeddingBackend(**options)


def test_a_language_model_is_refused_with_the_backend_that_takes_it(causal_folder):
    with pytest.raises(CapabilityError, match="use --backend hf"):
        EmbeddingBackend(str(causal_folder("gpt2")))
