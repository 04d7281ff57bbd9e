"""Sentence encoders that are going to be changed: loaded once, copied for every fit.

Cross-validation and learning curves fit the same model dozens of times. The loaded one stays in
memory as it was loaded and only copies of it are trained, because reading it from disk each time
would take longer than tuning it on a few dozen rows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.encoding import fitted_ids, padded
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import quieten
from promptkit.backends.weights import Located
from promptkit.errors import BackendError
from promptkit.strategies.pretrained import load_located
from promptkit.strategies.randomness import own_randomness
from promptkit.types import Text

#: Loaded models that are kept.
KEPT = 2
#: Longest row, in tokens, of a model that sets no limit of its own.
LONGEST = 512


def encoder_copy(located: Located) -> Any:
    """A SentenceTransformer of its own, in float32 on the CPU, without dropout until trained.

    A folder of transformers that is no sentence encoder is pooled as sentence-transformers does by
    itself: by the mean of its tokens' states; a causal model by its last token's, in its newer
    versions.

    Raises:
        BackendError: The folder cannot be read, or lacks weights.
    """
    return deepcopy(_base(located, located.hash()))


@lru_cache(maxsize=KEPT)
def _base(located: Located, content: str) -> Any:
    """The loaded model itself; ``content`` is there so that changed files are read anew."""
    if located.kind() == "sentence-encoder":
        return load_encoder(located.path)
    # the same model, read by what notices tensors that are missing and would be random
    load_located(located, LONGEST, torch.float32)
    return load_encoder(located.path)


def load_encoder(folder: Path) -> Any:
    """A SentenceTransformer from a folder, as `encoder_copy` says.

    Raises:
        BackendError: The folder cannot be read.
    """
    from sentence_transformers import SentenceTransformer

    quieten()
    try:
        # parts that no vector depends on, like BERT's pooler, are drawn at random
        with own_randomness(0), _without_notices():
            made = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"dtype": torch.float32, "use_safetensors": True},
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise BackendError(
            f"model {folder}: {str(error).splitlines()[0]}",
            hint="give a sentence-transformers folder that was saved whole",
        ) from error
    return made.eval()


@contextmanager
def _without_notices() -> Iterator[None]:
    """Without the notice that a folder of transformers had no pooling of its own."""
    logger = logging.getLogger("sentence_transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def ids_of(encoder: Any, texts: Sequence[Text]) -> tuple[list[list[int]], list[int]]:
    """Each text's token ids, and the characters that did not fit.

    An empty text has no token where a tokenizer wraps nothing around it (GPT-2): it is given one
    that stands for a start, so that it has a vector.
    """
    tokens = Tokens(encoder.tokenizer)
    ids, cut = fitted_ids(tokens, texts, int(encoder.max_seq_length or LONGEST))
    known = (encoder.tokenizer.bos_token_id, encoder.tokenizer.eos_token_id)
    start = next((int(token) for token in known if token is not None), 0)
    return [one or [start] for one in ids], cut


def vectors_of(encoder: Any, ids: Sequence[Sequence[int]], together: int) -> tuple[Any, int]:
    """(n, w) vectors in the order of the rows, and the token positions that were computed.

    Rows of one batch differ in length, and one long row would pad all of them to its own: the
    batch goes through the model in parts of similar length, of ``together`` rows. No row's vector
    depends on that.
    """
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    tokens, parts, computed = Tokens(encoder.tokenizer), [], 0
    for start in range(0, len(order), together):
        rows = [ids[row] for row in order[start : start + together]]
        batch = padded(tokens, rows, encoder.device)
        computed += batch["input_ids"].numel()
        # no token types: to GPT-2 a type of 0 is the embedding of token 0, and BERT assumes it
        fed = {name: batch[name] for name in ("input_ids", "attention_mask")}
        parts.append(encoder(fed)["sentence_embedding"].float())
    places = torch.tensor(order, device=encoder.device).argsort()
    return torch.cat(parts)[places], computed
