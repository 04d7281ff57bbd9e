"""Hidden states of every layer, pooled to one vector a layer, from one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from promptkit.backends.encoding import fitted_ids, padded
from promptkit.backends.feature_cache import FeatureCache, text_key
from promptkit.backends.feature_shards import Stored
from promptkit.backends.meter import Meter
from promptkit.backends.plan import batches
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import choose_device, choose_dtype, quieten
from promptkit.backends.transformer import (
    load_tokens,
    load_transformer,
    longest,
    transformer_folder,
)
from promptkit.backends.weights import locate
from promptkit.errors import BackendError, SpecError, nearest
from promptkit.types import Cost, Text

POOLINGS = ("cls", "mean", "max", "last")
#: Texts that go through together at most, so that a call's memory is bounded by its result.
CHUNK = 4096
BATCH_TOKENS = {"cpu": 4096, "mps": 8192, "cuda": 65536}
#: Bytes that the hidden states of a batch may take.
BATCH_BYTES = 512 * 2**20


class Pooled(NamedTuple):
    """What a call found.

    Args:
        states: By pooling, (n, l, w) float32.
        cut: Characters of each text that the model did not read.
        tokens: Tokens of each text that it read.
    """

    states: dict[str, NDArray[np.float32]]
    cut: list[int]
    tokens: list[int]


class HiddenStates:
    """Pooled hidden states of any transformer: causal, masked, plain or sentence encoder, T5.

    Layer 0 is the output of the embedding, layer -1 what the model's head would read (behind the
    last normalisation, where there is one). Of an encoder-decoder it is the encoder's. The model
    is loaded when a text has to be computed for the first time, and never changed.

    Args:
        model: ``minilm``, a folder, or a hub id.
        batch_size: Texts of a batch, or ``auto`` for a budget of tokens.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``.
        cache: A folder in which computed rows are kept; None keeps them in memory alone.

    Raises:
        BackendError: No such model, or no weights in it.
        CapabilityError: A sentence encoder without a transformer, or a device that is not there.
        SpecError: No such device or number format.
    """

    def __init__(
        self,
        model: str = "minilm",
        batch_size: int | Literal["auto"] = "auto",
        device: str = "auto",
        dtype: str = "auto",
        cache: Path | None = None,
    ) -> None:
        self.model, self.batch_size, self.device, self.dtype = model, batch_size, device, dtype
        self._located = locate(model)
        self._folder = transformer_folder(self._located)
        self._device = choose_device(device)
        self._dtype = choose_dtype(dtype, self._device)
        self._meter = Meter()
        number = str(self._dtype).removeprefix("torch.")
        self.weights = self._located.hash()
        self._cache = FeatureCache(
            cache, f"{self.weights}-{number}-transformers{version('transformers')}"
        )

    @property
    def cost(self) -> Cost:
        """What has been read and computed so far."""
        return self._meter.cost

    @property
    def kind(self) -> str:
        """See `promptkit.backends.weights.Located.kind`."""
        return self._located.kind()

    @cached_property
    def tokens(self) -> Tokens:
        """The tokenizer."""
        quieten()
        return load_tokens(self._folder)

    @cached_property
    def network(self) -> Any:
        """The transformer itself, in evaluation mode."""
        quieten()
        return load_transformer(self._folder, self._device, self._dtype)

    @property
    def n_layers(self) -> int:
        """Layers above the embedding; `pooled` gives one more."""
        return int(self.network.config.num_hidden_layers)

    @property
    def width(self) -> int:
        """Numbers of a hidden state."""
        return int(self.network.config.hidden_size)

    @cached_property
    def max_tokens(self) -> int:
        """Tokens of a text that are read, the tokenizer's own first and last ones included."""
        return longest(self._folder, self.network, self.tokens)

    @cached_property
    def usual_poolings(self) -> tuple[str, ...]:
        """Which poolings suit the model: those worth choosing among.

        A first token that sees the whole text (BERT's CLS) is worth reading; the first token of a
        causal model has seen nothing, and its last one everything.
        """
        before, _ = self.tokens.wrapping
        own = self.tokens.tokenizer.cls_token_id
        has_cls = own is not None and before[:1] == (own,)
        return ("mean", "cls") if has_cls and self.kind != "causal" else ("mean", "last")

    def pooled(
        self, texts: Sequence[Text], pooling: Sequence[str], layers: Sequence[int] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """By pooling, (n, l, w) float32; see `read`."""
        return self.read(texts, pooling, layers).states

    def read(
        self,
        texts: Sequence[Text],
        pooling: Sequence[str],
        layers: Sequence[int] | None = None,
        *,
        keep: bool = True,
    ) -> Pooled:
        """Hidden states of each text, pooled over its own tokens, CLS, SEP, BOS and EOS included.

        Args:
            texts: Pieces that know which of them came out of a row; a row's text never becomes a
                control token, and what is too long loses its end.
            pooling: ``cls`` (the first token), ``mean``, ``max``, ``last`` (the last token).
            layers: Which layers, from 0 (embedding) to `n_layers` or negative from the end; all
                by default.
            keep: Whether what is computed is kept on disk, where there is a cache.

        Raises:
            SpecError: No such pooling or layer.
            BackendError: The model cannot be read, or its numbers are not finite.
            StoreError: What was computed cannot be kept.
        """
        check_poolings(pooling)
        states: dict[str, list[NDArray[np.float32]]] = {name: [] for name in pooling}
        cut: list[int] = []
        tokens: list[int] = []
        with self._meter.timed():
            for start in range(0, len(texts), CHUNK):
                rows = self._rows(texts[start : start + CHUNK], pooling, keep)
                for name in pooling:
                    states[name].append(_of_layers(rows[name], layers))
                cut += [row.cut for row in rows[pooling[0]]]
                tokens += [row.tokens for row in rows[pooling[0]]]
        self._meter.add(rows=len(texts), prompt_tokens=sum(tokens))
        none = np.empty((0, 0, 0), np.float32)
        joined = {name: np.concatenate(states[name]) if texts else none for name in pooling}
        return Pooled(joined, cut, tokens)

    def _rows(
        self, texts: Sequence[Text], pooling: Sequence[str], keep: bool
    ) -> dict[str, list[Stored]]:
        """By pooling, a row for each text; only what is not known yet is computed."""
        keys = [text_key(text) for text in texts]
        distinct = dict(zip(keys, texts, strict=True))
        known = {name: self._cache.get(name, list(distinct)) for name in pooling}
        lacking = {name: [key for key in distinct if key not in known[name]] for name in pooling}
        missing = list(dict.fromkeys(key for own in lacking.values() for key in own))
        if missing:
            needed = [name for name in pooling if lacking[name]]
            computed = self._compute([distinct[key] for key in missing], needed)
            for name in needed:
                fresh = dict(zip(missing, computed[name], strict=True))
                self._cache.put(name, {key: fresh[key] for key in lacking[name]}, keep)
                known[name].update(fresh)
        return {name: [known[name][key] for key in keys] for name in pooling}

    def _compute(self, texts: Sequence[Text], pooling: Sequence[str]) -> dict[str, list[Stored]]:
        ids, cut = fitted_ids(self.tokens, texts, self.max_tokens)
        ids = [own or [self._start()] for own in ids]
        found: dict[str, list[Any]] = {name: [None] * len(ids) for name in pooling}
        rows = None if self.batch_size == "auto" else self.batch_size
        budget = self._budget() if rows is None else 2**62
        for batch in batches([len(own) for own in ids], tokens=budget, rows=rows):
            states = self._forward([ids[place] for place in batch], pooling)
            for name in pooling:
                for place, own in zip(batch, states[name], strict=True):
                    # a copy, so that one row does not hold on to its whole batch
                    found[name][place] = Stored(own.copy(), cut[place], len(ids[place]))
        return found

    @torch.inference_mode()
    def layers_of(self, batch: Sequence[Sequence[int]]) -> tuple[list[Any], torch.Tensor]:
        """(n, t, w) states of every layer for rows of token ids, and (n, t) where tokens are.

        The last layer is what a head would read.
        """
        features = padded(self.tokens, batch, self._device)
        if not getattr(self.network.config, "type_vocab_size", 0):
            # to GPT-2 a token type is one more word, whose embedding it adds
            features.pop("token_type_ids", None)
        output = self.network(**features, output_hidden_states=True)
        self._meter.add(computed_tokens=features["input_ids"].numel())
        layers = list(output.hidden_states)
        if layers[-1].shape == output.last_hidden_state.shape:
            layers[-1] = output.last_hidden_state
        return layers, features["attention_mask"].bool()

    @torch.inference_mode()
    def _forward(
        self, batch: Sequence[Sequence[int]], pooling: Sequence[str]
    ) -> dict[str, NDArray[np.float32]]:
        """By pooling, (n, l, w)."""
        layers, mask = self.layers_of(batch)
        found = {}
        for name in pooling:
            stacked = torch.stack([pool(name, layer.float(), mask) for layer in layers], dim=1)
            found[name] = stacked.cpu().numpy()
            if not np.isfinite(found[name]).all():
                raise BackendError(
                    f"model {self.model!r} gives numbers that are not finite",
                    hint="use --dtype float32",
                )
        return found

    def _budget(self) -> int:
        """Tokens of a batch: what the device takes, and hidden states that memory takes."""
        of_a_token = (self.n_layers + 1) * self.width * 4
        return min(BATCH_TOKENS.get(self._device.type, 4096), max(BATCH_BYTES // of_a_token, 1))

    def _start(self) -> int:
        """What a model reads of an empty text, where its tokenizer adds nothing."""
        tokenizer = self.tokens.tokenizer
        known = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
        found = next((token for token in known if token is not None), None)
        if found is None:
            raise BackendError("a text is empty, and the model has no token to start from")
        return int(found)


def pool(name: str, layer: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(n, w) from the (n, t, w) states of one layer, padding left out.

    Args:
        name: See `HiddenStates.read`.
        layer: The states.
        mask: (n, t), True where there is a token; padding stands on the right.
    """
    if name == "cls":
        return layer[:, 0]
    if name == "last":
        return layer[torch.arange(len(layer), device=layer.device), mask.sum(dim=1) - 1]
    if name == "max":
        return layer.masked_fill(~mask[:, :, None], float("-inf")).amax(dim=1)
    return (layer * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def check_poolings(pooling: Sequence[str]) -> None:
    """Refuse a pooling that there is not.

    Raises:
        SpecError: Names the nearest one.
    """
    for name in pooling:
        if name not in POOLINGS:
            raise SpecError(f"no pooling named {name!r}; {nearest(name, POOLINGS)}")


def layer_places(layers: Sequence[int], n_states: int) -> list[int]:
    """Layers counted from 0, however they were counted.

    Args:
        layers: From 0 (embedding), or negative from the last layer.
        n_states: How many there are, the embedding included.

    Raises:
        SpecError: One that the model does not have.
    """
    for layer in layers:
        if not -n_states <= layer < n_states:
            raise SpecError(
                f"layer {layer}: the model has the layers 0 (embedding) to {n_states - 1}, or "
                f"-1 (the last) to -{n_states}"
            )
    return [layer % n_states for layer in layers]


def hidden_states(
    model: str = "minilm",
    *,
    batch_size: int | Literal["auto"] = "auto",
    device: str = "auto",
    dtype: str = "auto",
    cache: Path | None = None,
) -> HiddenStates:
    """The same `HiddenStates` again for the same arguments and the same weights.

    Cross-validation asks for one model many times over, and so remembers its texts.
    """
    return _shared(model, locate(model).hash(), batch_size, device, dtype, cache)


@lru_cache(maxsize=2)
def _shared(
    model: str,
    weights: str,
    batch_size: int | Literal["auto"],
    device: str,
    dtype: str,
    cache: Path | None,
) -> HiddenStates:
    return HiddenStates(model, batch_size, device, dtype, cache)


def _of_layers(rows: Sequence[Stored], layers: Sequence[int] | None) -> NDArray[np.float32]:
    if layers is None:
        return np.stack([row.states for row in rows])
    places = layer_places(layers, len(rows[0].states))
    return np.stack([row.states[places] for row in rows])
