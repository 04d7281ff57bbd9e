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

from collections.abc import Sequence
from typing import Any

from transformers.modeling_outputs import BaseModelOutput

from promptkit.backends.hf_passes import Passes, absent
from promptkit.backends.plan import Pass, plan
from promptkit.backends.tokens import Request, Tokens
from promptkit.errors import BackendError
from promptkit.prompts.flatten import Flat, answer_text
from promptkit.types import Candidate, Prompt, Text, flat


class Seq2SeqScorer:
    """Scores with an encoder-decoder model (T5, FLAN-T5, BART...).

    A row goes through the encoder once; its output is expanded for the row's labels, which share
    what they begin with.

    Args:
        model: The model, in evaluation mode.
        tokens: Its tokenizer.
        passes: How sequences go through it.

    Raises:
        BackendError: The model does not say how its decoder begins.
    """

    evidence = "log-probability"

    def __init__(self, model: Any, tokens: Tokens, passes: Passes) -> None:
        self.model, self.tokens, self.passes = model, tokens, passes
        self._head = _decoder_head(model, tokens)
        self._pad = int(tokens.tokenizer.pad_token_id or 0)

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
        planned = plan([Request(self._head, request.answers) for request in batch])
        totals = [[0.0] * len(request.answers) for request in batch]
        # a label's own copy of the encoder's output counts into the batch as well
        width = ids.shape[1]
        for part in self.passes.batches([len(one.ids) + width for one in planned]):
            self._decode([planned[index] for index in part], read, mask, totals)
        return totals

    def _decode(
        self, batch: Sequence[Pass], read: Any, mask: Any, totals: list[list[float]]
    ) -> None:
        """Labels through the decoder, each beside the encoder's output of its own row."""
        rows = [one.wanted[0].request for one in batch]
        ids, _ = self.passes.padded([one.ids for one in batch], self._pad)
        logits = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=read[rows]),
            attention_mask=mask[rows],
            decoder_input_ids=ids,  # padded on the right, which a causal decoder never looks at
            use_cache=False,
        ).logits
        self.passes.computed(ids.numel())
        wanted = [(row, w.at, w.token) for row, one in enumerate(batch) for w in one.wanted]
        values = iter(self.passes.log_p(logits, wanted))
        for one in batch:
            for w in one.wanted:
                totals[w.request][w.candidate] += next(values)


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
    found = []
    read = tokens.encode([tokens.flat(prompt).text for prompt in prompts])
    for one, own in zip(read, words, strict=True):
        head, tail = absent(one.ids, tokens.wrapping)
        found.append(Request((*head, *one.ids, *tail), tuple(ids[word] for word in own)))
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
