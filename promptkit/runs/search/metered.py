"""A model that is asked each prompt once, and no prompt that its budget does not allow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.protocols import Backend, CanEncode
from promptkit.runs.search.kept import Kept, Known
from promptkit.types import Candidate, Cost, Evidence, Prompt, flat

#: Prompts that are asked together and kept together.
CHUNK = 64
#: Prompts by which it is seen how many tokens a kind of prompts has.
FIRST = 8
#: Tokens of a character, where nothing was seen yet: hardly any text has more.
MOST_TOKENS = 1.0


#: A prompt and its candidates.
Asked = tuple[Prompt, Sequence[Candidate]]


class Exceeded(Exception):
    """What was to be asked does not fit into the budget; nothing of it was asked."""


class Ledger:
    """Prompt tokens of a search.

    A prompt counts when the search needs it first, whether an earlier search has asked it or not:
    so that what is chosen depends on rows, space and budget, and not on what happens to be stored.

    Args:
        budget: Tokens allowed.

    Attributes:
        spent: Tokens so far.
        limit: What they must not exceed for now.
        from_store: How many of them were taken earlier.
    """

    def __init__(self, budget: int) -> None:
        self.budget, self.limit = budget, float(budget)
        self.spent = self.from_store = 0.0
        self.paid: set[str] = set()
        #: Most tokens of a character, by kind of prompt.
        self.rates: dict[object, float] = {}

    def rate(self, kind: object) -> float:
        """Tokens of a character to be reckoned with."""
        if kind in self.rates:
            return self.rates[kind]
        # other prompts of this model tell; half more, as this kind was not seen yet
        return min(MOST_TOKENS, 1.5 * max(self.rates.values(), default=MOST_TOKENS))


class Metered:
    """Stands before a model as a backend itself.

    Args:
        backend: The model.
        identity: All of it that can change an answer.
        kept: Its answers so far.
        ledger: What it may take.
        on_tokens: Told when tokens were taken.
    """

    def __init__(
        self,
        backend: Backend,
        identity: str,
        kept: Kept,
        ledger: Ledger,
        on_tokens: Callable[[], None] = lambda: None,
    ) -> None:
        self.backend, self.kept, self.ledger = backend, kept, ledger
        self.name: str = backend.name
        self.reads: Literal["text", "statements"] = backend.reads
        self._start = hashlib.sha256(identity.encode())
        self._on_tokens = on_tokens
        self._candidates: dict[int, tuple[Sequence[Candidate], str]] = {}
        self._keys: dict[int, tuple[Prompt, Sequence[Candidate], str]] = {}
        #: Prompts of what is measured just now, with their tokens.
        self.touched: dict[str, float] = {}

    @property
    def cost(self) -> Cost:
        """What the model has done so far."""
        return self.backend.cost

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`.

        Raises:
            Exceeded: There are too few tokens left for all of them; as far as can be told before
                the first ones of a kind are asked.
        """
        asked = list(zip(prompts, candidates, strict=True))
        keys = [self._key(*one) for one in asked]
        new = {key: one for key, one in zip(keys, asked, strict=True) if not self._is_paid(key)}
        kinds: dict[object, list[str]] = {}
        for key, (prompt, own) in new.items():
            kinds.setdefault((prompt.template, len(prompt.shots), len(own) == 1), []).append(key)
        for kind, own_keys in kinds.items():
            self._pay(kind, own_keys, new)
        found = [self._known(key) for key in keys]
        self.touched |= {key: one.tokens for key, one in zip(keys, found, strict=True)}
        return [one.evidence for one in found]

    def _pay(self, kind: object, keys: list[str], asked: dict[str, Asked]) -> None:
        lengths = [self._length(asked[key][0]) for key in keys]
        first = 0
        if kind not in self.ledger.rates:
            first = min(FIRST, len(keys))
            self._check(sum(lengths[:first]) * self.ledger.rate(kind))
            self._chunk(kind, keys[:first], asked, sum(lengths[:first]))
        self._check(sum(lengths[first:]) * self.ledger.rate(kind))
        for start in range(first, len(keys), CHUNK):
            part = slice(start, start + CHUNK)
            self._chunk(kind, keys[part], asked, sum(lengths[part]))

    def _check(self, tokens: float) -> None:
        if self.ledger.spent + tokens > self.ledger.limit:
            raise Exceeded

    def _chunk(self, kind: object, keys: list[str], asked: dict[str, Asked], length: int) -> None:
        """Take a chunk from what is kept, and ask for the rest of it."""
        ledger = self.ledger
        missing = [key for key in keys if self.kept.get(key) is None]
        if missing:
            before = self.backend.cost
            pairs = [asked[key] for key in missing]
            found = self.backend.score([p for p, _ in pairs], [c for _, c in pairs])
            self.kept.add(missing, found, (self.backend.cost - before).prompt_tokens)
        tokens = {key: self._known(key).tokens for key in keys}
        ledger.spent += sum(tokens.values())
        ledger.from_store += sum(n for key, n in tokens.items() if self.kept.is_old(key))
        ledger.paid |= set(keys)
        rate = sum(tokens.values()) / max(length, 1)
        ledger.rates[kind] = max(rate, ledger.rates.get(kind, 0.0))
        self._on_tokens()

    def _is_paid(self, key: str) -> bool:
        return key in self.ledger.paid

    def _known(self, key: str) -> Known:
        known = self.kept.get(key)
        assert known is not None
        return known

    def _key(self, prompt: Prompt, candidates: Sequence[Candidate]) -> str:
        known = self._keys.get(id(prompt))  # prompts that are rendered once are one object
        if known is None or known[0] is not prompt or known[1] is not candidates:
            digest = self._start.copy()
            digest.update(repr(prompt).encode(errors="surrogatepass"))
            digest.update(self._said(candidates).encode(errors="surrogatepass"))
            known = self._keys[id(prompt)] = prompt, candidates, digest.hexdigest()[:32]
        return known[2]

    def _said(self, candidates: Sequence[Candidate]) -> str:
        """The candidates as a text; those that all rows share are written down once."""
        if len(candidates) == 1:  # a row's own text, scored behind a label
            return repr(tuple(candidates))
        known = self._candidates.get(id(candidates))
        if known is None or known[0] is not candidates:
            known = self._candidates[id(candidates)] = (candidates, repr(tuple(candidates)))
        return known[1]

    def _length(self, prompt: Prompt) -> int:
        """Characters that the model reads of a prompt, as far as they are its own."""
        if self.reads == "statements":
            return max(len(flat(prompt.encoded)), 1)
        told = [prompt.system, prompt.instruction, prompt.query, prompt.prefill, prompt.cloze]
        shown = [part for shot in prompt.shots for part in (shot.query, shot.answer, shot.cloze)]
        return max(sum(len(flat(one)) for one in (*told, *shown)), 1)


class Remembered:
    """An encoder that encodes each text once: folds ask for the same ones again and again.

    Args:
        encoder: What encodes.
    """

    def __init__(self, encoder: CanEncode) -> None:
        self.encoder = encoder
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `promptkit.protocols.CanEncode.encode`."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors |= dict(zip(new, self.encoder.encode(new), strict=True))
        if not texts:
            return self.encoder.encode([])
        return np.stack([self._vectors[text] for text in texts])
