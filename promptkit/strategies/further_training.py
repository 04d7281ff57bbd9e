"""Further pre-training: a model goes on with what it was pre-trained on, on a user's own texts.

A causal model learns to continue them, any other to fill in tokens that are masked (Gururangan et
al. 2020). What comes out is a folder of the same kind as the one that went in.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    Trainer,
    TrainingArguments,
)
from transformers import DataCollatorForLanguageModeling as Collator

from promptkit.backends.hf_loading import Loading, load_weights
from promptkit.backends.meter import Meter
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import quieten
from promptkit.backends.transformer import (
    UNREAD,
    load_tokens,
    load_transformer,
    longest,
    transformer_folder,
)
from promptkit.backends.weights import WANTED, Located
from promptkit.errors import CapabilityError, DataError
from promptkit.protocols import OnStep
from promptkit.strategies.answer_training import AnswerRecipe, arguments, facts_of, run
from promptkit.strategies.checkpoints import name_of_training
from promptkit.strategies.whole_weights import save_tokenizer
from promptkit.types import Text


@dataclass(frozen=True)
class Further:
    """What was learned from.

    Args:
        tokens: Tokens of the texts.
        rows: Sequences that they were cut into.
        steps: Training steps.
    """

    tokens: int
    rows: int
    steps: int


def go_on(
    located: Located,
    texts: Sequence[Text],
    recipe: AnswerRecipe,
    made: Path,
    *,
    mask: float,
    max_tokens: int,
    meter: Meter,
    device: Any,
    folder: Path | None,
    on_step: OnStep,
) -> Further:
    """Train, and write the model.

    Args:
        located: The model.
        texts: Texts without labels; text of a row never becomes a control token.
        recipe: How.
        made: Where the result is written; the folder must not exist.
        mask: Share of the tokens that are hidden, for other models than causal ones.
        max_tokens: Texts are cut into sequences of so many.
        meter: Counts the computed positions.
        device: Where to train.
        folder: Where checkpoints are kept; None keeps none.
        on_step: Told about every step.

    Raises:
        CapabilityError: A model that has no such objective: encoder-decoders, tokenizers without a
            mask.
        DataError: No text.
        BackendError: Training diverged, or memory did not suffice.
    """
    quieten()
    causal = located.kind() == "causal"
    if located.kind() == "seq2seq":
        raise CapabilityError(
            f"model {located.name!r} is an encoder-decoder, whose pre-training is not gone on "
            "with; use a causal or a masked model"
        )
    own = transformer_folder(located)
    tokens = load_tokens(own)
    tokenizer = tokens.tokenizer
    if not causal and tokenizer.mask_token_id is None:
        raise CapabilityError(f"the tokenizer of {located.name!r} has no mask token")
    model, whole = _loaded(located, own, device)
    limit = min(max_tokens, longest(own, whole, tokens))
    rows = _cut(tokens, texts, limit)
    if not rows:
        raise DataError("there is no text to learn from; name a file that has some")
    if folder is not None:
        facts = {**facts_of(recipe), "model": located.hash(), "mask": mask, "max_tokens": limit}
        folder = folder / name_of_training(facts, rows, [])
    collate = _collate(tokenizer, causal, mask)
    steps = 0

    def build(nowhere: Path) -> Any:
        told = arguments(recipe, device, folder or nowhere, saves=folder is not None)
        return Trainer(
            model=model,
            args=TrainingArguments(**told),
            train_dataset=[{"input_ids": row} for row in rows],
            data_collator=collate,
        )

    def counted(step: Any) -> None:
        nonlocal steps
        steps = step.done
        on_step(step)

    model.train()
    run(build, folder=folder, on_step=counted)
    meter.add(computed_tokens=recipe.epochs * sum(map(len, rows)))
    _write(located, own.path, model, whole, tokenizer, made)
    return Further(sum(map(len, rows)), len(rows), steps)


def _loaded(located: Located, own: Any, device: Any) -> tuple[Any, Any]:
    """The model with the head of its objective, and the part of it that is kept."""
    kind = located.kind()
    if kind in ("causal", "masked"):
        loader = AutoModelForCausalLM if kind == "causal" else AutoModelForMaskedLM
        model = load_weights(loader, located.path, Loading(), torch.float32, device)
        return model.requires_grad_(True), model
    # an encoder without a head: a new one stands on the embeddings that it brings
    encoder = load_transformer(own, device, torch.float32)
    config = AutoConfig.from_pretrained(own.path, local_files_only=True, trust_remote_code=False)
    try:
        model = AutoModelForMaskedLM.from_config(config, attn_implementation="eager").to(device)
    except ValueError as error:
        raise CapabilityError(
            f"model {located.name!r} ({config.model_type}) belongs to no family of masked language "
            "models, so that there is nothing to go on with; leave out the first stage"
        ) from error
    state = {k: v for k, v in encoder.state_dict().items() if not k.startswith(UNREAD)}
    taken = model.base_model.load_state_dict(state, strict=False)
    wrong = [*taken.unexpected_keys, *(k for k in taken.missing_keys if not k.startswith(UNREAD))]
    if wrong:
        raise CapabilityError(
            f"model {located.name!r}: {wrong[0]!r} is not the same in its masked language model"
        )
    model.tie_weights()
    return model.requires_grad_(True), model.base_model


def _cut(tokens: Tokens, texts: Sequence[Text], limit: int) -> list[list[int]]:
    """Token ids of texts in stretches, each between the tokenizer's own first and last tokens."""
    before, after = tokens.wrapping
    room = max(1, limit - len(before) - len(after))
    return [
        [*before, *encoded.ids[start : start + room], *after]
        for encoded in tokens.encode(texts)
        for start in range(0, len(encoded.ids), room)
    ]


def _collate(tokenizer: Any, causal: bool, mask: float) -> Any:
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Collator(tokenizer, mlm=not causal, mlm_probability=None if causal else mask)


def _write(
    located: Located, inside: Path, model: Any, whole: Any, tokenizer: Any, made: Path
) -> None:
    """The same kind of folder: a language model, or an encoder with all that stands around it."""
    if located.kind() != "sentence-encoder":
        whole.save_pretrained(made)
        save_tokenizer(tokenizer, made)
        return
    for file in located.path.rglob("*"):
        if any(file.match(pattern) for pattern in WANTED) and "onnx" not in file.parts:
            own = made / file.relative_to(located.path)
            own.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, own)
    target = made / inside.relative_to(located.path)
    whole.save_pretrained(target)
