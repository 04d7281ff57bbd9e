"""A sentence encoder as a classifier: a row belongs to the label whose statements are nearest.

The evidence for a label is the mean cosine between the row and the label's statements, divided by
a temperature (Yin et al. 2019 put labels into statements; here an encoder compares them). With
demonstrations, each joins the statements of its label with a weight.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from promptkit.backends.afresh import may_know, note
from promptkit.backends.encoding import fitted_ids, padded
from promptkit.backends.meter import Meter
from promptkit.backends.plan import batches
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import choose_device, choose_dtype, quieten
from promptkit.backends.weights import locate
from promptkit.errors import BackendError, CapabilityError, SpecError
from promptkit.types import Candidate, Cost, Evidence, Piece, Prompt, Text, label_key

BATCH_TOKENS = {"cpu": 4096, "mps": 8192, "cuda": 65536}
#: Texts whose vectors are remembered: statements, demonstrations, and rows, which
#: cross-validation and several kinds of prompts ask about again and again.
REMEMBERED = 50_000


@dataclass(frozen=True)
class _Encoded:
    """A text as the encoder sees it.

    Args:
        vector: (w,) of length one.
        cut: Characters that were too many.
        n_tokens: Tokens read.
    """

    vector: NDArray[np.float32]
    cut: int
    n_tokens: int


class EmbeddingBackend:
    """Compares rows with statements about labels.

    Args:
        model: ``minilm``, a sentence-transformers folder, or a hub id.
        temperature: Cosines are divided by it; smaller is surer of itself.
        shot_weight: Weight of a demonstration beside a statement's weight of 1.
        batch_size: Texts of a batch, or ``auto`` for a budget of tokens.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``.

    Raises:
        BackendError: The folder has no usable weights.
        CapabilityError: The model is no sentence encoder.
        SpecError: A temperature that is not above 0, or a weight below 0.
    """

    name = "embedding"
    reads: Literal["text", "statements"] = "statements"

    def __init__(
        self,
        model: str = "minilm",
        temperature: float = 0.05,
        shot_weight: float = 1.0,
        batch_size: int | Literal["auto"] = "auto",
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        if not temperature > 0:
            raise SpecError(f"option 'temperature' is {temperature!r}; it must be above 0")
        if not shot_weight >= 0:
            raise SpecError(f"option 'shot_weight' is {shot_weight!r}; it must be 0 or more")
        self.model, self.temperature, self.shot_weight = model, temperature, shot_weight
        self.batch_size, self.device, self.dtype = batch_size, device, dtype
        located = locate(model)
        if located.kind() != "sentence-encoder":
            raise CapabilityError(
                f"backend 'embedding' needs a sentence-transformers folder (modules.json); "
                f"{model!r} is of kind {located.kind()!r}; use --backend hf for a language model"
            )
        quieten()
        self._device = choose_device(device)
        self._located, self._dtype = located, choose_dtype(dtype, self._device)
        self._encoder = _load(located.path, self._device, self._dtype)
        self.tokens = Tokens(self._encoder.tokenizer)
        self.max_tokens = int(self._encoder.max_seq_length or 512)
        self._remembered: OrderedDict[Text, _Encoded] = OrderedDict()
        self._meter = Meter()

    @property
    def cost(self) -> Cost:
        """What has been computed so far."""
        return self._meter.cost

    @property
    def vectors_identity(self) -> str:
        """Names all that the vectors of texts hang on, as part of a file's name."""
        number = str(self._dtype).removeprefix("torch.")
        packages = [f"{name}{version(name)}" for name in ("sentence-transformers", "transformers")]
        return "-".join([self._located.hash(), number, *packages])

    def reading(self, temperature: float, shot_weight: float) -> EmbeddingBackend:
        """The same encoder for another template: one model, one memory of vectors, one meter."""
        other = copy(self)
        other.temperature, other.shot_weight = temperature, shot_weight
        return other

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, w) vectors of length one; the texts are row text: nothing in them is control."""
        with self._meter.timed():
            vectors, _, _ = self._encode([(Piece(text, True),) for text in texts])
        return vectors

    def vectors(self, texts: Sequence[Text]) -> tuple[NDArray[np.float32], list[int]]:
        """As `encode`, and how many characters of each text were too many to be read."""
        with self._meter.timed():
            found = self._encoded(texts)
        self._meter.add(prompt_tokens=sum(row.n_tokens for row in found))
        return _stacked(found), [row.cut for row in found]

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`; the evidence is mean cosine / temperature."""
        with self._meter.timed():
            rows = self._encoded([prompt.encoded for prompt in prompts])
            different = {id(own): own for own in candidates}.values()  # most rows share theirs
            told = [text for own in different for one in own for text in one.statements]
            shown = [shot.encoded for prompt in prompts for shot in prompt.shots]
            texts = list(dict.fromkeys([*told, *shown]))
            vectors = self._encoded([(Piece(text, True),) for text in texts])
            known = {text: one.vector for text, one in zip(texts, vectors, strict=True)}
            evidence = [
                self._evidence(prompt, row.vector, own, known, row.cut)
                for prompt, row, own in zip(prompts, rows, candidates, strict=True)
            ]
        self._meter.add(rows=len(prompts), prompt_tokens=sum(row.n_tokens for row in rows))
        return evidence

    def _evidence(
        self,
        prompt: Prompt,
        row: NDArray[np.float32],
        candidates: Sequence[Candidate],
        known: dict[str, NDArray[np.float32]],
        cut: int,
    ) -> Evidence:
        shots: dict[object, list[str]] = {}
        for shot in prompt.shots:
            shots.setdefault(label_key(shot.label), []).append(shot.encoded)
        log_p = []
        for candidate in candidates:
            near = shots.get(label_key(candidate.label), [])
            texts = [*candidate.statements, *near]
            weights = np.array([1.0] * len(candidate.statements) + [self.shot_weight] * len(near))
            cosines = np.stack([known[text] for text in texts]) @ row
            log_p.append(float(weights @ cosines / weights.sum()) / self.temperature)
        return Evidence(
            example_id=prompt.example_id,
            log_p=tuple(log_p),
            n_tokens=(1,) * len(log_p),
            n_bytes=(1,) * len(log_p),
            kind=f"cosine / {self.temperature:g}",
            shots=tuple(shot.example_id for shot in prompt.shots),
            dropped_shots=prompt.dropped_shots,
            cut_chars=prompt.cut_chars + cut,
        )

    def _encoded(self, texts: Sequence[Text]) -> list[_Encoded]:
        """Each text encoded; what an earlier call computed is remembered."""
        wanted = list(dict.fromkeys(texts))
        memory = self._remembered
        new = [text for text in wanted if text not in memory or not may_know(memory, text)]
        vectors, cut, n_tokens = self._encode(new)
        for text, *own in zip(new, vectors, cut, n_tokens, strict=True):
            self._remembered[text] = _Encoded(*own)
        note(memory, new)
        found = [self._remembered[text] for text in texts]
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return found

    def _encode(self, texts: Sequence[Text]) -> tuple[NDArray[np.float32], list[int], list[int]]:
        """(n, w) unit vectors, and for each text its characters cut off and its tokens."""
        ids, cut = fitted_ids(self.tokens, texts, self.max_tokens)
        lengths = [len(one) for one in ids]
        rows = None if self.batch_size == "auto" else self.batch_size
        budget = BATCH_TOKENS.get(self._device.type, 4096) if rows is None else 2**62
        vectors: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(ids)
        for batch in batches(lengths, tokens=budget, rows=rows):
            for index, vector in zip(batch, self._forward([ids[i] for i in batch]), strict=True):
                vectors[index] = vector
        stacked = np.stack(vectors) if vectors else np.empty((0, 0), np.float32)
        return stacked, cut, lengths

    @torch.inference_mode()
    def _forward(self, batch: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        features = padded(self.tokens, batch, self._device)
        vectors = self._encoder(features)["sentence_embedding"].float()
        self._meter.add(computed_tokens=features["input_ids"].numel())
        unit: NDArray[np.float32] = torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy()
        return unit


def shared_encoder(
    model: str = "minilm", *, device: str = "auto", dtype: str = "auto"
) -> EmbeddingBackend:
    """The same encoder again for the same arguments and weights, with what it remembers.

    Cross-validation asks for one encoder many times over, about the same texts.
    """
    return _shared(model, locate(model).hash(), device, dtype)


@lru_cache(maxsize=2)
def _shared(model: str, weights: str, device: str, dtype: str) -> EmbeddingBackend:
    return EmbeddingBackend(model, device=device, dtype=dtype)


def _stacked(found: Sequence[_Encoded]) -> NDArray[np.float32]:
    return np.stack([one.vector for one in found]) if found else np.empty((0, 0), np.float32)


def _load(path: Any, device: Any, dtype: Any) -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        encoder = SentenceTransformer(
            str(path),
            device=str(device),
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": dtype, "use_safetensors": True},
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise BackendError(
            f"model {path}: {str(error).splitlines()[0]}",
            hint="give a sentence-transformers folder that was saved whole",
        ) from error
    return encoder.eval()
