"""What is known of a model without training it: from its folder, and from what it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from promptkit.backends.encoding import fitted_ids
from promptkit.backends.hidden import HiddenStates
from promptkit.backends.likelihood import TextLikelihood
from promptkit.backends.own_classes import own_classes
from promptkit.backends.weights import Located, locate
from promptkit.errors import CapabilityError
from promptkit.runs.choose.nouns import ModelFacts
from promptkit.strategies.folds import folds
from promptkit.strategies.linear_heads import logistic
from promptkit.transferability import leep
from promptkit.types import Piece, Text

#: Rows whose bits are counted, and texts that a distance is taken over.
COUNTED, COMPARED = 200, 500
#: A card's head is read up to here.
HEAD = 16_384
OBJECTIVES = {
    "causal": "the next token",
    "masked": "hidden tokens",
    "seq2seq": "a text from a text",
    "classifier": "labels of texts",
    "sentence-encoder": "sentences alike or not",
    "unknown": "not stated",
}


def facts_of(
    states: HiddenStates,
    texts: Sequence[Text],
    targets: NDArray[np.int64],
    reference: Sequence[Text],
) -> ModelFacts:
    """Everything but the speed.

    Args:
        states: The model.
        texts: The rows.
        targets: (n,) their labels as numbers.
        reference: Texts that the rows are compared with; none leaves that out.

    Raises:
        BackendError: A model that cannot be read.
    """
    located = locate(states.model)
    kind, (licence, corpus) = located.kind(), card_of(located.path)
    names = located.config().get("architectures") or [type(states.network).__name__]
    found = ModelFacts(
        states.model,
        objective=OBJECTIVES[kind],
        attention="both sides" if reads_both_sides(states) else "left alone",
        architecture=str(names[0]),
        parameters=sum(one.numel() for one in states.network.parameters()),
        size=sum(file.stat().st_size for file in located.path.rglob("*.safetensors")),
        layers=states.n_layers,
        width=states.width,
        context=states.max_tokens,
        licence=licence,
        corpus=corpus,
    )
    found = replace(found, **_of_tokens(states, texts))
    if reference:
        found = replace(found, distance=distance(_last(states, texts), _last(states, reference)))
    if kind == "classifier":
        found = replace(found, leep=_leep(states, texts, targets))
    return replace(found, **_of_likelihood(located, states, texts[:COUNTED]))


def reads_both_sides(states: HiddenStates) -> bool:
    """Whether a token's state hangs on what stands behind it: tried, whatever a folder says."""
    (ids,), _ = fitted_ids(states.tokens, [(Piece("one two three four"),)], states.max_tokens)
    last = len(ids) - 1 - len(states.tokens.wrapping[1])
    taken = {*ids, *states.tokens.control}
    other = next(token for token in range(len(states.tokens.tokenizer)) if token not in taken)
    changed = [other if at == last else token for at, token in enumerate(ids)]
    first, second = (states.layers_of([own])[0][-1][0, :last].float() for own in (ids, changed))
    return not torch.allclose(first, second, atol=1e-3, rtol=1e-3)


def card_of(folder: Path) -> tuple[str, tuple[str, ...]]:
    """Licence and data sets that the head of a model's README states; empty where it does not."""
    import yaml

    file = folder / "README.md"
    if not file.is_file():
        return "", ()
    with file.open(encoding="utf-8", errors="replace") as opened:
        text = opened.read(HEAD)
    parts = text.split("---\n")
    if len(parts) < 3 or parts[0].strip():
        return "", ()
    try:
        told = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return "", ()
    if not isinstance(told, dict):
        return "", ()
    sets = told.get("datasets") or ()
    named = [sets] if isinstance(sets, str) else sets if isinstance(sets, list) else []
    return str(told.get("license") or ""), tuple(map(str, named))


def distance(rows: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    """Proxy A-distance: ``2 (1 - 2 e)``, e being the error of telling the two apart.

    Args:
        rows: (n, w) states.
        reference: (m, w) states of other texts.
    """
    both = np.concatenate([rows, reference]).astype(np.float64)
    both = (both - both.mean(axis=0)) / np.maximum(both.std(axis=0), 1e-6)
    targets = np.repeat([0, 1], [len(rows), len(reference)])
    wrong: list[float] = []
    for inside, outside in folds(targets, 5, 0):
        head = logistic(both[inside], targets[inside], 1.0)
        told = head.log_p(both[outside]).argmax(axis=1)
        # each side counts half, however many texts it has
        wrong.append(float(np.mean([np.mean(told[targets[outside] == y] != y) for y in (0, 1)])))
    return max(0.0, 2 * (1 - 2 * float(np.mean(wrong)))) if wrong else 0.0


def _last(states: HiddenStates, texts: Sequence[Text]) -> NDArray[np.float32]:
    return states.pooled(texts[:COMPARED], ["mean"], [-1])["mean"][:, 0]


def _of_tokens(states: HiddenStates, texts: Sequence[Text]) -> dict[str, Any]:
    encoded = states.tokens.encode(texts)
    words = sum(len("".join(piece.text for piece in text).split()) for text in texts)
    tokens = sum(len(one.ids) for one in encoded)
    strange = states.tokens.tokenizer.unk_token_id
    # a tokenizer of bytes knows everything, and gives its end as what it does not know
    shared = strange in (states.tokens.tokenizer.eos_token_id, states.tokens.tokenizer.bos_token_id)
    unknown = 0 if strange is None or shared else sum(one.ids.count(strange) for one in encoded)
    return {"tokens_per_word": tokens / max(words, 1), "unknown": unknown / max(tokens, 1)}


def _leep(states: HiddenStates, texts: Sequence[Text], targets: NDArray[np.int64]) -> float | None:
    try:
        known = own_classes(states.model, texts, states.device, states.dtype)
    except CapabilityError:  # it gives one number a text, which is no class
        return None
    return leep(known, targets)


def _of_likelihood(located: Located, states: HiddenStates, texts: Sequence[Text]) -> dict[str, Any]:
    try:
        likelihood = TextLikelihood(located.name, states.device, states.dtype)
    except CapabilityError:  # which a table shows as a dash: it is asked of every model
        return {}
    return {
        "bits_per_byte": likelihood.bits_per_byte(texts),
        "pseudo": likelihood.kind == "masked",
    }
