"""What a model answers to a jumble of the domain's own words is its bias there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.calibration.normal import log_mean, without
from promptkit.errors import DataError, SpecError
from promptkit.protocols import Learned
from promptkit.types import Example


class DomainCalibration:
    """Domain-context calibration (Fei et al. 2023). Needs unlabelled rows for their words.

    Each of a number of texts is drawn word by word from all words of the rows, as long as a row is
    on average; the mean of the probabilities that the model gives to them is taken off. Words of
    a domain can lean to one label, and "N/A" does not show that.

    Args:
        n_texts: Texts that are drawn; 20 in the paper.
        seed: Seed of the draw; it depends on the rows' texts too, and not on their order.

    Raises:
        SpecError: Fewer than one text.
    """

    needs: Literal["unlabelled rows"] = "unlabelled rows"
    asks: Literal["texts"] = "texts"
    least_rows = 1

    def __init__(self, n_texts: int = 20, seed: int = 0) -> None:
        if n_texts < 1:
            raise SpecError(f"calibration 'domain': n_texts is {n_texts}; draw one text or more")
        self.n_texts, self.seed = n_texts, seed

    def texts(self, rows: Sequence[Example], fields: Sequence[str]) -> list[Example]:
        """``n_texts`` rows; each field is drawn from that field of the rows.

        Raises:
            DataError: The rows have no words.
        """
        words = {name: _words(rows, name) for name in fields}
        if not any(words.values()):
            raise DataError(
                "domain calibration draws from the words of rows, and there are none; give rows "
                "with --train-data or --calibration-rows FILE"
            )
        return [
            Example(f"random words {number}", self._drawn(words, len(rows), number))
            for number in range(self.n_texts)
        ]

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """``log_prior`` (k,): the logarithm of the mean probability over the texts."""
        return {"log_prior": log_mean(log_p)}

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """The rows with the prior taken off."""
        return without(log_p, learned["log_prior"])

    def _drawn(self, words: dict[str, list[str]], n: int, number: int) -> dict[str, str]:
        found = {}
        for name, known in words.items():
            digest = hashlib.sha256(f"{self.seed}/{number}/{name}".encode()).digest()
            length = max(1, round(len(known) / n)) if known else 0
            found[name] = " ".join(Random(digest).choices(known, k=length)) if length else ""
        return found


def _words(rows: Sequence[Example], name: str) -> list[str]:
    """All words of a field, sorted: the order of the rows decides nothing."""
    return sorted(word for row in rows for word in str(row.fields.get(name, "")).split())
