"""Causal language models: the log-probability of a whole label string after the prompt.

What rows and labels share is computed once where the model lets its attention be shared. A model
that does not goes on from kept keys and values; one that cannot do that either computes each answer
as a sequence of its own. Which of the three it is, is tried when it is loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch

from promptkit.backends.cached_passes import CachedPasses, cached_passes
from promptkit.backends.continuing import Continuing
from promptkit.backends.hf_passes import Passes
from promptkit.backends.plan import Pass, plan
from promptkit.backends.shared_passes import SharedPasses, shared_passes
from promptkit.backends.tokens import Request, Tokens

_log = logging.getLogger(__name__)


class CausalScorer(Continuing):
    """Scores with a causal language model (Llama, Qwen, Gemma, GPT-2, OPT...).

    Args:
        model: The model, in evaluation mode.
        tokens: Its tokenizer.
        passes: How sequences go through it.
    """

    def __init__(self, model: Any, tokens: Tokens, passes: Passes) -> None:
        super().__init__(tokens)
        self.model, self.passes = model, passes
        #: What the numbers are; a record of a run shows it.
        self.evidence = "log-probability"
        #: How what is shared is computed once; None is the plain computation.
        self.reuse: SharedPasses | CachedPasses | None
        self.reuse, unshared = shared_passes(model, passes)
        if self.reuse is None:
            name = type(model).__name__
            self.reuse, uncached = cached_passes(model, passes)
            if self.reuse is not None:
                self.evidence += ", answers apart behind a kept prompt"
                _log.info("%s: keys and values are copied: %s", name, unshared)
            else:
                self.evidence += ", each answer apart"
                _log.info("%s: nothing is shared: %s; %s", name, unshared, uncached)

    def run(self, requests: Sequence[Request]) -> list[list[float]]:
        """(n, c) log-probabilities."""
        return self.reuse.run(requests) if self.reuse else self._plainly(requests)

    def at_answer(self, batch: Sequence[Request]) -> Any:
        """(n, v) logits of the token that comes after each context."""
        ids, mask = self.passes.padded([one.context for one in batch])
        last = [len(one.context) - 1 for one in batch]
        kept = sorted(set(last))
        logits = self.model(
            input_ids=ids,
            attention_mask=mask,
            logits_to_keep=torch.tensor(kept, device=ids.device),
            use_cache=False,
        ).logits
        self.passes.computed(ids.numel())
        return logits[list(range(len(batch))), [kept.index(at) for at in last]]

    def _plainly(self, requests: Sequence[Request]) -> list[list[float]]:
        """The same with a whole sequence for each answer."""
        totals = [[0.0] * len(request.answers) for request in requests]
        planned = plan(requests)
        found = self.passes.each(planned, lambda one: len(one.ids), self._forward)
        for one, values in zip(planned, found, strict=True):
            for wanted, value in zip(one.wanted, values, strict=True):
                totals[wanted.request][wanted.candidate] += value
        return totals

    def _forward(self, batch: Sequence[Pass]) -> list[list[float]]:
        """The wanted log-probabilities of each sequence."""
        ids, mask = self.passes.padded([one.ids for one in batch])
        kept = sorted({wanted.at for one in batch for wanted in one.wanted})
        logits = self.model(
            input_ids=ids,
            attention_mask=mask,
            logits_to_keep=torch.tensor(kept, device=ids.device),
            use_cache=False,
        ).logits
        self.passes.computed(ids.numel())
        column = {at: index for index, at in enumerate(kept)}
        wanted = [(row, column[w.at], w.token) for row, o in enumerate(batch) for w in o.wanted]
        values = iter(self.passes.log_p(logits, wanted))
        return [[next(values) for _ in one.wanted] for one in batch]
