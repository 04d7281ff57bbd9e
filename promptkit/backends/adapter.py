"""An adapter in a folder of its own, as peft saves it: found, and put into a model."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from promptkit.backends.tokens import Tokens
from promptkit.errors import BackendError, CapabilityError, MissingExtra

#: The files of an adapter. peft would look for a missing one on a hub, or unpickle a ``.bin``.
FILES = ("adapter_config.json", "adapter_model.safetensors")
#: What peft calls a soft prompt, and learned embeddings of some tokens.
SOFT, WORDS = "PROMPT_TUNING", "TRAINABLE_TOKENS"
#: peft's warning about learned tokens where the output is tied to the embedding; it keeps both
#: the same all the same.
TIED = "Model has .tie_word_embeddings=True. and a tied layer"
#: Tokens of the text by which it is tried, at most.
_TRIED = 16


def adapter_folder(adapter: str) -> Path:
    """The folder, with all that belongs to an adapter in it.

    Raises:
        BackendError: No such folder, or no adapter in safetensors in it.
        CapabilityError: An adapter of a kind that cannot be put into a model.
    """
    return _found(adapter)[0]


def kind_of(folder: Path) -> str:
    """What peft calls the kind of an adapter."""
    return _found(str(folder))[1]


def _found(adapter: str) -> tuple[Path, str]:
    """The folder and the kind; see `adapter_folder`."""
    folder = Path(adapter).expanduser()
    if not folder.is_dir():
        raise BackendError(f"adapter {adapter!r}: no such folder", hint="check the path")
    for name in FILES:
        if not (folder / name).is_file():
            pickled = " (its weights are pickled, which can run code)" if _pickled(folder) else ""
            raise BackendError(
                f"adapter {adapter}: {name} is missing{pickled}",
                hint="save it with peft's save_pretrained(folder), which writes safetensors",
            )
    try:
        kind = json.loads((folder / FILES[0]).read_text(encoding="utf-8"))["peft_type"]
    except (ValueError, KeyError, TypeError) as error:
        raise BackendError(
            f"{folder / FILES[0]}: is no adapter's configuration ({error})", hint="save it again"
        ) from error
    if kind not in ("LORA", SOFT, WORDS):
        raise CapabilityError(
            f"adapter {adapter}: is of kind {kind!r}; a LoRA adapter, a soft prompt ({SOFT}) and "
            f"learned tokens ({WORDS}) can be put into a model"
        )
    return folder, kind


def with_adapter(model: Any, adapter: str, tokens: Tokens) -> Any:
    """The model with the adapter in it; an ordinary model of transformers still.

    The products of LoRA are added to the weights, and learned tokens take the place of those that
    they were, so that it costs nothing. Weights that are
    quantized stay as they are and it is computed beside them: rounding the sum would take a part
    of it away. A soft prompt stands before every prompt from now on.

    Args:
        model: The model, in evaluation mode and where it will run.
        adapter: The adapter's folder.
        tokens: The model's tokenizer.

    Raises:
        MissingExtra: peft is absent.
        BackendError: It does not belong to this model, or changes nothing.
    """
    folder, kind = _found(adapter)
    if kind == SOFT:
        from promptkit.backends.soft_prompt import attach, read_soft

        attach(model, tokens, read_soft(folder)).requires_grad_(False)
        return model
    try:
        from peft import PeftModel
    except ModuleNotFoundError as error:
        raise MissingExtra("an adapter needs peft: pip install peft") from error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Found missing adapter keys")  # an error below
            warnings.filterwarnings("ignore", TIED)
            wrapped = PeftModel.from_pretrained(model, str(folder)).eval()
        _check_names(wrapped, folder / FILES[1])
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BackendError(
            f"adapter {adapter}: does not fit the model: {first}",
            hint="give the model that it was trained on",
        ) from error
    _check_effect(wrapped, adapter)
    if getattr(model, "is_quantized", False):
        return wrapped.base_model.model
    return wrapped.merge_and_unload(safe_merge=True)


def _pickled(folder: Path) -> bool:
    return (folder / "adapter_model.bin").is_file()


def _check_names(wrapped: Any, file: Path) -> None:
    """Refuse weights that have no place in the model, or places without weights."""
    from peft import get_peft_model_state_dict
    from safetensors import safe_open

    wanted = set(get_peft_model_state_dict(wrapped, save_embedding_layers=False))
    with safe_open(file, framework="pt") as opened:
        there = set(opened.keys())
    wrong = sorted(wanted - there) or sorted(
        # what was saved along without being part of the adapter
        name
        for name in there - wanted
        if "lora_" in name
    )
    if wrong:
        raise ValueError(f"{len(wrong)} weights are missing or left over, {wrong[0]!r} first")


def _check_effect(wrapped: Any, adapter: str) -> None:
    """Compare logits with the adapter and without it."""
    import torch

    vocabulary = int(wrapped.get_output_embeddings().weight.shape[0])
    ids = torch.arange(_TRIED, device=wrapped.device) % vocabulary
    asked = {"input_ids": ids[None]}
    if wrapped.config.is_encoder_decoder:
        asked["decoder_input_ids"] = ids[None]
    with torch.inference_mode():
        with_it = wrapped(**asked).logits
        with wrapped.disable_adapter():
            without = wrapped(**asked).logits
    if torch.equal(with_it, without):
        raise BackendError(
            f"adapter {adapter}: the adapter changes nothing: the model says the same with it and "
            "without it",
            hint="train it, or save it again",
        )
    if not bool(with_it.isfinite().all()):
        raise BackendError(f"adapter {adapter}: the model's output is not finite with it")
