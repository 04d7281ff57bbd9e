"""An engine of vLLM writes: greedily, by draws of each row's own seed, or a label only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from promptkit.backends.beginnings import Beginning, evidence_for
from promptkit.backends.meter import Meter
from promptkit.backends.vllm_scorer import alive
from promptkit.types import Evidence, Generation, Sampling


def write(
    engine: Any,
    beginnings: Sequence[Beginning],
    sampling: Sampling,
    *,
    constrained: bool,
    room: int,
    adapter: Any,
    meter: Meter,
) -> list[Evidence]:
    """What is written behind each beginning.

    Constrained answers are held to their text, not to their tokens: a label may be spelled by
    other tokens than those that its text has by itself.

    Args:
        engine: A `vllm.LLM`.
        beginnings: What is gone on from.
        sampling: How.
        constrained: Whether each row's choices alone can be written.
        room: Tokens that the model reads and writes together.
        adapter: A `vllm.lora.request.LoRARequest`, or None.
        meter: Counts tokens.

    Raises:
        BackendError: The engine died.
    """
    asked = [
        (one, number)
        for one in beginnings
        for number in range(sampling.samples if not one.problem else 0)
    ]
    with alive():
        found = engine.generate(
            [{"prompt_token_ids": list(one.ids)} for one, _ in asked],
            [_parameters(one, n, sampling, room, constrained=constrained) for one, n in asked],
            use_tqdm=False,
            lora_request=adapter,
        )
    written = iter(found)
    evidence = []
    for one in beginnings:
        texts = []
        for _ in range(sampling.samples if not one.problem else 0):
            answer = next(written)
            output = answer.outputs[0]
            finish = "length" if output.finish_reason == "length" else "stop"
            n = len(output.token_ids)
            meter.add(
                new_tokens=n,
                computed_tokens=len(one.ids) + max(0, n - 1) - (answer.num_cached_tokens or 0),
            )
            texts.append(Generation(output.text, finish, n))  # type: ignore[arg-type]
        evidence.append(evidence_for(one, texts, constrained=constrained))
    meter.add(rows=len(beginnings), prompt_tokens=sum(len(one.ids) for one in beginnings))
    return evidence


def _parameters(
    one: Beginning, number: int, sampling: Sampling, room: int, *, constrained: bool
) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    drawn = sampling.temperature > 0
    choices = list(dict.fromkeys(one.choices))
    return SamplingParams(
        max_tokens=room - len(one.ids) if constrained else sampling.max_new_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k or 0,
        seed=sampling.seed_of(one.prompt.example_id, number) if drawn else None,
        stop=[] if constrained else list(sampling.stop),
        # markers of think blocks are special tokens in some vocabularies
        skip_special_tokens=False,
        spaces_between_special_tokens=False,
        structured_outputs=StructuredOutputsParams(choice=choices) if constrained else None,
    )
