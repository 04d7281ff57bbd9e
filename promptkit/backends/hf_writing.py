"""A model of transformers writes: greedily, by draws that each row has for itself, or a label only.

Batches are written by transformers' own `generate`. What is drawn comes from a generator of the
row's own seed, so that a row is answered alike whatever stands beside it: to the logits of a step
Gumbel noise is added, and the largest sum is a draw from their softmax (Gumbel 1954).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from promptkit.backends.hf_passes import Passes
from promptkit.backends.tokens import Tokens
from promptkit.types import Generation, Sampling

#: What a model says of its own tokens; temperature and penalties are the user's to say.
_KEPT = ("bos_token_id", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id",
         "suppress_tokens", "begin_suppress_tokens")  # fmt: skip
_LEAST = torch.finfo(torch.float32).min


@dataclass(frozen=True)
class Asked:
    """One text to be written.

    Args:
        ids: What the model goes on from, or what its encoder reads.
        seed: Seed of its draws.
        answers: Token ids of what alone can be written; empty for anything.
        words: The texts of these.
    """

    ids: tuple[int, ...]
    seed: int = 0
    answers: tuple[tuple[int, ...], ...] = ()
    words: tuple[str, ...] = ()


class Writer:
    """Writes with a causal or a sequence-to-sequence model.

    Args:
        model: The model, in evaluation mode.
        tokens: Its tokenizer.
        passes: How sequences go through it.
    """

    def __init__(self, model: Any, tokens: Tokens, passes: Passes) -> None:
        self.model, self.tokens, self.passes = model, tokens, passes
        self.encodes = bool(model.config.is_encoder_decoder)
        given = model.generation_config
        # several for a chat model; that of its tokenizer, which closes a turn, comes first
        own = (tokens.tokenizer.eos_token_id, getattr(given, "eos_token_id", None))
        ends = (int(i) for one in own if one is not None for i in _listed(one))
        self._ends = list(dict.fromkeys(ends))
        pad = tokens.tokenizer.pad_token_id
        self._pad = int(pad if pad is not None else (self._ends or [0])[0])
        # what a call leaves open transformers takes from here: a repetition penalty, a temperature
        model.generation_config = GenerationConfig(
            **{name: getattr(given, name, None) for name in _KEPT}
        )

    def write(self, asked: Sequence[Asked], sampling: Sampling) -> list[Generation]:
        """A text each, in the order given."""

        def length(one: Asked) -> int:
            return len(one.ids) + _room(one, sampling)

        return self.passes.each(asked, length, lambda batch: self._write(batch, sampling))

    def _write(self, batch: Sequence[Asked], sampling: Sampling) -> list[Generation]:
        ids, mask = self._padded(batch)
        start = 1 if self.encodes else ids.shape[1]
        ends = self._ends
        shaping: list[LogitsProcessor] = []
        if batch[0].answers:
            ends = ends[:1] or [_unused(batch)]
            shaping.append(LabelTree([one.answers for one in batch], start, ends[0]))
        shaping += self._drawing(batch, sampling)
        stopping = []
        if sampling.stop and not batch[0].answers:
            stopping = [StopTexts(sampling.stop, self.text, start)]
        room = max(_room(one, sampling) for one in batch)
        written = self.model.generate(
            ids,
            attention_mask=mask,
            generation_config=GenerationConfig(
                max_new_tokens=room, do_sample=False, num_beams=1, use_cache=True,
                eos_token_id=ends or None, pad_token_id=self._pad,
            ),
            logits_processor=LogitsProcessorList(shaping),
            stopping_criteria=StoppingCriteriaList(stopping),
        )  # fmt: skip
        new = written[:, start:]
        self.passes.computed(ids.numel() + new.numel())
        found = [
            _chosen(row, one, ends[0]) if one.answers else self._generation(row, ends, sampling)
            for row, one in zip(new.tolist(), batch, strict=True)
        ]
        self.passes.meter.add(new_tokens=sum(one.n_tokens for one in found))
        return found

    def _padded(self, batch: Sequence[Asked]) -> tuple[Any, Any]:
        """(n, longest) ids and their mask: an encoder's on the right, others end side by side."""
        ids, mask = self.passes.padded([one.ids for one in batch], self._pad)
        if self.encodes:
            return ids, mask
        for row, one in enumerate(batch):
            shift = ids.shape[1] - len(one.ids)
            ids[row], mask[row] = ids[row].roll(shift), mask[row].roll(shift)
        return ids, mask

    def _drawing(self, batch: Sequence[Asked], sampling: Sampling) -> list[LogitsProcessor]:
        if sampling.temperature == 0:
            return []
        found: list[LogitsProcessor] = [TemperatureLogitsWarper(float(sampling.temperature))]
        if sampling.top_k:
            found.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            found.append(TopPLogitsWarper(sampling.top_p))
        return [*found, Draws([one.seed for one in batch])]

    def _generation(
        self, ids: Sequence[int], ends: Sequence[int], sampling: Sampling
    ) -> Generation:
        """What one row of new ids says."""
        end = next((place for place, token in enumerate(ids) if token in ends), None)
        own = ids if end is None else ids[:end]
        text = self.text(own)
        cuts = [at for at in (text.find(stop) for stop in sampling.stop) if at >= 0]
        ended = end is not None or bool(cuts)
        if end is None and self._pad not in ends:
            own = _without_padding(own, self._pad)
        return Generation(
            text[: min(cuts)] if cuts else self.text(own), "stop" if ended else "length", len(own)
        )

    def text(self, ids: Sequence[int]) -> str:
        """Ids as text; markers of think blocks, which some vocabularies hold special, stay."""
        decoded: str = self.tokens.tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return decoded


