"""A pool whose rows are compared with queries by their embeddings.

Searched in two steps. Products of many queries with the whole pool go through one matrix product,
whose last bits hang on what is multiplied together; so the few rows that may be among the nearest
are compared again, each for itself, with numbers that do not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError
from promptkit.protocols import CanEncode
from promptkit.row_text import text_of
from promptkit.selectors.pool import Pool
from promptkit.selectors.ranking import top
from promptkit.types import Example

#: One text embedded in two batches differs in the last bits. Such differences must not decide an
#: order: cosines are compared to so many decimals.
DECIMALS = 6
#: What a product of two unit vectors in single precision may be off by.
_SLACK = 1e-5
#: Queries that are multiplied with the pool at once, and cosines that are held in memory.
_QUERIES, _COSINES = 64, 2**24
#: Queries whose vectors are held in memory.
_REMEMBERED = 20_000
#: Rows that are turned into double precision at once.
_ROWS = 4096


class EmbeddedPool:
    """Distinct rows with a vector each.

    Args:
        pool: The rows.
        encoder: Embeds texts into vectors of length one.
        selector: Who asks, for the message.

    Raises:
        SpecError: There is no encoder.
    """

    def __init__(self, pool: Pool, encoder: CanEncode | None, selector: str) -> None:
        if encoder is None:
            raise SpecError(f"selector {selector!r} needs an encoder: something that embeds texts")
        self.pool, self._encoder = pool, encoder
        texts = [text_of(row) for row in pool.rows]
        self.vectors = encoder.encode(texts) if texts else np.zeros((0, 0), np.float32)
        self._seen: dict[str, NDArray[np.float32]] = {}
        self._waiting: dict[str, None] = {}
        self._cosines: dict[str, NDArray[np.float32]] = {}

    def prepare(self, queries: Iterable[Example]) -> None:
        """Embed many queries at once, each text once, and search for them together."""
        texts = dict.fromkeys(text_of(query) for query in queries)
        new = [text for text in texts if text not in self._seen]
        if len(self._seen) + len(new) > _REMEMBERED:
            self._seen = {text: self._seen[text] for text in texts if text in self._seen}
        if new:
            self._seen.update(zip(new, self._encoder.encode(new), strict=True))
        self._waiting = texts

    def vector(self, query: Example) -> NDArray[np.float32]:
        """(w,) the query's own."""
        text = text_of(query)
        if text not in self._seen:
            self._seen[text] = self._encoder.encode([text])[0]
        return self._seen[text]

    def nearest(
        self,
        query: Example,
        k: int,
        barred: Collection[int] = (),
        among: NDArray[np.intp] | None = None,
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The k places with the highest cosine, highest first, and the cosines.

        Ties go to the lower place.

        Args:
            query: The row that others are compared with.
            k: How many; fewer come back where fewer are left.
            barred: Places that may not come back.
            among: The places that may, in ascending order; all by default.
        """
        places = np.arange(len(self.pool.rows)) if among is None else among
        for place in barred:
            places = places[places != place]
        if k == 0 or len(places) == 0:
            return np.zeros(0, np.intp), np.zeros(0)
        if k < len(places):
            places = places[_hopeful(self._rough(query)[places], k)]
        cosines = self.products(places, self.vector(query))
        best = top(cosines, k)
        return places[best], cosines[best]

    def neighbours(self, of: NDArray[np.intp], k: int) -> NDArray[np.intp]:
        """(n, k) places nearest to each of some rows, highest cosine first, itself left out.

        Ties go to the lower place. In a pool of k rows or fewer, there is one neighbour less than
        there are rows.
        """
        k = max(0, min(k, len(self.pool.rows) - 1))
        found = np.zeros((len(of), k), np.intp)
        for start in range(0, len(of) if k else 0, _QUERIES):
            own = of[start : start + _QUERIES]
            products = self.vectors[own] @ self.vectors.T
            products[np.arange(len(own)), own] = -np.inf
            for row, (place, rough) in enumerate(zip(own, products, strict=True), start):
                places = np.flatnonzero(_hopeful(rough, k))
                cosines = self.products(places, self.vectors[place])
                found[row] = places[top(cosines, k, np.flatnonzero(places == place))]
        return found

    def products(
        self, places: NDArray[np.intp], vector: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Cosines of some rows with a vector, to `DECIMALS`, whatever else is compared."""
        wide = vector.astype(np.float64)
        blocks = (places[start : start + _ROWS] for start in range(0, len(places), _ROWS))
        found = [self.vectors[block].astype(np.float64) @ wide for block in blocks]
        # 0.0 is added, as -0.0 and 0.0 are one cosine
        return np.asarray(np.round(np.concatenate(found), DECIMALS) + 0.0, np.float64)

    def _rough(self, query: Example) -> NDArray[np.float32]:
        """(n,) cosines with all rows, as computed together with those of waiting queries."""
        text = text_of(query)
        if text not in self._cosines:
            self.vector(query)
            self._waiting.pop(text, None)
            room = max(1, min(_QUERIES, _COSINES // len(self.pool.rows)))
            texts = [text, *islice(self._waiting, room - 1)]
            for other in texts[1:]:
                del self._waiting[other]
            vectors = np.stack([self._seen[one] for one in texts])
            self._cosines = dict(zip(texts, vectors @ self.vectors.T, strict=True))
        return self._cosines[text]


def _hopeful(rough: NDArray[np.float32], k: int) -> NDArray[np.bool_]:
    """Which of these may be among the k highest once they are compared exactly."""
    least = np.partition(rough, len(rough) - k)[len(rough) - k]
    return np.asarray(rough >= least - 2 * _SLACK)
