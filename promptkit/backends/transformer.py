"""The transformer inside a model's folder, without any head: what hidden states come from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModel

from promptkit.backends.hf import load_tokenizer, max_tokens_of, with_exact_attention
from promptkit.backends.tokens import Tokens
from promptkit.backends.weights import Located
from promptkit.errors import BackendError, CapabilityError

#: A head on top of the first token that some encoders carry; hidden states do not go through it.
UNREAD = "pooler."


@dataclass(frozen=True)
class Folder:
    """Where a transformer's files lie, and what a sentence encoder says about its texts.

    Args:
        path: The folder with config.json and weights.
        max_tokens: What a sentence encoder was told to read at most; None for other models.
        lower_case: Whether a sentence encoder lower-cases its texts first.
    """

    path: Path
    max_tokens: int | None = None
    lower_case: bool = False


def transformer_folder(located: Located) -> Folder:
    """The folder itself, or that of a sentence encoder's first module.

    Raises:
        CapabilityError: The first module is no transformer.
        BackendError: A file that says so is broken.
    """
    if located.kind() != "sentence-encoder":
        return Folder(located.path)
    first = _json(located.path / "modules.json")[0]
    if not str(first["type"]).endswith(".Transformer"):
        raise CapabilityError(
            f"model {located.name!r} begins with a module {first['type']!r}, which has no layers; "
            "give a folder with a transformer in it"
        )
    path = located.path / str(first["path"])
    told = path / "sentence_bert_config.json"
    says = _json(told) if told.is_file() else {}
    return Folder(path, says.get("max_seq_length"), bool(says.get("do_lower_case")))


def load_tokens(folder: Folder) -> Tokens:
    """The tokenizer of a transformer's folder.

    Raises:
        BackendError: There is none that can be used.
    """
    tokenizer = load_tokenizer(folder.path)
    if folder.lower_case:
        from tokenizers.normalizers import Lowercase, Sequence

        own = tokenizer.backend_tokenizer.normalizer
        steps = [Lowercase(), own] if own is not None else [Lowercase()]
        tokenizer.backend_tokenizer.normalizer = Sequence(steps)
    return Tokens(tokenizer)


def load_transformer(folder: Folder, device: Any, dtype: Any) -> Any:
    """The model in evaluation mode; of an encoder-decoder the encoder alone.

    Raises:
        BackendError: Weights are missing or cannot be read.
    """
    model = encoder_in(load_whole(folder.path, dtype))
    return model.requires_grad_(False).to(device).eval()


def load_whole(path: Path, dtype: Any) -> Any:
    """The model without its head, of an encoder-decoder the decoder with it.

    Raises:
        BackendError: Weights are missing or cannot be read.
    """
    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        model, info = AutoModel.from_pretrained(
            path,
            config=config,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise BackendError(
            f"model {path}: {str(error).splitlines()[0]}",
            hint="check the folder with 'promptkit doctor', or save the model again",
        ) from error
    two = bool(config.is_encoder_decoder)
    missing = [name for name in sorted(info["missing_keys"]) if _is_read(name, two)]
    missing += sorted(str(name) for name in info["mismatched_keys"])
    if missing:
        raise BackendError(
            f"model {path}: {len(missing)} tensors are missing from its weights, "
            f"{missing[0]!r} first",
            hint="its features would be random; save the whole model",
        )
    return text_part(with_exact_attention(model))


def text_part(model: Any) -> Any:
    """What reads texts, of a model that reads pictures as well; any other as it is."""
    config = model.config
    if config.is_encoder_decoder or config.get_text_config() is config:
        return model
    return model.get_decoder()


def encoder_in(whole: Any) -> Any:
    """What reads a text: the model itself, or its encoder where it has a decoder too."""
    return whole.get_encoder() if whole.config.is_encoder_decoder else whole


def longest(folder: Folder, model: Any, tokens: Tokens) -> int:
    """Tokens that the model reads of a text, its own first and last ones included."""
    known = max_tokens_of(model, tokens.tokenizer)
    return min(known, folder.max_tokens) if folder.max_tokens else known


def _is_read(name: str, encoder_only: bool) -> bool:
    decoder = encoder_only and name.startswith("decoder.")
    return not decoder and UNREAD not in name


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackendError(
            f"{file}: cannot be read ({error})", hint="save the model again"
        ) from error
