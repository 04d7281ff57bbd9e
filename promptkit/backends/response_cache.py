"""Any backend, with its answers kept: what was asked before is not asked again.

An answer's key is a SHA-256 over all that can change it: the model and how it is served, the
versions of packages, the template, and what the model sees. That is the structured prompt with its
candidates, which of its pieces came out of a row included, and the token ids where the backend
tells them. Names of rows and of demonstrations are no part of it: the same text under another name
is the same question.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any

from promptkit.backends.meter import Meter
from promptkit.backends.response_store import Responses, Served
from promptkit.errors import StoreError
from promptkit.protocols import (
    Backend,
    OnEvidence,
    TellsEach,
    TellsIdentity,
    TellsTokens,
    unheard,
)
from promptkit.types import Candidate, Cost, Evidence, Prompt, Sampling


class CachedBackend:
    """A backend that asks only what is not known yet.

    What else the backend can do, such as `encode`, it can do as before.

    Args:
        backend: Asked what is not known.
        responses: What is known.
        identity: All that can change an answer beside what the model sees: JSON values.
        model: What the user calls the model.
        known: Whether known answers are taken; they are written either way.
    """

    def __init__(
        self,
        backend: Backend,
        responses: Responses,
        identity: Mapping[str, Any],
        model: str,
        *,
        known: bool = True,
    ) -> None:
        self.backend, self.responses, self.identity = backend, responses, identity
        self.name, self.reads = backend.name, backend.reads
        self.model, self.known = model, known
        self._served: Served | None = None
        self._meter = Meter()
        self._readable = self._writable = True

    def __getattr__(self, name: str) -> Any:
        if name == "backend":  # not set yet, as in a copy: no endless search
            raise AttributeError(name)
        return getattr(self.backend, name)

    @property
    def cost(self) -> Cost:
        """What the backend has done, and the rows that it did not have to."""
        return self.backend.cost + self._meter.cost

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`."""

        def ask(places: Sequence[int], told: OnEvidence) -> list[Evidence]:
            asked = [prompts[place] for place in places]
            own = [candidates[place] for place in places]
            if isinstance(self.backend, TellsEach):
                return self.backend.score_telling(asked, own, told)
            return self.backend.score(asked, own)

        each = isinstance(self.backend, TellsEach)
        return self._known_or_asked(prompts, lambda: self._keys(prompts, candidates), ask, each)

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        choices: Sequence[Sequence[Candidate]] | None = None,
        on_evidence: OnEvidence = unheard,
    ) -> list[Evidence]:
        """See `promptkit.protocols.CanGenerate`.

        What is drawn depends on the row's name, by which its draws are seeded.
        """

        def keys() -> list[bytes]:
            how = _plain(sampling)
            drawn = [
                [prompt.example_id if sampling.temperature else "", how, _plain(own)]
                for prompt, own in zip(prompts, choices or [()] * len(prompts), strict=True)
            ]
            return self._hashed(prompts, ["written"] * len(prompts), drawn)

        def ask(places: Sequence[int], told: OnEvidence) -> list[Evidence]:
            asked = [prompts[place] for place in places]
            own = None if choices is None else [choices[place] for place in places]
            found: list[Evidence] = self.backend.generate(  # type: ignore[attr-defined]
                asked, sampling, own, told
            )
            return found

        found = self._known_or_asked(prompts, keys, ask, True)
        for place, one in enumerate(found):
            on_evidence(place, one)
        return found

    def _known_or_asked(
        self,
        prompts: Sequence[Prompt],
        keys_of: Callable[[], list[bytes]],
        ask: Callable[[Sequence[int], OnEvidence], list[Evidence]],
        each: bool,
    ) -> list[Evidence]:
        """What is known, and what is said at the other places, which is kept.

        Args:
            prompts: The rows.
            keys_of: Their keys.
            ask: Asks the rows at some places.
            each: Whether it tells of each row; otherwise all are kept when it is done.
        """
        with self._meter.timed():
            keys = keys_of()
            found = self._find(keys)
        places = [place for place, key in enumerate(keys) if key not in found]

        def told(number: int, evidence: Evidence) -> None:
            place = places[number]
            self._keep({keys[place]: _nameless(evidence, prompts[place])})

        new = dict(zip(places, ask(places, told), strict=True)) if places else {}
        if not each:
            self._keep({keys[place]: _nameless(one, prompts[place]) for place, one in new.items()})
        self._meter.add(cached_rows=len(prompts) - len(places))
        return [
            new[place] if place in new else _renamed(found[key], prompt)
            for place, (key, prompt) in enumerate(zip(keys, prompts, strict=True))
        ]

    def _find(self, keys: Sequence[bytes]) -> dict[bytes, Evidence]:
        if not (self.known and self._readable):
            return {}
        try:
            stored = self.responses.get(list(dict.fromkeys(keys)))
        except StoreError as error:
            self._readable = False
            self.responses.warn(f"the run goes on without the answers that are kept: {error}")
            return {}
        return {key: _read(text) for key, text in stored.items()}

    def _keep(self, answers: Mapping[bytes, Evidence]) -> None:
        """Store what can be relied on; a run goes on where that fails."""
        good = {key: _written(one) for key, one in answers.items() if _is_lasting(one)}
        if not (good and self._writable):
            return
        try:
            with self._meter.timed():
                self.responses.put(self.served, good)
        except StoreError as error:
            self._writable = False
            self.responses.warn(f"the run goes on, its answers are not kept for others: {error}")

    @property
    def served(self) -> Served:
        """Whose answers they are; asked for once the backend has reached its model."""
        if self._served is None:
            told = {**self.identity, "fields": [field.name for field in fields(Evidence)]}
            if isinstance(self.backend, TellsIdentity):
                told["told"] = dict(self.backend.identity)
            text = _canonical(told)
            digest = hashlib.sha256(text.encode()).digest()
            self._served = Served(digest, self.model, self.backend.name, text)
        return self._served

    def _keys(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[bytes]:
        ids: Sequence[Any] = [None] * len(prompts)
        if isinstance(self.backend, TellsTokens):
            ids = self.backend.token_ids(prompts, candidates)
        shared: dict[int, str] = {}  # most rows have the very same candidates
        for own in candidates:
            if id(own) not in shared:
                shared[id(own)] = _canonical(_plain(own))
        return self._hashed(prompts, [shared[id(own)] for own in candidates], ids)

    def _hashed(
        self, prompts: Sequence[Prompt], asked: Sequence[str], seen: Sequence[Any]
    ) -> list[bytes]:
        keys = []
        for prompt, what, tokens in zip(prompts, asked, seen, strict=True):
            text = f"{_canonical(_plain(prompt))}\n{what}\n{_canonical(_plain(tokens))}"
            keys.append(hashlib.sha256(self.served.digest + text.encode()).digest())
        return keys


def _plain(value: Any) -> Any:
    """JSON values of a prompt; a field that is added to it one day is part of the key at once."""
    if is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in fields(value) if field.name != "example_id")
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _is_lasting(evidence: Evidence) -> bool:
    """Whether it would be the same again.

    A server may be out of reach today. A prompt that is too long costs no pass of a model to find
    out again, and the reason names its row: it is not kept either.
    """
    if evidence.problem:
        return False
    return bool(evidence.generations) or (
        bool(evidence.log_p) and not any(map(math.isnan, evidence.log_p))
    )


def _nameless(evidence: Evidence, prompt: Prompt) -> Evidence:
    """The evidence without names: demonstrations are numbers of the prompt's own."""
    known = [shot.example_id for shot in prompt.shots]
    return replace(
        evidence, example_id="", shots=tuple(str(known.index(name)) for name in evidence.shots)
    )


def _renamed(evidence: Evidence, prompt: Prompt) -> Evidence:
    """The evidence with the names of a prompt that asks the same."""
    shown = tuple(prompt.shots[int(number)].example_id for number in evidence.shots)
    return replace(evidence, example_id=prompt.example_id, shots=shown)


def _written(evidence: Evidence) -> bytes:
    return json.dumps(asdict(evidence), ensure_ascii=True, separators=(",", ":")).encode()


def _read(text: bytes) -> Evidence:
    return Evidence.from_json(json.loads(text))
