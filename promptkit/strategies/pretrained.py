"""A pre-trained network without its head: what turns token ids into states.

Whatever head the folder brings (language modelling, a pooler) is left behind; a masked, a causal
and an encoder-decoder model all become something that gives (n, t, w) states. Of an
encoder-decoder model that is the encoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.encoding import fitted_ids, padded
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import quieten
from promptkit.backends.transformer import (
    Folder,
    encoder_in,
    load_tokens,
    load_whole,
    longest,
    transformer_folder,
)
from promptkit.backends.weights import Located
from promptkit.strategies.pooling import Pooling, pooled, pooling_of
from promptkit.types import Text


class WordIds(list[int]):
    """Token ids of a row, and where its words begin in them."""

    def __init__(self, ids: Sequence[int], starts: Sequence[int]) -> None:
        super().__init__(ids)
        self.starts = starts


@dataclass
class Pretrained:
    """A network and how it is fed.

    Args:
        network: Gives states; a module of transformers, or an adapter around one.
        whole: What is written to disk; the network, or the encoder-decoder that it is part of.
        tokens: The tokenizer.
        pooling: How states become one vector.
        max_tokens: Longest row that it reads.
        name: What tables call it.
    """

    network: Any
    whole: Any
    tokens: Tokens
    pooling: Pooling
    max_tokens: int
    name: str

    @property
    def width(self) -> int:
        """Numbers in a state."""
        config = self.whole.config.get_text_config()
        return int(getattr(config, "hidden_size", None) or config.d_model)

    def ids(self, texts: Sequence[Text]) -> tuple[list[list[int]], list[int]]:
        """Each text's token ids, and the characters that did not fit.

        An empty text has no token where a tokenizer wraps nothing around it (GPT-2): it is then
        given one that stands for a start, so that it has a state.
        """
        ids, cut = fitted_ids(self.tokens, texts, self.max_tokens)
        return [one or [self._start()] for one in ids], cut

    def batch(self, ids: Sequence[Sequence[int]], device: Any) -> dict[str, torch.Tensor]:
        """(n, t) ids and mask; (n, m) ``starts`` of words, where rows know them.

        Nothing else: to GPT-2 a token type of 0 is the embedding of token 0, added to every state,
        and to BERT it is what it takes anyway.
        """
        found = padded(self.tokens, ids, device)
        batch = {name: found[name] for name in ("input_ids", "attention_mask")}
        words = [row.starts for row in ids if isinstance(row, WordIds)]
        if words:
            starts = torch.zeros(len(ids), max(map(len, words)), dtype=torch.long)
            for place, own in enumerate(words):
                starts[place, : len(own)] = torch.tensor(own, dtype=torch.long)
            batch["starts"] = starts.to(device)
        return batch

    def _start(self) -> int:
        tokenizer = self.tokens.tokenizer
        known = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
        return int(next((token for token in known if token is not None), 0))


def states_of(
    network: Any,
    ids: torch.Tensor,
    mask: torch.Tensor,
    how: Pooling,
    starts: torch.Tensor | None = None,
) -> torch.Tensor:
    """(n, w) pooled states of the last layer, in float32; see `pooled`."""
    inner = network.get_base_model() if hasattr(network, "get_base_model") else network
    # a training pass has no use for the keys and values of a causal model
    extra = {"use_cache": False} if "use_cache" in signature(inner.forward).parameters else {}
    states = network(input_ids=ids, attention_mask=mask, **extra).last_hidden_state
    return pooled(states, mask, how, starts)


def states_of_layers(
    network: Any, batch: Mapping[str, torch.Tensor], layers: Sequence[int] | None = None
) -> torch.Tensor:
    """(n, m, l, w) states of words in some layers, the embedding first; in all for None.

    Args:
        network: The network.
        batch: As `Pretrained.batch` makes it of `WordIds`.
        layers: Numbers from 0.
    """
    extra = {"use_cache": False} if "use_cache" in signature(network.forward).parameters else {}
    found = network(
        input_ids=batch["input_ids"],
        attention_mask=batch["attention_mask"],
        output_hidden_states=True,
        **extra,
    ).hidden_states
    own = found if layers is None else [found[layer] for layer in layers]
    mask, starts = batch["attention_mask"], batch["starts"]
    return torch.stack([pooled(states, mask, "words", starts) for states in own], 2)


def load_located(located: Located, max_tokens: int, dtype: Any) -> Pretrained:
    """Load a model that `locate` found.

    Args:
        located: Where it lies.
        max_tokens: Rows are cut to this; the model's own limit, if lower, comes before.
        dtype: Number format of the weights.

    Raises:
        BackendError: The folder cannot be read, or lacks weights.
        CapabilityError: States of this model cannot be pooled.
    """
    return _load(transformer_folder(located), pooling_of(located), max_tokens, dtype, located.shown)


def load_folder(path: Path, pooling: Pooling, max_tokens: int, dtype: Any) -> Pretrained:
    """Load a folder of transformers; see `load_located`."""
    return _load(Folder(path), pooling, max_tokens, dtype, path.name)


def _load(folder: Folder, pooling: Pooling, max_tokens: int, dtype: Any, name: str) -> Pretrained:
    quieten()
    whole = load_whole(folder.path, dtype)
    if getattr(whole, "pooler", None) is not None:
        whole.pooler = None  # BERT's own head on [CLS]: not ours, and often not in the folder
    tokens = load_tokens(folder)
    limit = min(max_tokens, longest(folder, whole, tokens))
    return Pretrained(encoder_in(whole).eval(), whole, tokens, pooling, limit, name)
