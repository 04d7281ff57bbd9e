"""Any causal language model of transformers, from a folder or a hub id.

For each row and label: the log-probability of the whole label string after the prompt, in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from promptkit.backends.meter import Meter
from promptkit.backends.plan import Pass, batches, plan
from promptkit.backends.tokens import Request, Tokens
from promptkit.backends.torch_device import choose_device, choose_dtype, quieten
from promptkit.backends.weights import locate
from promptkit.errors import BackendError, CapabilityError, DataError
from promptkit.prompts.budget import fit
from promptkit.types import Candidate, Cost, Evidence, Prompt, flat

#: Positions of a batch by default. On 2 CPU cores 2048 was as fast as 4096 and beat 512.
BATCH_TOKENS = {"cpu": 2048, "mps": 4096, "cuda": 16384}
#: Bytes of float32 logits that are held at once.
LOGIT_BYTES = 256 * 2**20


class HFBackend:
    """Scores label words with a causal language model.

    Args:
        model: A folder or a hub id.
        batch_size: Sequences of a batch, or ``auto`` for a budget of tokens.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``.

    Raises:
        BackendError: The folder has no usable weights.
        CapabilityError: The model is not a causal language model.
    """

    name = "hf"
    reads: Literal["text", "statements"] = "text"

    def __init__(
        self,
        model: str,
        batch_size: int | Literal["auto"] = "auto",
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self.model, self.batch_size, self.device, self.dtype = model, batch_size, device, dtype
        located = locate(model)
        if located.kind() != "causal":
            raise CapabilityError(
                f"backend 'hf' scores causal language models; {model!r} is of kind "
                f"{located.kind()!r}" + _instead(located.kind())
            )
        quieten()
        self._device = choose_device(device)
        self._model = _load(located.path, choose_dtype(dtype, self._device)).to(self._device)
        self.tokens = Tokens(load_tokenizer(located.path))
        self.max_tokens = _max_tokens(self._model.config, self.tokens.tokenizer)
        self._meter = Meter()

    @property
    def cost(self) -> Cost:
        """What has been computed so far."""
        return self._meter.cost

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`."""
        with self._meter.timed():
            asked = [self._ask(p, c) for p, c in zip(prompts, candidates, strict=True)]
            requests = [ask.request for ask in asked if ask.request is not None]
            scores = iter(self._run(requests))
            evidence = []
            for ask, own in zip(asked, candidates, strict=True):
                scored = ask.request is not None
                evidence.append(_evidence(ask, own, next(scores) if scored else []))
        self._meter.add(
            rows=len(prompts), prompt_tokens=sum(len(request.context) for request in requests)
        )
        return evidence

    def _ask(self, prompt: Prompt, candidates: Sequence[Candidate]) -> _Asked:
        """Token ids for a row, its prompt shortened when it is too long for the model."""
        request = self.tokens.request(prompt, candidates)
        if _longest(request) <= self.max_tokens:
            return _Asked(prompt, request)
        which = max(range(len(candidates)), key=lambda i: len(request.answers[i]))
        widest = [candidates[which]]
        keep = {flat(candidate.text).strip() for candidate in candidates}
        try:
            prompt = fit(
                prompt,
                lambda p: _longest(self.tokens.request(p, widest)) + 1,
                self.max_tokens,
                keep,
            )
        except DataError as error:
            return _Asked(prompt, None, str(error))
        return _Asked(prompt, self.tokens.request(prompt, candidates))

    def _run(self, requests: Sequence[Request]) -> list[list[float]]:
        totals = [[0.0] * len(request.answers) for request in requests]
        passes = plan(requests)
        rows = None if self.batch_size == "auto" else self.batch_size
        tokens = BATCH_TOKENS.get(self._device.type, 2048) if rows is None else 2**62
        lengths = [len(one.ids) for one in passes]
        for batch in batches(lengths, tokens=tokens, rows=rows):
            self._forward([passes[index] for index in batch], totals)
        return totals

    @torch.inference_mode()
    def _forward(self, batch: Sequence[Pass], totals: list[list[float]]) -> None:
        """One pass; adds each wanted log-probability to its candidate's total."""
        width = max(len(one.ids) for one in batch)
        ids = torch.zeros((len(batch), width), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, one in enumerate(batch):  # padded on the right: exact for every kind of position
            ids[row, : len(one.ids)] = torch.tensor(one.ids)
            mask[row, : len(one.ids)] = 1
        kept = sorted({wanted.at for one in batch for wanted in one.wanted})
        try:
            logits = self._model(
                input_ids=ids.to(self._device),
                attention_mask=mask.to(self._device),
                logits_to_keep=torch.tensor(kept, device=self._device),
                use_cache=False,
            ).logits
        except torch.OutOfMemoryError as error:
            if len(batch) == 1:
                raise BackendError(
                    f"out of memory on one sequence of {width} tokens",
                    hint="use a smaller --dtype, a smaller model or --device cpu",
                ) from error
            torch.cuda.empty_cache()
            half = len(batch) // 2
            self._forward(batch[:half], totals)
            self._forward(batch[half:], totals)
            return
        self._meter.add(computed_tokens=ids.numel())
        if self._device.type == "cuda":
            self._meter.add(peak_bytes=torch.cuda.max_memory_allocated(self._device))
        self._read(logits, kept, batch, totals)

    def _read(
        self, logits: Any, kept: list[int], batch: Sequence[Pass], totals: list[list[float]]
    ) -> None:
        column = {at: index for index, at in enumerate(kept)}
        places = sorted({(row, w.at) for row, one in enumerate(batch) for w in one.wanted})
        size = max(1, LOGIT_BYTES // (4 * logits.shape[-1]))
        found: dict[tuple[int, int], Any] = {}
        for start in range(0, len(places), size):
            part = places[start : start + size]
            rows = torch.tensor([row for row, _ in part], device=self._device)
            columns = torch.tensor([column[at] for _, at in part], device=self._device)
            log_p = logits[rows, columns].float().log_softmax(-1)
            for index, place in enumerate(part):
                tokens = [w.token for w in batch[place[0]].wanted if w.at == place[1]]
                unique = sorted(set(tokens))
                values = log_p[index, torch.tensor(unique, device=self._device)].tolist()
                found[place] = dict(zip(unique, values, strict=True))
        for row, one in enumerate(batch):
            for wanted in one.wanted:
                totals[wanted.request][wanted.candidate] += found[row, wanted.at][wanted.token]


@dataclass(frozen=True)
class _Asked:
    """What became of a row's prompt."""

    prompt: Prompt
    request: Request | None
    problem: str = ""


def _longest(request: Request) -> int:
    return len(request.context) + max(map(len, request.answers))


def _evidence(asked: _Asked, candidates: Sequence[Candidate], log_p: Sequence[float]) -> Evidence:
    prompt, request = asked.prompt, asked.request
    return Evidence(
        example_id=prompt.example_id,
        log_p=tuple(log_p),
        n_tokens=tuple(len(a) for a in request.answers) if request else (),
        n_bytes=tuple(len(flat(c.text).encode()) for c in candidates) if request else (),
        kind="log-probability",
        shots=tuple(shot.example_id for shot in prompt.shots),
        dropped_shots=prompt.dropped_shots,
        cut_chars=prompt.cut_chars,
        problem=asked.problem,
    )


def _load(path: Any, dtype: Any) -> Any:
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            path,
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
    absent = sorted(info["missing_keys"]) + sorted(str(k) for k in info["mismatched_keys"])
    if absent:
        raise BackendError(
            f"model {path}: {len(absent)} tensors are missing from its weights, {absent[0]!r} first",
            hint="its scores would be random; save the whole model",
        )
    return model.eval()


def load_tokenizer(path: Any) -> Any:
    """The tokenizer of a local folder; no code from the folder is run.

    Raises:
        BackendError: There is none, or it cannot be read.
    """
    try:
        return AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise BackendError(
            f"model {path}: no usable tokenizer ({str(error).splitlines()[0]})",
            hint="copy tokenizer.json and tokenizer_config.json into the folder",
        ) from error


def _max_tokens(config: Any, tokenizer: Any) -> int:
    names = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
    known = [getattr(config, name, None) for name in names]
    limits = [int(value) for value in known if isinstance(value, int) and value > 0]
    if isinstance(tokenizer.model_max_length, int) and tokenizer.model_max_length < 10**7:
        limits.append(tokenizer.model_max_length)
    return min(limits) if limits else 2**31


def _instead(kind: str) -> str:
    if kind == "sentence-encoder":
        return "; use --backend embedding"
    return "; give a causal model (Llama, Qwen, Gemma, GPT-2, OPT...) or a sentence encoder"
