"""How probable a language model finds a text: by its tokens in order, or each where it is hidden.

Of a masked model it is the pseudo-log-likelihood (Salazar et al. 2020), in which with a token also
the rest of its word is hidden (Kauf and Ivanova 2023): a word's first piece else gives the others
away. The two kinds are on different scales: a masked model reads both sides of what it says.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from promptkit.backends.encoding import padded
from promptkit.backends.hf import load_tokenizer, max_tokens_of
from promptkit.backends.hf_loading import Loading, load_weights
from promptkit.backends.meter import Meter
from promptkit.backends.plan import batches
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import choose_device, choose_dtype, quieten
from promptkit.backends.weights import locate
from promptkit.errors import BackendError, CapabilityError
from promptkit.types import Cost, Text

#: Positions of a batch, and bytes that its logits may take.
BATCH_TOKENS, BATCH_BYTES = 4096, 256 * 2**20


@dataclass(frozen=True)
class Likelihood:
    """How probable a text is.

    Args:
        nats: Sum of the log-probabilities of its tokens.
        tokens: How many tokens that are.
        bytes: Length in UTF-8 of what was read of it.
    """

    nats: float
    tokens: int
    bytes: int


@dataclass(frozen=True)
class _Asked:
    """One sequence: what is read, at which places tokens are predicted, and which."""

    text: int
    ids: tuple[int, ...]
    places: tuple[int, ...]
    tokens: tuple[int, ...]


class TextLikelihood:
    """Log-likelihoods of texts under a causal or a masked language model.

    Args:
        model: A folder or a hub id.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``.

    Raises:
        CapabilityError: No language model: nothing in it says how probable a word is.
        BackendError: No such model, or no weights in it.
    """

    def __init__(self, model: str, device: str = "auto", dtype: str = "auto") -> None:
        located = locate(model)
        self.model, self.kind = model, located.kind()
        loaders = {"causal": "AutoModelForCausalLM", "masked": "AutoModelForMaskedLM"}
        if self.kind not in loaders:
            raise CapabilityError(
                f"{model!r} is of kind {self.kind!r}, which does not say how probable a text is; "
                "give a causal or a masked language model"
            )
        quieten()
        import transformers

        self._device = choose_device(device)
        self._meter = Meter()
        self.tokens = Tokens(load_tokenizer(located.path))
        self.network = load_weights(
            getattr(transformers, loaders[self.kind]), located.path, Loading(),
            choose_dtype(dtype, self._device), self._device,
        )  # fmt: skip
        self.max_tokens = max_tokens_of(self.network, self.tokens.tokenizer)
        self._mask = self.tokens.tokenizer.mask_token_id
        if self.kind == "masked" and self._mask is None:
            raise BackendError(
                f"model {model!r} is a masked language model whose tokenizer has no mask token",
                hint="save its own tokenizer with it",
            )

    @property
    def cost(self) -> Cost:
        """What has been read and computed so far."""
        return self._meter.cost

    def of(self, texts: Sequence[Text], most: int | None = None) -> list[Likelihood]:
        """The likelihood of each text; what is too long loses its end.

        Args:
            texts: Pieces that know which of them came out of a row.
            most: Of a masked model, how many tokens of a text are asked for at most; the sum is
                then that of a sample times what it stands for. None asks for all.

        Raises:
            BackendError: The model's numbers are not finite.
        """
        with self._meter.timed():
            known = [self._read(text) for text in texts]
            asked = [
                one
                for place, (ids, first, words, _) in enumerate(known)
                for one in self._asked(place, ids, first, words, most)
            ]
            sums, counts = np.zeros(len(texts)), np.zeros(len(texts), int)
            limit = max(BATCH_BYTES // (4 * self._vocabulary()), 1)
            lengths = [len(one.ids) for one in asked]
            for batch in batches(lengths, tokens=min(BATCH_TOKENS, limit)):
                for place, value in zip(
                    batch, self._forward([asked[i] for i in batch]), strict=True
                ):
                    sums[asked[place].text] += value
                    counts[asked[place].text] += len(asked[place].places)
            found = []
            for value, count, (_, _, words, size) in zip(sums, counts, known, strict=True):
                n = len(words) if self.kind == "masked" else int(count)
                found.append(Likelihood(float(value * n / max(count, 1)), n, size))
        self._meter.add(rows=len(texts), prompt_tokens=sum(one.tokens for one in found))
        return found

    def bits_per_byte(self, texts: Sequence[Text], most: int | None = 16) -> float:
        """Bits that the model needs for a byte of these texts; lower where it knows their like."""
        found = self.of(texts, most)
        size = sum(one.bytes for one in found)
        return -sum(one.nats for one in found) / math.log(2) / max(size, 1)

    def _vocabulary(self) -> int:
        return int(self.network.get_output_embeddings().weight.shape[0])

    def _read(self, text: Text) -> tuple[list[int], int, list[int], int]:
        """Ids, where the text's own begin, the word of each of its tokens, and its bytes."""
        (encoded,) = self.tokens.encode([text])
        before, after = self.tokens.wrapping
        begin = list(before)
        if self.kind == "causal" and not begin:
            own = self.tokens.tokenizer
            start = next((t for t in (own.bos_token_id, own.eos_token_id) if t is not None), None)
            begin = [] if start is None else [int(start)]
        room = max(self.max_tokens - len(begin) - len(after), 1)
        ids, spans = encoded.ids[:room], encoded.spans[:room]
        whole = "".join(piece.text for piece in text)
        read = whole if len(encoded.ids) <= room else whole[: spans[-1][1]]
        starts = [match.start() for match in re.finditer(r"\S+", whole)]
        words = []
        for start, stop in spans:
            letters = start + len(whole[start:stop]) - len(whole[start:stop].lstrip())
            words.append(int(np.searchsorted(starts, letters, side="right")))
        return [*begin, *ids, *after], len(begin), words, len(read.encode())

    def _asked(
        self, place: int, ids: list[int], first: int, words: list[int], most: int | None
    ) -> Iterator[_Asked]:
        if not words:
            return
        if self.kind == "causal":
            # without a token to start from nothing predicts the first one
            told = range(max(first, 1), first + len(words))
            if len(told):
                own = tuple(ids[at] for at in told)
                yield _Asked(place, tuple(ids), tuple(at - 1 for at in told), own)
            return
        chosen = list(range(len(words)))
        if most is not None and len(chosen) > most:
            seed = hashlib.sha256(repr(ids).encode()).digest()[:8]
            draw = np.random.default_rng(int.from_bytes(seed))
            chosen = sorted(draw.choice(len(words), most, replace=False).tolist())
        for at in chosen:
            hidden = list(ids)
            for beside in range(at, len(words)):
                if words[beside] != words[at]:
                    break
                hidden[first + beside] = int(self._mask)
            yield _Asked(place, tuple(hidden), (first + at,), (ids[first + at],))

    @torch.inference_mode()
    def _forward(self, batch: Sequence[_Asked]) -> list[float]:
        features = padded(self.tokens, [one.ids for one in batch], self._device)
        if not getattr(self.network.config, "type_vocab_size", 0):
            features.pop("token_type_ids", None)
        more: dict[str, Any] = {"use_cache": False} if self.kind == "causal" else {}
        logits = self.network(**features, **more).logits
        self._meter.add(computed_tokens=features["input_ids"].numel())
        found = []
        for row, one in zip(logits, batch, strict=True):
            log_p = row[list(one.places)].float().log_softmax(-1)
            value = float(log_p[torch.arange(len(one.tokens)), list(one.tokens)].double().sum())
            if not math.isfinite(value):
                raise BackendError(
                    f"model {self.model!r} gives numbers that are not finite",
                    hint="use --dtype float32",
                )
            found.append(value)
        return found
