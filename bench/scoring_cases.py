"""Prompts and models of `bench.scoring`: six cases, rows of real data, random weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.box import box
from promptkit.prompts.flatten import flatten
from promptkit.types import Candidate, Piece, Prompt, Shot, Text, flat

#: Attention is 64 wide in each head, as in real models of every size.
HEAD = 64

Row = tuple[str, str]


@dataclass(frozen=True)
class Case:
    """Rows to be scored.

    Args:
        name: What it is.
        prompts: One for each row.
        labels: What may follow each of them, white space in front.
        harness: Rows that the harness gets; it is slow where labels are many.
        plain: Rows for which the plain loop runs too.
    """

    name: str
    prompts: tuple[Prompt, ...]
    labels: tuple[str, ...]
    harness: int
    plain: int

    @property
    def contexts(self) -> list[str]:
        """The prompts as text, which is what the others are given."""
        return [flat(flatten(prompt).text) for prompt in self.prompts]

    def candidates(self) -> list[list[Candidate]]:
        """The same labels for each row."""
        own = [Candidate(label.strip(), (Piece(label),)) for label in self.labels]
        return [own] * len(self.prompts)


def cases(data: Path | None, scale: float = 1.0) -> list[Case]:
    """The six cases.

    Args:
        data: Folder with ``sst2`` and ``banking77``; None for in-box rows.
        scale: Rows of each case in relation to the usual number.
    """
    train, test = rows(data, "sst2", "customer_reviews")
    queries, asked = rows(data, "banking77", "support_intents")
    words = tuple(f" {label}" for label in sorted({label for _, label in train}))
    intents = tuple(f" {_words(label)}" for label in sorted({label for _, label in queries}))
    decide = "Decide whether the review is positive or negative."
    which = "Which of these does the customer ask about?\n" + "\n".join(
        f"-{one}" for one in intents
    )
    long = list(_long(test))

    def n(usual: int, there: Sequence[Any]) -> int:
        return min(max(2, round(usual * scale)), len(there))

    few, near = _nearest(train), _nearest(queries)
    some, every, own, kin, wide = (
        n(500, test), n(200, test), n(100, asked), n(100, test), n(60, long),
    )  # fmt: skip
    sixteen = train[:16]
    return [
        Case("a: zero-shot, 2 labels", tuple(
            _review(row, decide) for row in test[:some]), words, some, 50),
        Case("b: 16 fixed demonstrations", tuple(
            _review(row, decide, sixteen) for row in test[:every]), words, min(every, 60), 12),
        Case(f"c: {len(intents)} labels, listed", tuple(
            _intent(row, which) for row in asked[:own]), intents, 2, 1),
        Case("d: 8 demonstrations per row", tuple(
            _review(row, decide, few(row[0])) for row in test[:kin]), words, kin, 12),
        Case(f"e: 8 per row, {len(intents)} labels", tuple(
            _intent(row, "", near(row[0])) for row in asked[:wide]), intents, 2, 1),
        Case("f: long rows, 2 labels", tuple(
            _review(row, decide) for row in long[:wide]), words, wide, 8),
    ]  # fmt: skip


def rows(data: Path | None, name: str, in_box: str) -> tuple[list[Row], ...]:
    """Those of the training and of the test rows."""
    folder = box("evals") / "data" / in_box if data is None else data / name
    parts = []
    for part in ("train", "test"):
        lines = (folder / f"{part}.jsonl").read_text(encoding="utf-8").split("\n")
        read = [json.loads(line) for line in lines if line]
        parts.append([(row["text"], str(row["label"])) for row in read])
    return tuple(parts)


def _review(row: Row, instruction: str, shots: Sequence[Row] = ()) -> Prompt:
    return _prompt("Review: ", row, "\nSentiment:", instruction, shots)


def _intent(row: Row, instruction: str, shots: Sequence[Row] = ()) -> Prompt:
    return _prompt("Customer: ", row, "\nIntent:", instruction, shots)


def _prompt(head: str, row: Row, tail: str, instruction: str, shots: Sequence[Row]) -> Prompt:
    def query(text: str) -> Text:
        return (Piece(head), Piece(text, row=True), Piece(tail))

    shown = tuple(
        Shot(str(n), label, query(text), (Piece(f" {_words(label)}"),))
        for n, (text, label) in enumerate(shots)
    )
    lead = (Piece(instruction),) if instruction else ()
    return Prompt(row[0][:20], query(row[0]), instruction=lead, shots=shown, template="bench")


def _words(label: str) -> str:
    return label.replace("_", " ").lower()


def _long(test: Sequence[Row], characters: int = 1700) -> Iterator[Row]:
    """Texts of about 400 tokens, each of sentences that no other one has."""
    held: list[str] = []
    for text, _ in test:
        held.append(text)
        if sum(map(len, held)) > characters:
            yield " ".join(held), ""
            held = []


def _nearest(train: Sequence[Row], k: int = 8) -> Any:
    """A function that finds the k training rows whose words are most like a text's."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(sublinear_tf=True)
    known = vectors.fit_transform([text for text, _ in train])

    def near(text: str) -> list[Row]:
        alike = (known @ vectors.transform([text]).T).toarray()[:, 0]
        return [train[index] for index in sorted(alike.argsort()[::-1][:k])]

    return near


