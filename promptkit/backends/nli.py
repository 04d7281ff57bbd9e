"""Zero-shot classification by entailment: does the row, as a premise, entail what a label says?

A cross-encoder that was trained on natural language inference reads the row and a statement about a
label together, and its entailment output is the evidence for the label (Yin et al. 2019). With one
statement for each label the probabilities are those of transformers' zero-shot-classification
pipeline; of several statements the mean of the evidence is taken, as the embedding backend does, so
that a label with more of them has no advantage.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification

from promptkit.backends.afresh import may_know, note
from promptkit.backends.hf import (
    load_tokenizer,
    max_tokens_of,
    with_exact_attention,
    with_fused_gelu,
)
from promptkit.backends.hf_loading import Loading, load_weights
from promptkit.backends.hf_passes import Passes
from promptkit.backends.meter import Meter
from promptkit.backends.nli_hypotheses import check_form, with_hypothesis
from promptkit.backends.nli_outputs import contradiction_of, entailment_of
from promptkit.backends.nli_pairs import Pair, PairFrame
from promptkit.backends.tokens import Tokens
from promptkit.backends.torch_device import choose_device, choose_dtype, quieten
from promptkit.backends.weights import locate
from promptkit.errors import CapabilityError, SpecError, nearest
from promptkit.types import Candidate, Cost, Evidence, Piece, Prompt, Text, flat

CONTRASTS = ("labels", "contradiction")
#: Pairs that are remembered: cross-validation and calibration ask about the same rows again.
REMEMBERED = 100_000
#: What the numbers are.
EVIDENCE = {
    "labels": "entailment logit",
    "contradiction": "log P(entailment) against contradiction",
}


@dataclass(frozen=True)
class _Judged:
    """What became of a premise and a statement.

    Args:
        value: The evidence; 0 where there is none.
        cut: Characters of the premise that were too many.
        n_tokens: Tokens read.
        problem: Why there is no evidence.
    """

    value: float
    cut: int = 0
    n_tokens: int = 0
    problem: str = ""


class NLIBackend:
    """Asks an entailment model whether a row entails the statements about each label.

    Such a model reads a premise and a hypothesis and nothing else: no instruction, no
    demonstrations.

    Args:
        model: A folder or a hub id of a sequence classifier with an entailment label.
        contrast: ``labels`` takes the entailment logit, to be compared among the labels;
            ``contradiction`` takes the log-probability of entailment against contradiction, each
            statement by itself (the pipeline's ``multi_label=True``).
        hypothesis: One statement for every label in place of the template's, with the label's
            name where ``{}`` stands: ``This example is {}.``
        entailment_label: Name or number of the output that means entailment, where its name does
            not begin with "entail".
        contradiction_label: The same for contradiction.
        batch_size: Pairs of a batch, or ``auto`` for a budget of tokens.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``.
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``.
        attention: Which attention it computes with; the model's own choice otherwise.

    Raises:
        BackendError: The folder has no usable weights.
        CapabilityError: The model judges no statements.
        SpecError: An option has no such value, or would not be read.
    """

    name = "nli"
    reads: Literal["text", "statements"] = "statements"

    def __init__(
        self,
        model: str,
        contrast: Literal["labels", "contradiction"] = "labels",
        hypothesis: str | None = None,
        entailment_label: str | int | None = None,
        contradiction_label: str | int | None = None,
        batch_size: int | Literal["auto"] = "auto",
        device: str = "auto",
        dtype: str = "auto",
        attention: str | None = None,
    ) -> None:
        if contrast not in CONTRASTS:
            raise SpecError(f"option 'contrast': {contrast!r}; {nearest(contrast, CONTRASTS)}")
        if contradiction_label is not None and contrast != "contradiction":
            raise SpecError(
                "option 'contradiction_label' is read with contrast=contradiction only: leave it "
                "out, or set that"
            )
        check_form(hypothesis)
        self.model, self.contrast, self.hypothesis = model, contrast, hypothesis
        self.entailment_label, self.contradiction_label = entailment_label, contradiction_label
        self.batch_size, self.device, self.dtype = batch_size, device, dtype
        self.attention = attention
        located = locate(model)
        if located.kind() != "classifier":
            raise CapabilityError(
                f"backend 'nli' needs a sequence classifier with an entailment label; {model!r} is "
                f"of kind {located.kind()!r}; use --backend auto"
            )
        self._entailment = entailment_of(located, entailment_label)
        self._against: int | None = None
        if contrast == "contradiction":
            self._against = contradiction_of(located, self._entailment, contradiction_label)
        quieten()
        self.tokens = Tokens(load_tokenizer(located.path))
        self._frame = PairFrame(self.tokens)
        on = choose_device(device)
        loading = Loading(attention=attention)
        loaded = load_weights(
            AutoModelForSequenceClassification, located.path, loading, choose_dtype(dtype, on), on
        )
        self._model = with_fused_gelu(with_exact_attention(loaded))
        self.max_tokens = max_tokens_of(self._model, self.tokens.tokenizer)
        self._meter = Meter()
        self._passes = Passes(on, batch_size, self._meter)
        self._takes = signature(self._model.forward).parameters
        # RoBERTa counts positions from the ids, and others find a sequence's end by them
        self._pad = getattr(self._model.config, "pad_token_id", None)
        self._judged: OrderedDict[tuple[Text, str], _Judged] = OrderedDict()

    @property
    def cost(self) -> Cost:
        """What has been computed so far."""
        return self._meter.cost

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`; a candidate is told by its statements.

        Raises:
            CapabilityError: Demonstrations, which such a model does not read.
            SpecError: A candidate of which nothing can be said.
        """
        _refuse_shots(prompts)
        with self._meter.timed():
            told = {id(own): with_hypothesis(own, self.hypothesis) for own in candidates}
            rows = [
                [[(prompt.encoded, text) for text in one.statements] for one in told[id(own)]]
                for prompt, own in zip(prompts, candidates, strict=True)
            ]
            self._judge([pair for row in rows for told in row for pair in told])
            found = [[[self._judged[pair] for pair in told] for told in row] for row in rows]
            while len(self._judged) > REMEMBERED:
                self._judged.popitem(last=False)
        longest = [max((one.n_tokens for told in row for one in told), default=0) for row in found]
        self._meter.add(rows=len(prompts), prompt_tokens=sum(longest))
        return [self._evidence(prompt, row) for prompt, row in zip(prompts, found, strict=True)]

    def _evidence(self, prompt: Prompt, row: Sequence[Sequence[_Judged]]) -> Evidence:
        cut = max((one.cut for told in row for one in told), default=0)
        problem = next((one.problem for told in row for one in told if one.problem), "")
        scored = () if problem else row
        return Evidence(
            example_id=prompt.example_id,
            log_p=tuple(sum(one.value for one in told) / len(told) for told in scored),
            n_tokens=(1,) * len(scored),
            n_bytes=(1,) * len(scored),
            kind=EVIDENCE[self.contrast],
            cut_chars=prompt.cut_chars + cut,
            problem=problem,
        )

    def _judge(self, pairs: Sequence[tuple[Text, str]]) -> None:
        """Ask about the pairs that are not known yet; the same pair is asked about once."""
        memory = self._judged
        wanted = dict.fromkeys(pairs)
        new = [pair for pair in wanted if pair not in memory or not may_know(memory, pair)]
        premises = list(dict.fromkeys(text for text, _ in new))
        statements = list(dict.fromkeys(text for _, text in new))
        rows = dict(zip(premises, self.tokens.encode(premises), strict=True))
        sizes = {text: len(flat(text)) for text in premises}
        encoded = self.tokens.encode([(Piece(text, True),) for text in statements])
        told = dict(zip(statements, encoded, strict=True))
        fitted = [
            self._frame.fitted(rows[row], told[text], sizes[row], self.max_tokens)
            for row, text in new
        ]
        asked = [pair for pair in fitted if pair is not None]
        most = 1 if self._one_by_one else None
        values = iter(self._passes.each(asked, self._frame.length, self._forward, most))
        for key, pair in zip(new, fitted, strict=True):
            if pair is None:
                self._judged[key] = _Judged(0.0, problem=self._too_long(key[1], told[key[1]].ids))
            else:
                self._judged[key] = _Judged(next(values), pair.cut, self._frame.length(pair))
        note(memory, new)

    @property
    def _one_by_one(self) -> bool:
        """Whether padding on the right would be read: nobody says what it is, or which side."""
        return self._pad is None or self.tokens.tokenizer.padding_side == "left"

    @torch.inference_mode()
    def _forward(self, batch: Sequence[Pair]) -> list[float]:
        ids, mask = self._passes.padded([self._frame.ids(pair) for pair in batch], self._pad or 0)
        given: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        typed = "token_type_ids" in self.tokens.tokenizer.model_input_names
        if typed and "token_type_ids" in self._takes:
            types, _ = self._passes.padded([self._frame.types(pair) for pair in batch])
            given["token_type_ids"] = types
        if "use_cache" in self._takes:
            given["use_cache"] = False
        scores = self._model(**given).logits.float().cpu().numpy()
        logits: NDArray[np.float64] = scores.astype(np.float64)
        self._passes.computed(ids.numel())
        yes = logits[:, self._entailment]
        if self._against is None:
            return [float(value) for value in yes]
        return [float(value) for value in -np.logaddexp(0.0, logits[:, self._against] - yes)]

    def _too_long(self, statement: str, ids: Sequence[int]) -> str:
        return (
            f"the statement {statement!r:.60} has {len(ids):,} tokens and leaves the row no room "
            f"among the {self.max_tokens:,} that the model reads; shorten it"
        )


def _refuse_shots(prompts: Sequence[Prompt]) -> None:
    shown = next((prompt for prompt in prompts if prompt.shots), None)
    if shown is not None:
        raise CapabilityError(
            f"row {shown.example_id!r} has demonstrations, and an entailment model reads none; "
            "use --shots 0"
        )
