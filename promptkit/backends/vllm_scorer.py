"""Labels scored by an engine of vLLM, each token's log-probability exactly."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from promptkit.backends.continuing import Continuing
from promptkit.backends.meter import Meter
from promptkit.backends.probe import SAME, SAME_IN_HALF
from promptkit.backends.tokens import Request, Tokens
from promptkit.backends.vllm_steps import Generation, generations
from promptkit.errors import BackendError

#: Where a request says which tokens it has to begin with; see `vllm_forcing`.
FORCED = "promptkit_forced"

_log = logging.getLogger(__name__)


@contextmanager
def alive() -> Iterator[None]:
    """Within it an engine that dies says so in one line.

    Raises:
        BackendError: It died.
    """
    from vllm.v1.engine.exceptions import EngineDeadError

    try:
        yield
    except EngineDeadError as error:
        raise BackendError(
            "vLLM's engine died; its own message stands above",
            hint="run the same command again: finished rows are stored",
            retryable=True,
        ) from error


class VLLMScorer(Continuing):
    """Scores with vLLM.

    Args:
        engine: A `vllm.LLM`.
        tokens: The model's tokenizer.
        meter: Counts the computed positions.
        adapter: A `vllm.lora.request.LoRARequest`, or None.
        longest: Tokens of a generation at most; more than two where the engine has `Forcing`.
    """

    def __init__(
        self, engine: Any, tokens: Tokens, meter: Meter, adapter: Any = None, longest: int = 2
    ) -> None:
        from vllm.sampling_params import MAX_LOGPROB_TOKEN_IDS

        super().__init__(tokens)
        self.engine, self.meter, self.adapter, self.longest = engine, meter, adapter, longest
        self._most = int(MAX_LOGPROB_TOKEN_IDS)
        #: Whether the engine's prefix cache is read; `check_order` says whether it may be.
        self.cached = True
        #: What the numbers are; a record of a run shows it.
        self.evidence = "log-probability"

    def run(self, requests: Sequence[Request]) -> list[list[float]]:
        """(n, c) log-probabilities.

        Raises:
            BackendError: The engine died, or did not answer what it was asked.
        """
        totals = [[0.0] * len(request.answers) for request in requests]
        asked = list(generations(requests, self._most, self.longest))
        for one, found in zip(asked, self._generated(asked), strict=True):
            self.meter.add(
                computed_tokens=len(one.prompt)
                + len(one.asked)
                - 1
                - (found.num_cached_tokens or 0)
            )
            for children, known in zip(one.asked, found.outputs[0].logprobs, strict=True):
                for token, answers in children.items():
                    if token not in known:
                        raise BackendError(
                            f"vLLM gave no log-probability of token {token}",
                            hint="use vLLM 0.32; see docs/decisions/0012-vllm.md",
                        )
                    for answer in answers:
                        totals[one.request][answer] += known[token].logprob
        return totals

    def _generated(self, asked: Sequence[Generation]) -> list[Any]:
        from vllm import SamplingParams

        with alive():
            found: list[Any] = self.engine.generate(
                [{"prompt_token_ids": list(one.prompt)} for one in asked],
                [
                    SamplingParams(
                        max_tokens=len(one.asked),
                        temperature=0.0,
                        detokenize=False,
                        ignore_eos=True,
                        logprob_token_ids=one.tokens,
                        allowed_token_ids=None if self.longest > 2 else list(one.forced) or None,
                        extra_args={FORCED: list(one.forced)} if self.longest > 2 else None,
                        skip_reading_prefix_cache=not self.cached,
                    )
                    for one in asked
                ],
                use_tqdm=False,
                lora_request=self.adapter,
            )
        return found

    def check_order(self, vocabulary: int, longest: int, *, half: bool) -> None:
        """See that scores depend neither on the order of requests nor on what is cached.

        Versions of vLLM gave other log-probabilities where part of a prompt was in the cache. So
        three prompts of a common beginning are scored cold, again, in reverse and one by one. Where
        they differ the cache is no longer read, which is slower, and the evidence says so.

        Args:
            vocabulary: Tokens that the model knows.
            longest: Most tokens that it reads.
            half: Whether it computes in 16 bits, where rounding differs more.

        Raises:
            BackendError: They differ without the cache too.
        """
        requests = _probe(vocabulary, longest)
        bound = SAME_IN_HALF if half else SAME
        for self.cached in (True, False):
            gap = self._gap(requests)
            if gap <= bound:
                return
            _log.warning("vLLM's scores depend on the order of requests, by %.1e nats", gap)
            self.evidence = "log-probability, without vLLM's prefix cache"
        raise BackendError(
            f"vLLM's scores depend on the order of requests, by {gap:.1e} nats",
            hint="use --backend hf, or another version of vLLM",
        )

    def _gap(self, requests: Sequence[Request]) -> float:
        self.engine.reset_prefix_cache()
        first = self.run(requests)
        others = [self.run(requests), self.run(requests[::-1])[::-1]]
        self.engine.reset_prefix_cache()
        others.append([self.run([request])[0] for request in requests[::-1]][::-1])
        self.engine.reset_prefix_cache()
        flat = [value for own in first for value in own]
        gaps = [
            abs(one - value)
            for other in others
            for one, value in zip(flat, (v for own in other for v in own), strict=True)
        ]
        return max(gaps) if all(gap == gap for gap in gaps) else float("inf")


def _probe(vocabulary: int, longest: int) -> list[Request]:
    """Three prompts whose common beginning fills several blocks of any usual cache."""
    draw = random.Random(0)

    def ids(size: int) -> tuple[int, ...]:
        return tuple(draw.randrange(vocabulary) for _ in range(size))

    beginning = ids(min(300, longest // 2))
    answers = tuple(dict.fromkeys(tuple(i % 5 for i in ids(n)) for n in (1, 2, 3, 3, 2)))
    return [Request(beginning + ids(size), answers) for size in (1, 5, 9)]
