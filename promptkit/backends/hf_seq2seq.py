"""Sequence-to-sequence models: the log-probability of a label as the decoder's own text.

The encoder reads the flat prompt, closed by the tokenizer's own EOS exactly once, as the model's
users encode it. The decoder begins with the model's start token and is asked for the label's text,
tokenised by itself and without white space before it: to a decoder the label is a whole text, so
T5's `` positive`` is ``▁positive`` at its head, with no blank to spare.

The EOS after the label is *not* scored: the evidence is that of a causal model, the probability
that the model's answer begins with this label, and equals what lm-eval computes. So a label that
begins another one (``not``, ``not good``) is never the less likely of the two in sum; where
labels are so, a verbalizer that divides by the number of tokens tells them apart.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

from promptkit.backends.hf_passes import LOGIT_BYTES, Passes, absent
from promptkit.backends.kept import cache_of, kept_of, row_copies, rows_of
from promptkit.backends.plan import Pass, Wanted, plan
from promptkit.backends.probe import CANNOT, PROBE, SAME, SAME_IN_HALF, folded, is_half, twin_of
from promptkit.backends.tokens import Request, Tokens
from promptkit.errors import BackendError
from promptkit.prompts.flatten import Flat, answer_text
from promptkit.types import Candidate, Prompt, Text, flat

_log = logging.getLogger(__name__)


class Seq2SeqScorer:
    """Scores with an encoder-decoder model (T5, FLAN-T5, BART...).

    A row goes through the encoder once, and so do the decoder's beginning and its keys and values
    of the encoder's output: labels go on from there. Where a family's decoder cannot do that, which
    is tried when it is loaded, each label is decoded from its beginning.

    Args:
        model: The model, in evaluation mode.
        tokens: Its tokenizer.
        passes: How sequences go through it.

    Raises:
        BackendError: The model does not say how its decoder begins.
    """

    def __init__(self, model: Any, tokens: Tokens, passes: Passes) -> None:
        self.model, self.tokens, self.passes = model, tokens, passes
        self._head = _decoder_head(model, tokens)
        self._pad = int(tokens.tokenizer.pad_token_id or 0)
        self._vocabulary = int(model.get_output_embeddings().weight.shape[0])
        #: Whether labels go on from keys and values that are kept of their row.
        self.cached, apart = self._tried()
        #: What the numbers are; a record of a run shows it.
        self.evidence = "log-probability"
        if not self.cached:
            self.evidence += ", each answer apart"
            _log.info("%s: labels are decoded apart: %s", type(model).__name__, apart)

    def seen(self, prompt: Prompt) -> Prompt:
        """The prompt as it is."""
        return prompt

    def word(self, candidate: Candidate) -> Text:
        """The answer without white space before it."""
        return decoder_word(candidate)

    def requests(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Request]:
        """What the encoder reads, and what the decoder is asked for."""
        return encoder_requests(self.tokens, prompts, candidates)

    def length(self, request: Request) -> int:
        """Tokens of the longer side."""
        return max(len(request.context), len(self._head) + max(map(len, request.answers)))

    def run(self, requests: Sequence[Request]) -> list[list[float]]:
        """(n, c) log-probabilities."""
        return self.passes.each(requests, lambda one: len(one.context), self._forward)

    def _forward(self, batch: Sequence[Request]) -> list[list[float]]:
        ids, mask = self.passes.padded([request.context for request in batch], self._pad)
        read = self.model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        self.passes.computed(ids.numel())
        rows = _Rows(read, mask)
        planned = plan([Request(self._head, request.answers) for request in batch])
        totals = [[0.0] * len(request.answers) for request in batch]
        if self.cached:
            self._begin(rows, planned, totals)
            planned = [one for one in planned if len(one.ids) > len(self._head)]
        for group in self._groups(planned, ids.shape[1]):
            self._go_on(rows, group, totals)
        return totals

    def _begin(self, rows: _Rows, planned: Sequence[Pass], totals: list[list[float]]) -> None:
        """What every decoder begins with, once a row: gives first tokens, and keys and values."""
        n = len(rows.read)
        head = torch.tensor([self._head] * n, device=self.passes.device)
        found = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=rows.read),
            attention_mask=rows.mask,
            decoder_input_ids=head,
            past_key_values=EncoderDecoderCache(DynamicCache(), DynamicCache()),
            use_cache=True,
        )
        self.passes.computed(head.numel())
        rows.cache = found.past_key_values
        last = len(self._head) - 1
        wanted = [w for one in planned for w in one.wanted if w.at == last]
        self._add(found.logits, [(w.request, last, w) for w in wanted], totals)

    def _groups(self, planned: Sequence[Pass], width: int) -> Iterator[list[Pass]]:
        """Passes that go through the decoder together.

        A label's copy of the encoder's output, ``width`` tokens, counts into the budget. A row that
        is alone in its batch copies nothing, and then its logits are what takes memory.
        """
        tokens, most = self.passes.budget
        reads = max(1, LOGIT_BYTES // (4 * self._vocabulary))
        group: list[Pass] = []
        for one in planned:
            trial = [*group, one]
            read = sum(len(each.ids) for each in trial)
            alone = self.cached and len({each.wanted[0].request for each in trial}) == 1
            size = read if alone else read + width * len(trial)
            if group and (size > tokens or read > reads or (most and len(trial) > most)):
                yield group
                group = []
            group.append(one)
        if group:
            yield group

    def _go_on(self, rows: _Rows, batch: Sequence[Pass], totals: list[list[float]]) -> None:
        """Labels through the decoder, each beside the encoder's output of its own row."""
        shift = len(self._head) if self.cached else 0
        which = [one.wanted[0].request for one in batch]
        ids, _ = self.passes.padded([one.ids[shift:] for one in batch], self._pad)
        there = rows.at(which)
        logits = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=there.read),
            attention_mask=there.mask,
            decoder_input_ids=ids,  # padded on the right, which a causal decoder never looks at
            past_key_values=there.cache,
            use_cache=self.cached,
        ).logits
        self.passes.computed(ids.numel())
        wanted = [(row, w.at - shift, w) for row, one in enumerate(batch) for w in one.wanted]
        self._add(logits, [one for one in wanted if one[1] >= 0], totals)

    def _add(
        self, logits: Any, wanted: Sequence[tuple[int, int, Wanted]], totals: list[list[float]]
    ) -> None:
        values = self.passes.log_p(logits, [(row, at, w.token) for row, at, w in wanted])
        for (_, _, one), value in zip(wanted, values, strict=True):
            totals[one.request][one.candidate] += value

    def _tried(self) -> tuple[bool, str]:
        """Whether short rows score the same with kept keys and values as without, or why not.

        In half precision, whose rounding would hide an error, a float32 model like it is asked too.
        """
        usual, bounds = self.model, [SAME_IN_HALF if is_half(self.model) else SAME]
        try:
            models = [usual]
            if is_half(usual):
                models, bounds = [twin_of(usual), usual], [SAME, *bounds]
            for self.model, bound in zip(models, bounds, strict=True):
                gap = self._gap()
                if not gap <= bound:  # nan is no agreement
                    return False, f"kept keys and values differ by {gap:.1e} nats"
        except CANNOT as error:
            return False, f"{type(error).__name__}: {error}".splitlines()[0]
        finally:
            self.model = usual
        return True, ""

    def _gap(self) -> float:
        """Largest difference of a log-probability with kept keys and values from one without."""
        vocabulary = int(self.model.get_input_embeddings().weight.shape[0])
        requests = [folded(request, vocabulary) for request in PROBE]
        usual, found = self._head, []
        self._head = tuple(i % vocabulary for i in usual)
        try:
            with self.passes.uncounted():
                for self.cached in (False, True):
                    found.append([value for own in self.run(requests) for value in own])
        finally:
            self._head = usual
        return float(max(abs(one - other) for one, other in zip(*found, strict=True)))


