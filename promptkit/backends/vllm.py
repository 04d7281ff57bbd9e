"""vLLM in this process: one model served from a folder or a hub id, labels scored exactly."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from promptkit.backends.adapter import adapter_folder
from promptkit.backends.asking import Asking
from promptkit.backends.beginnings import beginnings
from promptkit.backends.first_tokens import (
    CandidateTokens,
    check_candidate_tokens,
    refuse_writing,
)
from promptkit.backends.hf import load_tokenizer
from promptkit.backends.memory import free_bytes
from promptkit.backends.meter import Meter
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import choose_device, choose_dtype
from promptkit.backends.vllm_scorer import VLLMScorer
from promptkit.backends.vllm_writing import write
from promptkit.backends.weights import locate
from promptkit.errors import BackendError, CapabilityError, MissingExtra, SpecError
from promptkit.protocols import OnEvidence, unheard
from promptkit.types import Candidate, Cost, Evidence, Prompt, Sampling

#: Settings of vLLM that a user may have set already: quiet, and nothing is reported to anyone.
QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"}
#: On a CPU: blocks of the cache of as few tokens as vLLM computes there, and generations of more
#: than two tokens, since what is behind a prompt's last whole block is what takes the time.
ON_CPU = {"block_size": 32, "logits_processors": ["promptkit.backends.vllm_forcing:Forcing"]}
LONGEST = {"cpu": 8}
#: How many GiB of keys and values vLLM keeps on a CPU; it would take nearly all memory otherwise.
CPU_SPACE = "VLLM_CPU_KVCACHE_SPACE"
#: Versions that the tests ran with, the last one excluded; see docs/decisions/0012-vllm.md.
VERSIONS = ((0, 32), (0, 33))


class VLLMBackend:
    """Scores label words with a causal language model that vLLM serves.

    Options have vLLM's own names and meanings, but for the last ones.

    Args:
        model: A folder or a hub id.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``; ``auto`` is float32 on a CPU and
            bfloat16 elsewhere.
        max_model_len: Most tokens of a prompt with its answer; None is as many as the model reads
            and memory holds.
        tensor_parallel_size: GPUs that share the model.
        quantization: How weights are or will be quantized; None is as the model says.
        gpu_memory_utilization: Share of a GPU's memory that vLLM takes; None is vLLM's default. A
            CPU's cache takes a quarter of the free memory, 4 GiB at most, or what the environment
            says (VLLM_CPU_KVCACHE_SPACE).
        enforce_eager: No graphs are captured: starts faster and runs slower. On a CPU it is so.
        max_num_seqs: Sequences of a step at most; None is vLLM's default.
        adapter: Folder of a LoRA adapter that peft saved.
        chat_template_kwargs: Arguments of the model's chat template, such as ``enable_thinking``.
        candidate_tokens: ``all`` scores a label's whole string, ``first`` its first token alone.

    Raises:
        MissingExtra: vLLM is not installed.
        CapabilityError: The model is no causal language model.
        BackendError: The engine does not start, or the adapter changes nothing.
    """

    name = "vllm"
    reads: Literal["text", "statements"] = "text"

    def __init__(
        self,
        model: str,
        dtype: str = "auto",
        max_model_len: int | None = None,
        tensor_parallel_size: int = 1,
        quantization: str | None = None,
        gpu_memory_utilization: float | None = None,
        enforce_eager: bool = False,
        max_num_seqs: int | None = None,
        adapter: str | None = None,
        chat_template_kwargs: Mapping[str, Any] | None = None,
        candidate_tokens: CandidateTokens = "all",
    ) -> None:
        check_candidate_tokens(candidate_tokens)
        self.model, self.dtype, self.adapter = model, dtype, adapter
        self.chat_template_kwargs = chat_template_kwargs
        located = locate(model)
        kind = located.kind()
        if kind != "causal":
            raise CapabilityError(
                f"backend 'vllm' serves causal language models; {model!r} is of kind {kind!r}; "
                f"use --backend auto"
            )
        self.tokens = Tokens(load_tokenizer(located.path), chat_template_kwargs)
        self._meter = Meter()
        device = choose_device("auto")
        chosen = str(choose_dtype(dtype, device)).removeprefix("torch.")
        if device.type == "cpu":
            os.environ.setdefault(CPU_SPACE, str(_cache_gib(device)))
        given = {
            "quantization": quantization,
            "gpu_memory_utilization": gpu_memory_utilization,
            "max_num_seqs": max_num_seqs,
        }
        engine = _started(
            model=str(located.path),
            dtype=chosen,
            max_model_len=-1 if max_model_len is None else max_model_len,
            tensor_parallel_size=tensor_parallel_size,
            enforce_eager=enforce_eager or device.type == "cpu",
            # whole blocks are cached, and what is left is computed for each label: small ones
            **(ON_CPU if device.type == "cpu" else {}),
            **{key: value for key, value in given.items() if value is not None},
            **(_room_for(adapter) if adapter else {}),
        )
        config = engine.llm_engine.model_config
        self.max_tokens = int(config.max_model_len)
        vocabulary, half = int(config.get_vocab_size()), chosen != "float32"
        self._scorer = VLLMScorer(
            engine, self.tokens, self._meter, longest=LONGEST.get(device.type, 2)
        )
        if adapter:
            self._scorer = _adapted(self._scorer, adapter, vocabulary)
        self._scorer.check_order(vocabulary, self.max_tokens, half=half)
        self._meter = self._scorer.meter = Meter()
        self.candidate_tokens = candidate_tokens
        self._asking = Asking(self._scorer, self.max_tokens, self._meter, candidate_tokens)

    @property
    def cost(self) -> Cost:
        """What has been computed so far."""
        return self._meter.cost

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`."""
        return self._asking.score(prompts, candidates)

    def token_ids(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[tuple[Any, ...]]:
        """See `promptkit.protocols.TellsTokens`."""
        return self._asking.token_ids(prompts, candidates)

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        choices: Sequence[Sequence[Candidate]] | None = None,
        on_evidence: OnEvidence = unheard,
    ) -> list[Evidence]:
        """See `promptkit.protocols.CanGenerate`.

        Raises:
            SpecError: It was built to score first tokens.
        """
        refuse_writing(self.candidate_tokens)
        with self._meter.timed():
            rows = beginnings(
                self.tokens,
                prompts,
                choices,
                room=sampling.max_new_tokens,
                max_tokens=self.max_tokens,
                read=self.tokens.contexts,
            )
            found = write(
                self._scorer.engine,
                rows,
                sampling,
                constrained=choices is not None,
                room=self.max_tokens,
                adapter=self._scorer.adapter,
                meter=self._meter,
            )
        for place, one in enumerate(found):
            on_evidence(place, one)
        return found


