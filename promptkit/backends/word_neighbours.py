"""Words that lie near a label's words among a model's input embeddings.

What a knowledge base would say of a label (Hu et al. 2022) a model knows in part itself. Embeddings
share a direction that has nothing to do with meaning; their mean is taken off (Mu and Viswanath
2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from promptkit.backends.tokens import Tokens
from promptkit.backends.word_sums import words_like
from promptkit.errors import BackendError
from promptkit.protocols import WordNeighbours


def word_neighbours(model: Any, tokens: Tokens, answers: Sequence[Sequence[int]]) -> WordNeighbours:
    """See `promptkit.protocols.CanExpandWords`.

    Args:
        model: A model of transformers.
        tokens: Its tokenizer.
        answers: Token ids of each label word, as it is answered; one of several tokens lies where
            the mean of them does.

    Raises:
        BackendError: The vocabulary has no word of its own.
    """
    ids, words = words_like(tokens, [answer[0] for answer in answers])
    if not words:
        raise BackendError(
            "this vocabulary has no token that is a word by itself",
            hint="use a model whose tokens are words, or parts of words",
        )
    with torch.inference_mode():
        table = model.get_input_embeddings().weight.float()
        centre = table[torch.tensor(ids, device=table.device)].mean(dim=0)
        known = table[torch.tensor(ids, device=table.device)] - centre
        asked = torch.stack([table[list(answer)].mean(dim=0) for answer in answers]) - centre
        near = torch.nn.functional.normalize(asked) @ torch.nn.functional.normalize(known).T
    return WordNeighbours(tuple(words), near.double().cpu().numpy())
