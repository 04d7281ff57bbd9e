"""A server writes: by ``/completions`` where token ids or plain text can go on, else as a chat.

Each sample of a row has the row's own seed. Servers that answer several samples at once are asked
for all of them, and asked again for those that they leave out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from promptkit.backends.beginnings import Beginning, beginnings, evidence_for, without_blank
from promptkit.backends.openai_chat import ROOM, Chat
from promptkit.backends.openai_client import Client, Fault
from promptkit.backends.openai_messages import check_control, messages
from promptkit.backends.openai_probe import ODD, TEXT, Abilities
from promptkit.backends.tokens import Tokens
from promptkit.errors import CapabilityError, DataError
from promptkit.prompts.flatten import flatten
from promptkit.types import Candidate, Evidence, Generation, Piece, Prompt, Sampling, flat

#: How vLLM is told what a text may be.
HELD = "structured_outputs"
#: Tokens that servers read where they do not say.
_ANY = 2**31


class ServedWriting:
    """Asks one server for texts.

    Args:
        client: The server.
        model: The model's name there.
        tokens: The model's tokenizer, where the user gave it.
        extra: Further entries of each chat.
        found: What the server can do.
    """

    def __init__(
        self,
        client: Client,
        model: str,
        tokens: Tokens | None,
        extra: Mapping[str, Any],
        found: Abilities,
    ) -> None:
        self.client, self.model, self.tokens, self.found = client, model, tokens, found
        self._chat = Chat(client, model, extra, found.structured)
        self._takes_text: bool | None = None
        self._held: bool | None = None

    def jobs(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        choices: Sequence[Sequence[Candidate]] | None,
    ) -> list[Callable[[], Evidence]]:
        """What has to be done for each row; threads do it.

        Raises:
            CapabilityError: The server cannot hold a reply to some words, or begun turns.
        """
        if self.found.by_ids and (choices is None or self._holds()):
            assert self.tokens is not None
            rows = beginnings(
                self.tokens, prompts, choices,
                room=sampling.max_new_tokens,
                max_tokens=self.found.max_tokens or _ANY,
                read=self.tokens.contexts,
            )  # fmt: skip
            return [partial(self._continued, row, list(row.ids), sampling) for row in rows]
        if choices is not None and self.found.structured is None:
            raise CapabilityError(
                f"server {self.client.url} lets the model write what it likes (no structured "
                "outputs); leave out constrained and give a parser"
            )
        own = choices or [()] * len(prompts)
        return [self._by_text(*one, sampling) for one in zip(prompts, own, strict=True)]

    def _by_text(
        self, prompt: Prompt, choices: Sequence[Candidate], sampling: Sampling
    ) -> Callable[[], Evidence]:
        """A row whose text the server tokenizes."""
        words = tuple(flat(one.text).strip() for one in choices)
        row = Beginning(prompt, choices=words)
        try:
            check_control(prompt, choices)
        except DataError as error:
            evidence = evidence_for(
                Beginning(prompt, problem=str(error)), (), constrained=bool(words)
            )
            return lambda: evidence
        if not prompt.chat and not words and self._completes():
            text, _ = without_blank(flatten(prompt))
            return partial(self._continued, row, flat(text), sampling)
        if prompt.prefill:
            raise CapabilityError(
                f"server {self.client.url}: a turn that is begun (prefill) cannot be sent as "
                "messages; give the model's tokenizer (--tokenizer), or take 'prefill' out"
            )
        return partial(self._replied, row, sampling)

    def _holds(self) -> bool:
        """Whether what follows token ids can be held to some words.

        Schemas are for chats: what they hold a reply to is JSON. A model without a chat template
        gives no chat to find it out by.
        """
        if self.found.structured is not None:
            return self.found.structured != "response_format"
        if self._held is None:
            assert self.tokens is not None
            ids = list(self.tokens.contexts([(Piece(TEXT),)])[0])
            body = {"model": self.model, "prompt": ids, "max_tokens": ROOM, "temperature": 0}
            try:
                found = self.client.post("/completions", {**body, HELD: _held_to(ODD, HELD)})
                self._held = str(_choices(found)[0].get("text")).strip() in ODD
            except (Fault, DataError) as error:
                if isinstance(error, Fault) and error.kind != "refused":
                    raise self.client.gone(error) from error
                self._held = False
        return self._held

    def _completes(self) -> bool:
        """Whether plain text can be gone on from."""
        if self._takes_text is None:
            body = {"model": self.model, "prompt": "Once", "max_tokens": 1, "temperature": 0}
            try:
                self.client.post("/completions", body)
                self._takes_text = True
            except Fault as fault:
                if fault.kind != "refused":
                    raise self.client.gone(fault) from fault
                self._takes_text = False
        return self._takes_text

    def _continued(self, row: Beginning, prompt: list[int] | str, sampling: Sampling) -> Evidence:
        constrained = bool(row.choices)
        if row.problem:
            return evidence_for(row, (), constrained=constrained)
        body: dict[str, Any] = {"model": self.model, "prompt": prompt, **self.found.plain}
        if isinstance(prompt, list):
            # markers of think blocks are special tokens in some vocabularies
            body["skip_special_tokens"] = False
        if constrained:
            how = self.found.structured or HELD
            body[how] = _held_to(row.choices, how)
        room = max(map(len, row.choices)) + ROOM if constrained else sampling.max_new_tokens
        if isinstance(prompt, list) and self.found.max_tokens is not None:
            room = min(room, self.found.max_tokens - len(prompt))

        def ask(n: int, seed: int) -> list[Generation]:
            how = {**body, "max_tokens": room, "n": n, **_drawn(sampling, seed)}
            if sampling.stop and not constrained:
                how["stop"] = list(sampling.stop)
            found = self.client.post("/completions", how)
            return [_generation(str(one.get("text") or ""), one, found) for one in _choices(found)]

        return self._samples(row, sampling, ask)

    def _replied(self, row: Beginning, sampling: Sampling) -> Evidence:
        chat, sent = self._chat, messages(row.prompt)

        def ask(n: int, seed: int) -> list[Generation]:
            how: dict[str, Any] = {"n": n, **_drawn(sampling, seed)}
            if row.choices:
                text = chat.chosen(sent, row.choices, **how)
                return [Generation(text, "stop", 0)]
            if sampling.stop:
                how["stop"] = list(sampling.stop)
            found = chat.replies(sent, sampling.max_new_tokens, **how)
            return [_generation(chat.text(one), one, {}) for one in found]

        return self._samples(row, sampling, ask)

    def _samples(
        self, row: Beginning, sampling: Sampling, ask: Callable[[int, int], list[Generation]]
    ) -> Evidence:
        """As many texts as were asked for, however many the server gives at once."""
        written: list[Generation] = []
        try:
            while len(written) < sampling.samples:
                seed = sampling.seed_of(row.prompt.example_id, len(written))
                found = ask(sampling.samples - len(written), seed)
                written += found[: sampling.samples - len(written)]
        except DataError as error:
            row = Beginning(row.prompt, problem=str(error), choices=row.choices)
            return evidence_for(row, (), constrained=bool(row.choices))
        return evidence_for(row, written, constrained=bool(row.choices))


def _drawn(sampling: Sampling, seed: int) -> dict[str, Any]:
    if sampling.temperature == 0:
        return {"temperature": 0}
    how = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": seed}
    return how | ({"top_k": sampling.top_k} if sampling.top_k else {})


def _held_to(choices: Sequence[str], how: str) -> Any:
    words = list(dict.fromkeys(choices))
    return {"choice": words} if how == HELD else words


def _choices(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    choices = [one for one in found.get("choices") or () if isinstance(one, Mapping)]
    if not choices:
        raise DataError("the server answers no choice")
    return choices


def _generation(text: str, choice: Mapping[str, Any], found: Mapping[str, Any]) -> Generation:
    finish = "length" if choice.get("finish_reason") == "length" else "stop"
    usage = found.get("usage") or {}
    alone = len(found.get("choices") or ()) == 1
    n = int(usage.get("completion_tokens") or 0) if alone else 0
    return Generation(text, finish, n)  # type: ignore[arg-type]
