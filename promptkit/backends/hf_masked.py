"""Masked language models: how well a word fits the gap in a cloze.

The slot of the cloze takes as many mask tokens as the word has tokens, and the evidence is the sum
of the word's log-probabilities there, all read from one pass, each token scored as if the others
were unknown (PET; Schick and Schütze 2021). It is a *pseudo*-log-probability: words of different
lengths are not parts of one distribution.

A word's tokens are those that it has in the sentence. In a byte-level vocabulary `` great`` after
``It was`` is one token with its blank, ``Ġgreat``, and takes it out of the sentence; so does
RoBERTa's own ``<mask>`` (lstrip=True). At the head of a sentence it is ``great``, without.
WordPiece knows no blanks: ``great`` here and there. So the sentence is encoded with the word in it,
and the tokens that hold a character of the word become masks. No text is encoded into the mask: a
``[MASK]`` that a row holds stays plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from promptkit.backends.hf_passes import Passes, absent, replaced
from promptkit.backends.tokens import Tokens
from promptkit.errors import BackendError, CapabilityError
from promptkit.prompts.flatten import flatten, stripped
from promptkit.prompts.places import filled
from promptkit.prompts.sandbox import SLOT
from promptkit.types import Candidate, Piece, Prompt, Text, flat


@dataclass(frozen=True)
class Cloze:
    """What has to be scored for one row.

    Args:
        masked: For each candidate the whole sentence with masks in the slot.
        starts: For each candidate the position of its first mask.
        answers: For each candidate its tokens, as many as there are masks.
    """

    masked: tuple[tuple[int, ...], ...]
    starts: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]

    @property
    def context(self) -> tuple[int, ...]:
        """The longest sentence, masks included."""
        return max(self.masked, key=len)


@dataclass(frozen=True)
class _Pass:
    """A sentence, and what is read from it: (request, candidate, position, token)."""

    ids: tuple[int, ...]
    wanted: tuple[tuple[int, int, int, int], ...]


class MaskedScorer:
    """Scores with a masked language model (BERT, RoBERTa, ModernBERT...).

    It reads the template's cloze and nothing else: no instruction, no system text. Demonstrations
    stand before it as clozes whose slot holds their word.

    Args:
        model: The model, in evaluation mode.
        tokens: Its tokenizer.
        passes: How sequences go through it.

    Raises:
        BackendError: The tokenizer has no mask token.
    """

    evidence = "pseudo-log-probability"

    def __init__(self, model: Any, tokens: Tokens, passes: Passes) -> None:
        self.model, self.tokens, self.passes = model, tokens, passes
        mask = tokens.tokenizer.mask_token_id
        if mask is None:
            raise BackendError(
                "the tokenizer of this masked language model names no mask token",
                hint="set mask_token in its tokenizer_config.json",
            )
        self._mask = int(mask)
        # RoBERTa counts positions from the ids: what is padded must be the padding token
        self._pad = int(tokens.tokenizer.pad_token_id or 0)

    def seen(self, prompt: Prompt) -> Prompt:
        """The prompt with its cloze for a query."""
        return clozed(prompt)

    def word(self, candidate: Candidate) -> Text:
        """The answer without the white space around it."""
        return stripped(candidate.text)

    def requests(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Cloze]:
        """Each candidate in the slot, then masked; takes prompts that were `seen`."""
        return [self._cloze(p, own) for p, own in zip(prompts, candidates, strict=True)]

    def _cloze(self, prompt: Prompt, candidates: Sequence[Candidate]) -> Cloze:
        text = flatten(prompt).text
        before = flat(text).index(SLOT)
        words = [self.word(candidate) for candidate in candidates]
        masked, starts, answers = [], [], []
        encoded = self.tokens.encode([filled(text, word) for word in words])
        for word, whole in zip(words, encoded, strict=True):
            after = before + len(flat(word))
            covering = [i for i, (a, b) in enumerate(whole.spans) if a < after and before < b]
            if not covering:
                raise BackendError(
                    f"the word {flat(word)!r} has no token in this vocabulary",
                    hint="choose another word",
                )
            first, last = covering[0], covering[-1] + 1
            gap = (self._mask,) * (last - first)
            ids = (*whole.ids[:first], *gap, *whole.ids[last:])
            head, tail = absent(ids, self.tokens.wrapping)
            masked.append((*head, *ids, *tail))
            starts.append(len(head) + first)
            answers.append(whole.ids[first:last])
        return Cloze(tuple(masked), tuple(starts), tuple(answers))

    def length(self, request: Cloze) -> int:
        """Tokens of the longest sentence."""
        return len(request.context)

    def run(self, requests: Sequence[Cloze]) -> list[list[float]]:
        """(n, c) pseudo-log-probabilities; one pass for a row's words of as many tokens."""
        totals = [[0.0] * len(request.answers) for request in requests]
        planned = _plan(requests)
        found = self.passes.each(planned, lambda one: len(one.ids), self._forward)
        for one, values in zip(planned, found, strict=True):
            for (request, candidate, _, _), value in zip(one.wanted, values, strict=True):
                totals[request][candidate] += value
        return totals

    def at_answer(self, batch: Sequence[Cloze]) -> Any:
        """(n, v) logits of the only mask, where the slot takes a single one."""
        rows = []
        for one in batch:
            start, whole = one.starts[0], one.masked[0]
            rows.append((*whole[: start + 1], *whole[start + len(one.answers[0]) :]))
        ids, mask = self.passes.padded(rows, self._pad)
        places = [(row, one.starts[0]) for row, one in enumerate(batch)]
        with self._headed(places) as narrowed:
            logits = self.model(input_ids=ids, attention_mask=mask).logits
        self.passes.computed(ids.numel())
        if narrowed:
            return logits[0]
        return logits[list(range(len(batch))), [at for _, at in places]]

    def _forward(self, batch: Sequence[_Pass]) -> list[list[float]]:
        ids, mask = self.passes.padded([one.ids for one in batch], self._pad)
        wanted = [(row, at, t) for row, one in enumerate(batch) for _, _, at, t in one.wanted]
        places = sorted({(row, at) for row, at, _ in wanted})
        with self._headed(places) as narrowed:
            logits = self.model(input_ids=ids, attention_mask=mask).logits
        self.passes.computed(ids.numel())
        if narrowed:
            column = {place: index for index, place in enumerate(places)}
            wanted = [(0, column[row, at], t) for row, at, t in wanted]
        values = iter(self.passes.log_p(logits, wanted))
        return [[next(values) for _ in one.wanted] for one in batch]

    @contextmanager
    def _headed(self, places: Sequence[tuple[int, int]]) -> Iterator[list[bool]]:
        """Let the head see the masks alone: logits of whole sentences are large, and not read.

        Where a model has no encoder of its own its head sees everything, and the list stays empty.
        """
        encoder, narrowed = self.model.base_model, list[bool]()
        if encoder is self.model:
            yield narrowed
            return
        usual, rows, columns = encoder.forward, *map(list, zip(*places, strict=True))

        def forward(*arguments: Any, **options: Any) -> Any:
            found = usual(*arguments, **options)
            found.last_hidden_state = found.last_hidden_state[rows, columns][None]
            narrowed.append(True)
            return found

        with replaced(encoder, forward):
            yield narrowed


