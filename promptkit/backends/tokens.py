"""From pieces of text to token ids, so that nothing in a row becomes a control token.

The flat text is encoded once, as the model's users encode it, and every control id is looked at:
did its characters come from the template or from a row? Almost always there is nothing to do.
Where a row holds ``<|im_end|>``, ``[SEP]`` or ``</s>``, the text is encoded again between the
template's own control tokens, with the tokenizer told to take control tokens apart. Two traps
remain, and are closed by cutting inside the offending characters until no control id is left:

* tokens added as non-special (``<think>``) match inside text whatever the tokenizer is told;
* in unigram vocabularies ``<pad>`` is an ordinary entry too, and normalisation turns full-width
  ``＜pad＞`` into it after every check on strings would have passed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from promptkit.backends.chat import ChatTemplate
from promptkit.backends.endings import Endings, split_of
from promptkit.errors import BackendError, DataError, SpecError
from promptkit.prompts.flatten import ChatRenderer, Flat, answer_text, flatten
from promptkit.types import Candidate, Prompt, Text, flat

Span = tuple[int, int]


@dataclass(frozen=True)
class Encoded:
    """Token ids, and how to find the characters that each stands for: few ever ask."""

    ids: tuple[int, ...]
    offsets: Callable[[], Sequence[Span]]

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """(t,) first and last character of each token, the last one excluded."""
        return tuple(self.offsets())


@dataclass(frozen=True)
class Request:
    """What has to be scored for one prompt.

    Args:
        context: Token ids before the first scored one, the same for all candidates; BOS included.
        answers: Token ids to score, a tuple for each candidate; none is empty.
    """

    context: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]


class Tokens:
    """A tokenizer of transformers that knows where its text came from.

    Args:
        tokenizer: A fast tokenizer (it must return offsets).
        chat_template_kwargs: Arguments of the chat template, such as ``enable_thinking``.

    Raises:
        BackendError: The tokenizer returns no offsets.
        SpecError: Arguments that the chat template does not take, or no template.
    """

    def __init__(
        self, tokenizer: Any, chat_template_kwargs: Mapping[str, Any] | None = None
    ) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise BackendError(
                f"tokenizer {type(tokenizer).__name__} returns no character offsets",
                hint="use a model that has a tokenizer.json",
            )
        self.tokenizer = tokenizer
        #: Ids that stand before every prompt; see `promptkit.backends.soft_prompt`.
        self.lead: tuple[int, ...] = ()
        self._endings = Endings(self)
        self._chat = None
        if getattr(tokenizer, "chat_template", None):
            self._chat = ChatTemplate(tokenizer, chat_template_kwargs or {})
        elif chat_template_kwargs:
            raise SpecError("--chat-template-kwargs: this model has no chat template; leave it out")

    @cached_property
    def control(self) -> dict[int, str]:
        """Ids that no row may bring, with their text.

        The unknown token is not one of them (any text may need it), nor are tokens of white space
        alone, which some vocabularies add for runs of blanks.
        """
        added = {int(i): str(token) for i, token in self.tokenizer.added_tokens_decoder.items()}
        specials = zip(
            self.tokenizer.all_special_ids, self.tokenizer.all_special_tokens, strict=True
        )
        both = {**dict(specials), **added}
        both.pop(self.tokenizer.unk_token_id, None)
        return {i: text for i, text in both.items() if text.replace("▁", " ").strip()}

    @cached_property
    def wrapping(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What the tokenizer puts before and after a text by itself: BOS, CLS, EOS, SEP."""
        with_specials = self.tokenizer("a")["input_ids"]
        bare = self.tokenizer("a", add_special_tokens=False)["input_ids"]
        for start in range(len(with_specials) - len(bare) + 1):
            if with_specials[start : start + len(bare)] == bare:
                return tuple(with_specials[:start]), tuple(with_specials[start + len(bare) :])
        return (), ()

    @property
    def chat(self) -> ChatRenderer | None:
        """The model's chat template, None when it has none."""
        return self._chat.render if self._chat else None

    def encode(self, texts: Sequence[Text]) -> list[Encoded]:
        """Ids of each text, without BOS or EOS of the tokenizer's own."""
        if not texts:
            return []
        strings = [flat(text) for text in texts]
        found = self.tokenizer(strings, add_special_tokens=False, return_attention_mask=False)
        encoded = []
        for text, one in zip(texts, found.encodings, strict=True):
            quick = Encoded(tuple(one.ids), partial(getattr, one, "offsets"))
            bad = self._from_row(quick, _Origin(text), flat(text))
            encoded.append(self._careful(text, quick) if bad else quick)
        return encoded

    def flat(self, prompt: Prompt, *, answering: bool = True) -> Flat:
        """The prompt as one text, through the chat template when it asks for it.

        Args:
            prompt: The prompt.
            answering: Whether the answer has to come next; else the model may think before it.

        Raises:
            CapabilityError: The answer has to come next, and the model would think.
        """
        return flatten(prompt, self.chat, self._chat.close if self._chat and answering else None)

    def contexts(self, texts: Sequence[Text]) -> list[tuple[int, ...]]:
        """Ids of texts that a model goes on from: with one BOS where it wants one, never empty."""
        return [self._head(one.ids) for one in self.encode(texts)]

    def request(self, prompt: Prompt, candidates: Sequence[Candidate]) -> Request:
        """See `requests`."""
        return self.requests([prompt], [candidates])[0]

    def requests(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Request]:
        """Token ids of each prompt and of each of its candidates after it.

        Prompt and candidate are encoded together, because a tokenizer may join them: after
        ``Sentiment: `` the word ``positive`` becomes `` positive``, which takes the blank with it.
        What is scored begins at the first token that holds a character of some candidate; the
        tokens before it are the same for all. The whole prompt is encoded with one candidate only,
        and the others behind its last words: see `endings`.
        """
        flats = [self.flat(prompt) for prompt in prompts]
        grounds = [one.text for one in flats]
        answers = [
            tuple(answer_text(one, candidate.text) for candidate in own)
            for one, own in zip(flats, candidates, strict=True)
        ]
        firsts = self.encode([(*g, *own[0]) for g, own in zip(grounds, answers, strict=True)])
        found = []
        for ground, own, first in zip(grounds, answers, firsts, strict=True):
            before, after = self._endings.behind(ground, own, first) or self.wholly(ground, own)
            found.append(Request(self._head(before), after))
        return found

    def wholly(
        self, ground: Text, answers: Sequence[Text]
    ) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
        """Ids before what is scored and of each answer, the whole text encoded with each."""
        wholes = self.encode([(*ground, *answer) for answer in answers])
        split = split_of(wholes, len(flat(ground)))
        return wholes[0].ids[:split], tuple(whole.ids[split:] for whole in wholes)

    def pieces(
        self, prompt: Prompt, *, answering: bool = True
    ) -> list[tuple[str, tuple[int, ...]]]:
        """The token ids of a prompt, told apart: ``BOS``, each role of `Flat`, and ``frame``."""
        ground = self.flat(prompt, answering=answering)
        encoded = self.encode([ground.text])[0]
        added = len(self._head(encoded.ids)) - len(encoded.ids)
        found = [("BOS", self._head(encoded.ids)[:added])] if added else []
        for token, (start, end) in zip(encoded.ids, encoded.spans, strict=True):
            middle = (start + end) / 2
            role = next((r for r, a, b in ground.spans if a <= middle < b), "frame")
            if found and found[-1][0] == role:
                found[-1] = (role, (*found[-1][1], token))
            else:
                found.append((role, (token,)))
        return found

    def words(self, ids: Sequence[int]) -> list[str]:
        """How the vocabulary writes these tokens."""
        return [str(token) for token in self.tokenizer.convert_ids_to_tokens(list(ids))]

    def _head(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """The context with exactly one BOS where the model wants one, and never empty."""
        before, _ = self.wrapping
        if before and ids[: len(before)] != before:
            ids = (*before, *ids)
        if ids or self.lead:
            return (*self.lead, *ids)
        start = self.tokenizer.bos_token_id
        start = self.tokenizer.eos_token_id if start is None else start
        if start is None:
            raise BackendError("the prompt is empty, and the model has no token to start from")
        return (int(start),)

    def _from_row(self, encoded: Encoded, origin: _Origin, text: str) -> list[int]:
        """Positions of control ids that hold a character of a row."""
        if self.control.keys().isdisjoint(encoded.ids):
            return []
        bad = []
        for position, token in enumerate(encoded.ids):
            if token in self.control:
                start, end = encoded.spans[position]
                # a control token may swallow the blanks beside it: look at its own characters
                own = text.find(self.control[token], start, end)
                if own >= 0:
                    start, end = own, own + len(self.control[token])
                if origin.row_between(start, end):
                    bad.append(position)
        return bad

    def _careful(self, text: Text, quick: Encoded) -> Encoded:
        whole, origin = flat(text), _Origin(text)
        theirs = set(self._from_row(quick, origin, whole))
        ids: list[int] = []
        spans: list[Span] = []
        cursor = 0
        for position, token in enumerate(quick.ids):
            if token not in self.control or position in theirs:
                continue
            start, end = quick.spans[position]
            own = whole.find(self.control[token], start, end)
            start, end = (own, own + len(self.control[token])) if own >= 0 else (start, end)
            if start < cursor:
                continue
            self._plain(whole, cursor, start, origin, ids, spans)
            ids.append(token)
            spans.append((start, end))
            cursor = end
        self._plain(whole, cursor, len(whole), origin, ids, spans)
        return Encoded(tuple(ids), lambda: spans)

    def _plain(
        self, whole: str, start: int, end: int, origin: _Origin, ids: list[int], spans: list[Span]
    ) -> None:
        """Encode a stretch without control tokens, cutting it where one comes out all the same."""
        if start >= end:
            return
        found = self.tokenizer(
            whole[start:end],
            add_special_tokens=False,
            return_offsets_mapping=True,
            split_special_tokens=True,
        )
        shifted = [(start + a, start + b) for a, b in found["offset_mapping"]]
        part = Encoded(tuple(found["input_ids"]), lambda: shifted)
        bad = self._from_row(part, origin, whole)
        if not bad:
            ids += part.ids
            spans += part.spans
            return
        first, last = part.spans[bad[0]]
        own = whole.find(self.control[part.ids[bad[0]]], first, last)
        cut = (own if own >= 0 else first) + 1
        if not start < cut < end:
            raise DataError(
                f"the text holds {whole[first:last]!r}, which this tokenizer knows only as a "
                "control token; take it out of the row"
            )
        self._plain(whole, start, cut, origin, ids, spans)
        self._plain(whole, cut, end, origin, ids, spans)


class _Origin:
    """Which characters of a flat text came out of a row."""

    def __init__(self, text: Text) -> None:
        self._rows: list[Span] = []
        size = 0
        for piece in text:
            if piece.row and piece.text:
                self._rows.append((size, size + len(piece.text)))
            size += len(piece.text)
        self._starts = [start for start, _ in self._rows]

    def row_between(self, start: int, end: int) -> bool:
        """Whether any character from start to end is a row's."""
        before = bisect_right(self._starts, end - 1)
        return before > 0 and self._rows[before - 1][1] > start
