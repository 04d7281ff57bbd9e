"""Tiny entailment models of many families, made from configs, and their pair tokenizers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers as tf
from tokenizers import Tokenizer as Plain
from tokenizers import models, pre_tokenizers, processors, trainers
from transformers import BertTokenizer, DebertaV2TokenizerFast, PreTrainedTokenizerFast

from tests.tiny import _widened, corpus, roberta, wordpiece

NLI = ("bert", "roberta", "modernbert", "deberta", "bart")
#: The labels of BART-MNLI; others have entailment first, or two labels.
MNLI = ("contradiction", "neutral", "entailment")


def pair_tokenizer(family: str) -> PreTrainedTokenizerFast:
    """A tokenizer that joins pairs as the family's own does."""
    if family in {"roberta", "bart"}:
        return roberta()
    if family == "deberta":
        return _deberta()
    made = wordpiece()
    if family == "bert":  # transformers' own, which tells the model which text a token is of
        return BertTokenizer(vocab=made.get_vocab())
    cls, sep = (made.convert_tokens_to_ids(token) for token in ("[CLS]", "[SEP]"))
    made._tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", cls), ("[SEP]", sep)],
    )  # fmt: skip
    return made


def _deberta() -> PreTrainedTokenizerFast:
    """transformers' own tokenizer of DeBERTa-v2 around a unigram vocabulary of in-box texts."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trained = Plain(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=800, special_tokens=specials, unk_token="[UNK]", show_progress=False,
        initial_alphabet=["[", "]", "/"],
    )  # fmt: skip
    trained.train_from_iterator(corpus(), trainer)
    vocab = [(piece, score) for piece, score in json.loads(trained.to_str())["model"]["vocab"]]
    return DebertaV2TokenizerFast(vocab=vocab, unk_id=1)


def nli_model(family: str, vocab: int, labels: tuple[str, ...]) -> torch.nn.Module:
    """A random sequence classifier of a family."""
    shape: dict[str, Any] = {
        "vocab_size": vocab, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "id2label": dict(enumerate(labels)),
        "label2id": {label: place for place, label in enumerate(labels)},
    }  # fmt: skip
    configs = {
        "bert": lambda: tf.BertConfig(**shape, max_position_embeddings=256, pad_token_id=0),
        "roberta": lambda: tf.RobertaConfig(**shape, max_position_embeddings=258, pad_token_id=1,
                                            bos_token_id=0, eos_token_id=2, type_vocab_size=1),
        "modernbert": lambda: tf.ModernBertConfig(
            **shape, max_position_embeddings=256, pad_token_id=0, bos_token_id=2, cls_token_id=2,
            eos_token_id=3, sep_token_id=3, local_attention=16),
        "deberta": lambda: tf.DebertaV2Config(
            **shape, max_position_embeddings=256, relative_attention=True, position_buckets=16,
            pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0,
            norm_rel_ebd="layer_norm", share_att_key=True, pad_token_id=0),
        "bart": lambda: tf.BartConfig(
            vocab_size=vocab, d_model=32, encoder_layers=2, decoder_layers=2,
            encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=64,
            decoder_ffn_dim=64, max_position_embeddings=256, bos_token_id=0, pad_token_id=1,
            eos_token_id=2, decoder_start_token_id=2, id2label=shape["id2label"],
            label2id=shape["label2id"]),
    }  # fmt: skip
    torch.manual_seed(0)
    return _widened(tf.AutoModelForSequenceClassification.from_config(configs[family]()))


def save_nli(family: str, folder: Path, labels: tuple[str, ...] = MNLI) -> Path:
    """A tiny entailment model with its tokenizer."""
    tokenizer = pair_tokenizer(family)
    nli_model(family, len(tokenizer), labels).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
