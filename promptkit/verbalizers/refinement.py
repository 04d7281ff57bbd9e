"""Which of a label's many words to listen to, and how much: learned from rows without labels.

Knowledgeable prompt-tuning (Hu et al., 2022) says a label by every word that a thesaurus or a
knowledge base has for it, and then refines: rare words, whose probability says little, are dropped;
words that behave like the names of other labels count less than those that behave like their own.
Pure arithmetic on log-probabilities; nothing here asks a model, and no row's label is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Refined:
    """What was learned about words.

    Args:
        owners: (c,) the number of the label that each word stands for.
        weights: (c,) each word's share of its label; those of a label sum to one, and a word that
            was dropped has 0.
        log_prior: (c,) log of each word's mean probability over the rows.
    """

    owners: tuple[int, ...]
    weights: tuple[float, ...]
    log_prior: tuple[float, ...]

    def pool(self, log_p: Floats) -> Floats:
        """(k,) for each label the weighted mean of its words' log-probabilities above their prior.

        Args:
            log_p: (c,) log-probability of each word for one row. A constant added to all of them is
                added to all labels.
        """
        weights, owners = np.array(self.weights), np.array(self.owners)
        used = weights > 0  # 0 times the -inf of a word that was dropped would be NaN
        said, prior = np.asarray(log_p, np.float64)[used], np.array(self.log_prior)[used]
        # a word that no row could say has a prior of -inf, and is still one that cannot be said
        above = np.where(said == -np.inf, said, said - np.where(said == -np.inf, 0.0, prior))
        sums = np.bincount(owners[used], weights[used] * above, minlength=int(owners.max()) + 1)
        return np.asarray(sums, np.float64)


def refine(log_p: Floats, owners: Sequence[int], quantile: float = 0.5) -> Refined:
    """Drop rare words, and weigh the others by how much they are about their own label.

    A label's first word is its name: it is never dropped, and the other words are compared with
    the names.

    Args:
        log_p: (n, c) log-probability of each word for each row, of any labels.
        owners: (c,) the number of the label that each word stands for, from 0 to k - 1, each of
            them at least once.
        quantile: Share of all words that are dropped, the ones with the lowest prior; names stay.

    Raises:
        SpecError: A share that is none, fewer than two labels, or no row.
    """
    of = np.asarray(owners, np.int64)
    k = int(of.max()) + 1
    if not 0 <= quantile < 1:
        raise SpecError(f"option 'quantile' is {quantile!r}; it must be from 0 to below 1")
    if len(log_p) == 0 or k < 2:
        raise SpecError("words are refined on one row at least, and among two labels at least")
    prior = log_mean(log_p)
    # the first word that some row can say: with one that is never said nothing can be compared
    sayable = [np.flatnonzero((of == label) & (prior > -np.inf)) for label in range(k)]
    first = [int(np.flatnonzero(of == label)[0]) for label in range(k)]
    names = np.array([int(s[0]) if len(s) else f for s, f in zip(sayable, first, strict=True)])
    rarest = np.lexsort((-np.arange(len(of)), prior))  # of equally rare ones the later first
    kept = np.ones(len(of), bool)
    kept[rarest[: int(quantile * len(of) + 1e-9)]] = False
    kept[names] = True
    weights = np.where(kept, relevance(log_p, of, names), 0.0)
    weights[names] = np.where(np.bincount(of, weights, k) > 0, weights[names], 1.0)
    shares = weights / np.bincount(of, weights, k)[of]
    return Refined(tuple(of.tolist()), tuple(shares.tolist()), tuple(prior.tolist()))


def log_mean(log_p: Floats) -> Floats:
    """(c,) log of the mean probability over the rows."""
    highest = log_p.max(axis=0)
    safe = np.where(np.isfinite(highest), highest, 0.0)
    with np.errstate(divide="ignore"):  # a word that no row can say has -inf
        mean: Floats = safe + np.log(np.exp(log_p - safe).mean(axis=0))
    return mean


def relevance(log_p: Floats, owners: NDArray[np.int64], names: NDArray[np.int64]) -> Floats:
    """(c,) how alike a word is to its own label's name, beside how alike to the other names.

    Two words are alike where their probabilities rise and fall together over the rows: the cosine
    of the two columns. A word that is as like to every name has a relevance of 1.

    Args:
        log_p: (n, c)
        owners: (c,)
        names: (k,) the column of each label's name.
    """
    highest = log_p.max(axis=0)
    # a column's scale is no matter to a cosine, and taken off it cannot vanish
    columns = np.exp(log_p - np.where(np.isfinite(highest), highest, 0.0))
    lengths = np.linalg.norm(columns, axis=0)
    unit = columns / np.where(lengths > 0, lengths, 1.0)
    alike = unit.T @ unit[:, names]  # (c, k)
    own = alike[np.arange(len(owners)), owners]
    others = (alike.sum(axis=1) - own) / (len(names) - 1)
    # a word that is like no other name at all would be infinitely relevant
    found: Floats = own / np.maximum(others, 1e-3)
    return found
