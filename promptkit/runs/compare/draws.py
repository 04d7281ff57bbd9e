"""Which rows are learned from and which are held out: the same for every strategy.

Rows that say the same text always stand on the same side, and the first 8 training rows of a draw
are the draw of size 8, so that a learning curve adds rows and swaps none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from promptkit.data import sample
from promptkit.errors import DataError
from promptkit.runs.compare.nouns import Draw
from promptkit.selectors.copies import copy_key
from promptkit.types import Example, label_key


def cross_validation(
    examples: Sequence[Example], folds: int, repeats: int, seed: int
) -> list[Draw]:
    """Repeated stratified cross-validation, repeat after repeat.

    Args:
        examples: Labelled rows; ids must differ.
        folds: Parts of a repeat, each held out once.
        repeats: How often the rows are dealt anew.
        seed: Seed; with the rows' ids it decides everything.

    Raises:
        DataError: Fewer distinct texts than folds.
    """
    draws = []
    for repeat in range(repeats):
        dealt = _dealt(examples, folds, seed + repeat)
        for fold in range(folds):
            held = tuple(place for place, own in enumerate(dealt) if own == fold)
            rest = [place for place, own in enumerate(dealt) if own != fold]
            index = repeat * folds + fold
            train = _ordered(examples, rest, f"{seed}/{repeat}/{fold}")
            draws.append(Draw(index, repeat, fold, train, held))
    return draws


def fixed_test(examples: Sequence[Example], n_labelled: int, repeats: int, seed: int) -> list[Draw]:
    """Draws of training rows for one test set.

    Args:
        examples: The labelled rows, then the test rows.
        n_labelled: How many of them are labelled rows to learn from.
        repeats: How often training rows are drawn.
        seed: Seed of the draws.
    """
    held = tuple(range(n_labelled, len(examples)))
    pool = list(range(n_labelled))
    return [
        Draw(repeat, repeat, 0, _ordered(examples, pool, f"{seed}/{repeat}"), held)
        for repeat in range(repeats)
    ]


def _ordered(examples: Sequence[Example], places: Sequence[int], name: str) -> tuple[int, ...]:
    """The places in the order in which a draw adds them: balanced over labels at every length."""
    by_id = {examples[place].id: place for place in places}
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")
    rows = sample([examples[place] for place in places], len(places), number)
    return tuple(by_id[row.id] for row in rows)


def _dealt(examples: Sequence[Example], folds: int, seed: int) -> list[int]:
    """The fold of each row: texts of one label are dealt in turn, copies of a text together."""
    texts: dict[str, list[int]] = {}
    for place, row in enumerate(examples):
        texts.setdefault(copy_key(row), []).append(place)
    if len(texts) < folds:
        raise DataError(
            f"{len(texts)} different texts cannot be dealt into {folds} folds; give more rows, or "
            "fewer folds with --folds"
        )
    by_label: dict[object, list[str]] = {}
    for text, places in texts.items():
        by_label.setdefault(label_key(examples[places[0]].label), []).append(text)
    dealt = [0] * len(examples)
    turn = 0  # goes on from label to label, so that rare labels do not all fall into fold 0
    for label in sorted(by_label, key=lambda key: _rank(repr(key), seed)):
        for text in sorted(by_label[label], key=lambda text: _rank(text, seed)):
            for place in texts[text]:
                dealt[place] = turn % folds
            turn += 1
    return dealt


def _rank(name: str, seed: int) -> str:
    return hashlib.sha256(f"fold/{seed}/{name}".encode()).hexdigest()
