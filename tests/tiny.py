"""Tiny models and tokenizers of many families, made from configs: no weights come from anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from promptkit.box import box

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
#: Raises on a system role, as Gemma's own template does.
NO_SYSTEM = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
CAUSAL = ("llama", "qwen3", "gemma", "gpt2", "opt")
MASKED = ("bert", "roberta", "modernbert")


#: Sets whose texts tokenizers are made of; another set in the box changes no model of the tests.
TEXTS = ("customer_reviews", "entailment", "everyday_choices", "news_topics", "support_intents")


def corpus() -> list[str]:
    """In-box texts."""
    texts = []
    for name in TEXTS:
        file = box("evals") / "data" / name / "train.jsonl"
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            texts += [str(value) for key, value in row.items() if key not in {"id", "label"}]
    return texts


def byte_level(specials: list[str], **options: object) -> PreTrainedTokenizerFast:
    """GPT-2 and Llama-3 style: byte-level BPE, no prefix space."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1200, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **options)


def sentencepiece_like(specials: list[str], bos: str, **options: object) -> PreTrainedTokenizerFast:
    """Llama-2 and Gemma style: BPE over blanks written as ▁, byte fallback, BOS added."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=1400,
        special_tokens=[*specials, *(f"<0x{i:02X}>" for i in range(256))],
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    # the byte pieces are ordinary entries, not special tokens
    saved = json.loads(tokenizer.to_str())
    saved["added_tokens"] = [t for t in saved["added_tokens"] if not t["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    start = tokenizer.token_to_id(bos)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, start)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=bos, unk_token="<unk>", **options
    )


def roberta() -> PreTrainedTokenizerFast:
    """RoBERTa style: byte-level BPE between <s> and </s>, a <mask> that swallows the blank."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    made = byte_level(specials, bos_token="<s>", cls_token="<s>", pad_token="<pad>",
                      eos_token="</s>", sep_token="</s>", unk_token="<unk>",
                      mask_token=AddedToken("<mask>", lstrip=True, special=True))  # fmt: skip
    made._tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return made


def wordpiece() -> PreTrainedTokenizerFast:
    """BERT style."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=1200, special_tokens=specials, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip


def unigram() -> PreTrainedTokenizerFast:
    """T5 style: <pad> and </s> are ordinary entries of the vocabulary too."""
    specials = ["<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=800, special_tokens=specials, unk_token="<unk>", show_progress=False,
        initial_alphabet=["<", ">", "/"],
    )  # fmt: skip
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def tokenizer_of(family: str) -> PreTrainedTokenizerFast:
    """A tokenizer in the manner of a family."""
    if family == "qwen3":
        made = byte_level(
            ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
            eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHATML,
        )  # fmt: skip
        made.add_tokens(["<think>", "</think>"], special_tokens=False)
        return made
    if family == "gpt2":
        return byte_level(["<|endoftext|>"], bos_token="<|endoftext|>", eos_token="<|endoftext|>")
    if family == "opt":
        made = byte_level(["<s>", "<pad>", "</s>"], bos_token="</s>", eos_token="</s>",
                          pad_token="<pad>")  # fmt: skip
        made._tokenizer.post_processor = processors.TemplateProcessing(
            single="</s> $A", special_tokens=[("</s>", 2)]
        )
        return made
    if family == "gemma":
        return sentencepiece_like(
            ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"], "<bos>",
            eos_token="<eos>", pad_token="<pad>", chat_template=NO_SYSTEM,
        )  # fmt: skip
    if family == "llama":
        return sentencepiece_like(["<unk>", "<s>", "</s>"], "<s>", eos_token="</s>")
    made_by = {
        "bert": wordpiece, "modernbert": wordpiece, "roberta": roberta, "bart": roberta,
        "t5": unigram,
    }  # fmt: skip
    return made_by[family]()


def causal_model(family: str, vocab: int) -> torch.nn.Module:
    """A random causal model of a family, small enough to build in a blink."""
    import transformers as tf

    shape = {
        "vocab_size": vocab, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512,
    }  # fmt: skip
    configs = {
        "llama": lambda: tf.LlamaConfig(**shape),
        "qwen3": lambda: tf.Qwen3Config(**shape, head_dim=8),
        "gemma": lambda: tf.GemmaConfig(**shape, head_dim=8),
        "gpt2": lambda: tf.GPT2Config(vocab_size=vocab, n_positions=512, n_embd=32, n_layer=2,
                                      n_head=4),
        "opt": lambda: tf.OPTConfig(vocab_size=vocab, hidden_size=32, ffn_dim=64,
                                    num_hidden_layers=2, num_attention_heads=4,
                                    word_embed_proj_dim=32, max_position_embeddings=512,
                                    dropout=0.0),
    }  # fmt: skip
    torch.manual_seed(0)
    return _widened(tf.AutoModelForCausalLM.from_config(configs[family]()))


def masked_model(family: str, vocab: int) -> torch.nn.Module:
    """The same for masked models."""
    import transformers as tf

    shape = {
        "vocab_size": vocab, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }  # fmt: skip
    configs = {
        "bert": lambda: tf.BertConfig(**shape, max_position_embeddings=256, pad_token_id=0),
        # position 0 and 1 are never used: it reads 256 tokens
        "roberta": lambda: tf.RobertaConfig(**shape, max_position_embeddings=258, pad_token_id=1,
                                            bos_token_id=0, eos_token_id=2),
        "modernbert": lambda: tf.ModernBertConfig(
            **shape, max_position_embeddings=256, pad_token_id=0, bos_token_id=2, cls_token_id=2,
            eos_token_id=3, sep_token_id=3, local_attention=16),
    }  # fmt: skip
    torch.manual_seed(0)
    return _widened(tf.AutoModelForMaskedLM.from_config(configs[family]()))


def seq2seq_model(family: str, vocab: int) -> torch.nn.Module:
    """The same for encoder-decoder models."""
    import transformers as tf

    configs = {
        "t5": lambda: tf.T5Config(
            vocab_size=vocab, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
            pad_token_id=0, eos_token_id=1, decoder_start_token_id=0),
        "bart": lambda: tf.BartConfig(
            vocab_size=vocab, d_model=32, encoder_layers=2, decoder_layers=2,
            encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=64,
            decoder_ffn_dim=64, max_position_embeddings=256, bos_token_id=0, pad_token_id=1,
            eos_token_id=2, decoder_start_token_id=2, dropout=0.0),
    }  # fmt: skip
    torch.manual_seed(0)
    return _widened(tf.AutoModelForSeq2SeqLM.from_config(configs[family]()))


def _widened(model: torch.nn.Module) -> torch.nn.Module:
    with torch.no_grad():  # wide enough that label words differ by more than rounding
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, 0.3)
    return model.eval()


def save_causal(family: str, folder: Path) -> Path:
    """A tiny causal model with its tokenizer, saved as transformers saves them."""
    return _saved(causal_model, family, folder)


def save_masked(family: str, folder: Path) -> Path:
    """A tiny masked model with its tokenizer."""
    return _saved(masked_model, family, folder)


def save_seq2seq(family: str, folder: Path) -> Path:
    """A tiny encoder-decoder model with its tokenizer."""
    return _saved(seq2seq_model, family, folder)


def _saved(make: Callable[[str, int], torch.nn.Module], family: str, folder: Path) -> Path:
    tokenizer = tokenizer_of(family)
    make(family, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