def tokenizer(cases: Sequence[Case], vocabulary: int = 16384) -> Any:
    """A byte-level BPE in the manner of GPT-2 and Llama 3, made from texts that are at hand."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<|end|>"], initial_alphabet=alphabet,
        show_progress=False,
    )  # fmt: skip
    texts = [text for case in cases for text in (*case.contexts, *case.labels)]
    made.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<|end|>", eos_token="<|end|>", pad_token="<|end|>"
    )


#: Width, inner width, layers, heads and heads of keys of a model by its size. The first is about
#: 24 million parameters, the second has the shape of Qwen2.5-0.5B, the third of Llama 3.2 1B.
SIZES = {
    "25m": (384, 1536, 8, 6, 2),
    "0.5b": (896, 4864, 24, 14, 2),
    "1b": (2048, 8192, 16, 32, 8),
}


def model(family: str, size: str, vocabulary: int) -> Any:
    """A random model of a family in float32; weights do not matter for speed."""
    import torch
    import transformers as tf

    width, inner, layers, heads, keys = SIZES[size]
    usual = {
        "vocab_size": vocabulary, "hidden_size": width, "intermediate_size": inner,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": keys,
        "max_position_embeddings": 4096, "tie_word_embeddings": True, "pad_token_id": None,
        "bos_token_id": 0, "eos_token_id": 0,
    }  # fmt: skip
    configs = {
        "llama": lambda: tf.LlamaConfig(**usual),
        "qwen3": lambda: tf.Qwen3Config(**usual, head_dim=HEAD),
        "gemma": lambda: tf.GemmaConfig(**usual, head_dim=HEAD),
        "gemma2": lambda: tf.Gemma2Config(**usual, head_dim=HEAD, query_pre_attn_scalar=HEAD,
                                          sliding_window=256),
        "gpt2": lambda: tf.GPT2Config(
            vocab_size=vocabulary, n_positions=4096, n_embd=width, n_layer=layers, n_head=heads,
            n_inner=inner, bos_token_id=0, eos_token_id=0),
        "opt": lambda: tf.OPTConfig(
            vocab_size=vocabulary, hidden_size=width, ffn_dim=inner, num_hidden_layers=layers,
            num_attention_heads=heads, word_embed_proj_dim=width, max_position_embeddings=4096,
            dropout=0.0, bos_token_id=0, eos_token_id=0, pad_token_id=0),
        "bloom": lambda: tf.BloomConfig(
            vocab_size=vocabulary, hidden_size=width, n_layer=layers, n_head=heads,
            bos_token_id=0, eos_token_id=0),
    }  # fmt: skip
    torch.manual_seed(0)
    return tf.AutoModelForCausalLM.from_config(configs[family]()).eval()
