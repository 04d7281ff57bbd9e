"""Forces what an engine of vLLM generates; it is loaded by its name, in the engine's process."""

from __future__ import annotations

from typing import Any

from vllm.v1.sample.logits_processor import AdapterLogitsProcessor

from promptkit.backends.vllm_scorer import FORCED


class Forcing(AdapterLogitsProcessor):  # type: ignore[misc]
    """Lets nothing through but the next token of those that a request says.

    Log-probabilities are taken before it, as the model gives them.
    """

    def is_argmax_invariant(self) -> bool:
        """It changes which token is the most probable."""
        return False

    def new_req_logits_processor(self, params: Any) -> Any:
        """What looks at a request's logits; None where nothing is forced."""
        forced = (params.extra_args or {}).get(FORCED)
        if not forced:
            return None

        def force(written: list[int], logits: Any) -> Any:
            """(vocabulary) logits at one step."""
            if len(written) >= len(forced):
                return logits
            token = forced[len(written)]
            kept = logits[token].clone()
            logits.fill_(-float("inf"))
            logits[token] = kept
            return logits

        return force