def clozed(prompt: Prompt) -> Prompt:
    """The prompt as a masked language model reads it: its cloze after the demonstrations' clozes.

    Raises:
        CapabilityError: The template has none.
    """
    if not prompt.cloze:
        raise CapabilityError(
            f"template {prompt.template!r} has no cloze, which masked language models need; use "
            "--template sentiment_cloze, or add a key such as "
            'cloze: "{{ text }} It was {{ mask }}."'
        )
    return replace(
        prompt,
        system=(),
        instruction=(),
        shots=tuple(replace(shot, query=shot.cloze, answer=()) for shot in prompt.shots),
        query=prompt.cloze,
        chat=False,
    )


def masked_text(prompt: Prompt, tokens: Tokens) -> Prompt:
    """What `clozed` makes of a prompt, the slot written as this model writes it: to be shown."""
    seen = clozed(prompt)
    return replace(seen, query=filled(seen.query, (Piece(tokens.tokenizer.mask_token),)))


def _plan(requests: Sequence[Cloze]) -> list[_Pass]:
    """The different sentences of each row, and what is read from each."""
    planned = []
    for index, request in enumerate(requests):
        reads: dict[tuple[int, ...], list[tuple[int, int, int, int]]] = {}
        for candidate, (ids, start, answer) in enumerate(
            zip(request.masked, request.starts, request.answers, strict=True)
        ):
            reads.setdefault(ids, []).extend(
                (index, candidate, start + offset, token) for offset, token in enumerate(answer)
            )
        planned += [_Pass(ids, tuple(wanted)) for ids, wanted in reads.items()]
    return planned