@dataclass
class _Rows:
    """The encoder's output of some rows, their masks, and the decoder's keys and values."""

    read: Any
    mask: Any
    cache: Any = None

    def at(self, which: Sequence[int]) -> _Rows:
        """The same for copies of some rows; of one row alone nothing is copied."""
        cache = self.cache
        if cache is not None:
            both = cache.self_attention_cache, cache.cross_attention_cache
            cache = EncoderDecoderCache(*(cache_of(rows_of(kept_of(one), which)) for one in both))
        return _Rows(row_copies(self.read, which), row_copies(self.mask, which), cache)


def decoder_word(candidate: Candidate) -> Text:
    """The answer as a text of its own: without white space before it."""
    return answer_text(Flat((), (), opens_turn=True), candidate.text)


def encoder_requests(
    tokens: Tokens, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
) -> list[Request]:
    """What the encoder reads, closed by EOS, and what the decoder is asked for.

    Raises:
        BackendError: A word has no token.
    """
    words = [tuple(map(decoder_word, own)) for own in candidates]
    distinct = list(dict.fromkeys(word for own in words for word in own))
    ids = dict(zip(distinct, (one.ids for one in tokens.encode(distinct)), strict=True))
    empty = next((word for word in distinct if not ids[word]), None)
    if empty is not None:
        raise BackendError(
            f"the word {flat(empty)!r} has no token in this vocabulary", hint="choose another word"
        )
    read = encoder_ids(tokens, [tokens.flat(prompt).text for prompt in prompts])
    return [
        Request(context, tuple(ids[word] for word in own))
        for context, own in zip(read, words, strict=True)
    ]


def encoder_ids(tokens: Tokens, texts: Sequence[Text]) -> list[tuple[int, ...]]:
    """What the encoder reads of texts: what the tokenizer puts around them is there once."""
    found = []
    for one in tokens.encode(texts):
        head, tail = absent(one.ids, tokens.wrapping)
        found.append((*head, *one.ids, *tail))
    return found


def _decoder_head(model: Any, tokens: Tokens) -> tuple[int, ...]:
    """What the decoder reads before the label: its start, then what opens every text.

    T5 opens none. BART was trained on ``</s> <s> text``: a decoder that has not seen ``<s>`` would
    spend its first prediction on it.
    """
    places = (model.config, getattr(model, "generation_config", None))
    known = [getattr(place, "decoder_start_token_id", None) for place in places]
    start = next((value for value in known if value is not None), None)
    if start is None:
        raise BackendError(
            "the model does not say how its decoder begins",
            hint="set decoder_start_token_id in its config.json (T5: the id of <pad>)",
        )
    before, _ = tokens.wrapping
    return (int(start), *(before if before != (start,) else ()))