def _started(**options: Any) -> Any:
    """An engine of vLLM; its own messages go to standard error as they come.

    Raises:
        MissingExtra: vLLM is not installed.
        SpecError: An option that vLLM does not take.
        BackendError: It does not start.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import vllm
    except ImportError as error:
        raise MissingExtra(
            "backend 'vllm' needs vLLM: pip install 'promptkit[vllm]' (on a machine without a GPU: "
            "scripts/install_vllm_cpu.sh of the repository)"
        ) from error
    _check_version(vllm.__version__)
    try:
        return vllm.LLM(
            **options,
            enable_prefix_caching=True,
            trust_remote_code=False,
            load_format="safetensors",
            disable_log_stats=True,
            use_tqdm_on_load=False,
            seed=0,
        )
    except (ValueError, TypeError) as error:  # what pydantic raises is a ValueError
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise SpecError(f"vLLM: {'; '.join(said[:4])}") from error
    except RuntimeError as error:
        raise BackendError(
            f"vLLM does not start: {str(error).splitlines()[0]}",
            hint="its own message stands above; --backend-option max_model_len=2048, or another "
            "gpu_memory_utilization, often helps. In a script of your own, begin under "
            "if __name__ == '__main__'",
        ) from error


def _cache_gib(device: Any) -> int:
    """A quarter of the memory that is free, in GiB; 1 at least and 4 at most."""
    return max(1, min(4, (free_bytes(device) or 0) // (4 * 2**30)))


def _check_version(version: str) -> None:
    parts = tuple(int(part) for part in version.split("+")[0].split(".")[:2] if part.isdigit())
    first, last = VERSIONS
    if not first <= parts < last:
        raise CapabilityError(
            f"vLLM {version} is not supported: log-probabilities were checked with "
            f"{'.'.join(map(str, first))} up to {'.'.join(map(str, last))}, the last excluded"
        )


def _room_for(adapter: str) -> dict[str, Any]:
    """Options that let the engine take an adapter."""
    config = (adapter_folder(adapter) / "adapter_config.json").read_text(encoding="utf-8")
    rank = int(json.loads(config)["r"])
    sizes = (8, 16, 32, 64, 128, 256, 320, 512)
    return {
        "enable_lora": True,
        "max_lora_rank": next((size for size in sizes if size >= rank), rank),
    }


def _adapted(scorer: VLLMScorer, adapter: str, vocabulary: int) -> VLLMScorer:
    """The same with an adapter, which must change what the model says."""
    from vllm.lora.request import LoRARequest

    from promptkit.backends.probe import PROBE, folded

    requests = [folded(request, vocabulary) for request in PROBE]
    request = LoRARequest("adapter", 1, str(Path(adapter).resolve()))
    adapted = VLLMScorer(scorer.engine, scorer.tokens, scorer.meter, request, scorer.longest)
    if adapted.run(requests) == scorer.run(requests):
        raise BackendError(
            f"adapter {adapter}: changes nothing of what the model says",
            hint="check that it was trained for this model",
        )
    return adapted
