"""What a model would say in the answer's place, word by word, summed over groups of rows.

A row's log-probabilities over a whole vocabulary are large (150,000 numbers), and what is asked
for is their mean over a label's rows: so a batch is summed as it comes, and is let go of.

A word is a token that stands alone: it has letters only, two at least, and begins as the answers of
the template do. After ``It was`` an answer begins with a blank, and ``Ġgreat`` is a word where
``great`` is the end of another one; at the head of a model's turn it is the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Any, Protocol

import numpy as np
import torch

from promptkit.backends.hf_passes import LOGIT_BYTES, Passes
from promptkit.backends.tokens import Tokens
from promptkit.errors import BackendError
from promptkit.protocols import WordSums

#: How vocabularies write the blank that a word begins with.
BLANKS = ("Ġ", "▁")


class Guessing(Protocol):
    """A scorer that can be asked for all words at once.

    Its requests have ``answers``, as in `asking.Scorer`.
    """

    tokens: Tokens
    passes: Passes

    def length(self, request: Any) -> int:
        """Tokens that the model must have room for."""
        ...

    def at_answer(self, batch: Sequence[Any]) -> Any:
        """(n, v) logits in the place where the answer begins."""
        ...


def word_sums(
    scorer: Guessing, requests: Sequence[Any], groups: Sequence[int], n_groups: int
) -> WordSums:
    """See `promptkit.protocols.CanPredictWords`; rows that did not fit are left out before.

    Raises:
        BackendError: The vocabulary has no word of its own.
    """
    first = [answer[0] for answer in requests[0].answers] if requests else []
    ids, words = words_like(scorer.tokens, first)
    if not words:
        raise BackendError(
            "this vocabulary has no token that is a word by itself",
            hint="use a model whose tokens are words, or parts of words",
        )
    sums = np.zeros((n_groups, len(words)))
    counts = np.bincount(np.asarray(groups, np.int64), minlength=n_groups)
    chosen = torch.tensor(ids, device=scorer.passes.device)

    def forward(batch: Sequence[Any]) -> list[Any]:
        logits = scorer.at_answer(batch).float()
        return list(logits.log_softmax(-1)[:, chosen].cpu().double().numpy())

    # logits are kept for each place where an answer of the batch begins, for each of its rows
    most = max(1, isqrt(LOGIT_BYTES // (4 * len(scorer.tokens.tokenizer))))
    for batch in scorer.passes.batches([scorer.length(one) for one in requests], most):
        found = scorer.passes.halving([requests[i] for i in batch], scorer.length, forward)
        for index, row in zip(batch, found, strict=True):
            sums[groups[index]] += row
    return WordSums(tuple(words), sums, tuple(int(n) for n in counts))


def words_like(tokens: Tokens, first: Sequence[int]) -> tuple[list[int], list[str]]:
    """Tokens that are words by themselves and begin as these do, and how they are spelled.

    Args:
        tokens: The tokenizer.
        first: First tokens of answers; most of them decide.
    """
    spaced = sum(word.startswith(BLANKS) for word in tokens.words(first))
    with_blank = 2 * spaced > len(first)
    tokenizer = tokens.tokenizer
    every = [i for i in range(len(tokenizer)) if i not in tokens.control]
    marked = zip(every, tokens.words(every), strict=True)
    begun = [i for i, token in marked if token.startswith(BLANKS) == with_blank]
    spelled = tokenizer.batch_decode([[i] for i in begun], clean_up_tokenization_spaces=False)
    known: dict[str, int] = {}
    for i, text in zip(begun, spelled, strict=True):
        word = text.strip()
        if len(word) > 1 and word.isalpha():
            known.setdefault(word, i)
    return list(known.values()), list(known)