class Draws(LogitsProcessor):  # type: ignore[misc]
    """Adds Gumbel noise, so that the largest sum is a draw from the softmax.

    Args:
        seeds: Of each row.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """(n, vocabulary) scores with noise."""
        width = scores.shape[-1]
        drawn = [torch.empty(width).exponential_(generator=one) for one in self._generators]
        noise: Any = torch.stack(drawn).to(scores.device).log()
        return scores - noise


class LabelTree(LogitsProcessor):  # type: ignore[misc]
    """Lets nothing be written but one of each row's answers, and then an end.

    Args:
        answers: Token ids of each row's answers.
        start: Where what is written begins.
        end: The token that ends it.
    """

    def __init__(
        self, answers: Sequence[tuple[tuple[int, ...], ...]], start: int, end: int
    ) -> None:
        self._start, self._end = start, end
        trees = {own: _tree(own, end) for own in dict.fromkeys(answers)}
        self._rows = [trees[own] for own in answers]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """(n, vocabulary) scores, those of all other tokens at the least."""
        kept = torch.full_like(scores, _LEAST)
        for row, written in enumerate(input_ids[:, self._start :].tolist()):
            allowed = self._rows[row].get(tuple(written), [self._end])
            kept[row, allowed] = scores[row, allowed].clamp(min=_LEAST / 2)
        return kept


class StopTexts(StoppingCriteria):  # type: ignore[misc]
    """Ends rows that have written one of several texts.

    Args:
        texts: The texts.
        text: Ids as text.
        start: Where what is written begins.
    """

    def __init__(
        self, texts: Sequence[str], text: Callable[[Sequence[int]], str], start: int
    ) -> None:
        self._texts, self._text, self._start = texts, text, start
        # a token is a byte at least; some more, since a text may begin within a token
        self._tail = max(len(text.encode()) for text in texts) + 8

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        """(n,) whether each row is done."""
        tails = input_ids[:, self._start :][:, -self._tail :].tolist()
        done = [any(stop in self._text(ids) for stop in self._texts) for ids in tails]
        return torch.tensor(done, device=input_ids.device)


def _chosen(ids: Sequence[int], one: Asked, end: int) -> Generation:
    """The answer whose tokens these are."""
    own = tuple(ids[: ids.index(end)])
    return Generation(one.words[one.answers.index(own)], "stop", len(own))


def _room(one: Asked, sampling: Sampling) -> int:
    return 1 + max(map(len, one.answers)) if one.answers else sampling.max_new_tokens


def _tree(answers: Sequence[tuple[int, ...]], end: int) -> Mapping[tuple[int, ...], list[int]]:
    """What may follow each beginning of an answer."""
    found: dict[tuple[int, ...], set[int]] = {}
    for answer in answers:
        for at, token in enumerate((*answer, end)):
            found.setdefault(answer[:at], set()).add(token)
    return {path: sorted(tokens) for path, tokens in found.items()}


def _unused(batch: Sequence[Asked]) -> int:
    """A token that no answer has, for a model that has none to end with."""
    used = {token for one in batch for answer in one.answers for token in answer}
    return next(token for token in range(len(used) + 1) if token not in used)


def _without_padding(ids: Sequence[int], pad: int) -> Sequence[int]:
    last = len(ids)
    while last and ids[last - 1] == pad:
        last -= 1
    return ids[:last]


def _listed(value: Any) -> list[int]:
    return list(value) if isinstance(value, list | tuple) else [value]
