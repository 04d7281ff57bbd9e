"""States of words in every layer: what probes read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from promptkit.backends.hidden import HiddenStates
from promptkit.backends.plan import batches
from promptkit.runs.probe.nouns import Sentence, Span
from promptkit.types import Piece

Floats = NDArray[np.float32]
BATCH_TOKENS = 4096
#: Called with (sentences done, sentences in all).
OnRows = Callable[[int, int], None]


@dataclass(frozen=True)
class WordStates:
    """States of all words of some sentences.

    Args:
        states: (m, l, w) each word's mean over its tokens; words that are not read are 0.
        tokens: (m,) how many tokens each has; 0 where it is not read.
        starts: (n + 1,) the place of each sentence's first word.
    """

    states: NDArray[np.float16 | np.float32]
    tokens: NDArray[np.int64]
    starts: NDArray[np.int64]

    def words(self, sentence: int, span: Span) -> NDArray[np.int64]:
        """Places of a span's words, those that were read."""
        first = int(self.starts[sentence])
        own = np.arange(first + span[0], first + span[1])
        found: NDArray[np.int64] = own[self.tokens[own] > 0]
        return found


def word_states(
    model: HiddenStates, rows: Sequence[Sequence[str]], on_rows: OnRows = lambda done, total: None
) -> WordStates:
    """Read sentences, given as words.

    Args:
        model: The model.
        rows: Words of each; a space stands between two.
        on_rows: Told how far it is.
    """
    before, after = model.tokens.wrapping
    room = model.max_tokens - len(before) - len(after)
    texts = [(Piece(" ".join(words), row=True),) for words in rows]
    encoded = model.tokens.encode(texts)
    ids = [[*before, *one.ids[:room], *after] for one in encoded]
    owners = [_owners(words, one.spans[:room]) for words, one in zip(rows, encoded, strict=True)]
    starts = np.concatenate([[0], np.cumsum([len(words) for words in rows])])
    n_states, width = model.n_layers + 1, model.width
    states = np.zeros((int(starts[-1]), n_states, width), np.float16)
    counts = np.zeros(int(starts[-1]), np.int64)
    done = 0
    budget = max(min(BATCH_TOKENS, 256 * 2**20 // (n_states * width * 4)), 1)
    for batch in batches([len(one) for one in ids], tokens=budget):
        layers = _forward(model, [ids[place] for place in batch])
        for row, place in enumerate(batch):
            own = np.array(owners[place], np.int64)
            if not len(own):
                continue
            found = layers[row, :, len(before) : len(before) + len(own)]
            # sums over each word's tokens, which stand side by side
            sums = np.zeros((len(rows[place]), n_states, width), np.float32)
            np.add.at(sums, own, found.swapaxes(0, 1))
            tokens = np.bincount(own, minlength=len(rows[place]))
            mean = sums / np.maximum(tokens, 1)[:, None, None]
            if states.dtype == np.float16 and np.abs(mean).max() > 6e4:
                states = states.astype(np.float32)  # some large models have states beyond half
            states[starts[place] : starts[place + 1]] = mean
            counts[starts[place] : starts[place + 1]] = tokens
        done += len(batch)
        on_rows(done, len(rows))
    return WordStates(states, counts, starts.astype(np.int64))


def span_means(states: WordStates, spans: Sequence[tuple[int, Span]]) -> Floats:
    """(n, l, w) mean over the tokens of each span.

    Args:
        states: Of all words.
        spans: The sentence of each, and its words; at least one of them was read.
    """
    found = np.empty((len(spans), *states.states.shape[1:]), np.float32)
    for place, (sentence, span) in enumerate(spans):
        own = states.words(sentence, span)
        if len(own) == 1:
            found[place] = states.states[own[0]]
            continue
        weights = (states.tokens[own] / states.tokens[own].sum()).astype(np.float32)
        found[place] = np.tensordot(weights, states.states[own].astype(np.float32), axes=(0, 0))
    return found


def readable(states: WordStates, rows: Sequence[Sentence]) -> list[tuple[int, int]]:
    """Sentence and place of each target of which every span has a word that was read."""
    return [
        (place, at)
        for place, row in enumerate(rows)
        for at, target in enumerate(row.targets)
        if len(states.words(place, target.span))
        and (target.second is None or len(states.words(place, target.second)))
    ]


@torch.inference_mode()
def _forward(model: HiddenStates, batch: Sequence[Sequence[int]]) -> Floats:
    """(n, l, t, w) states of every token in every layer."""
    layers, _ = model.layers_of(batch)
    found: Floats = torch.stack([one.float() for one in layers], dim=1).cpu().numpy()
    return found


def _owners(words: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[int]:
    """The word of each token; a space belongs to the word behind it."""
    whole = " ".join(words)
    ends = np.cumsum([len(word) + 1 for word in words])  # with the space behind it
    found = []
    for start, end in spans:
        letters = len(whole[start:end].rstrip())
        inside = start + letters - 1 if letters else end
        word = int(np.searchsorted(ends, inside, side="right"))
        found.append(min(word, len(words) - 1))
    return found
