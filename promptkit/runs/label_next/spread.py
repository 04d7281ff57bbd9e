"""Rows that stand for others, and are far from each other: clusters of embeddings."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from promptkit.runs.label_next.acquisition import highest
from promptkit.strategies.linear_heads import quietly

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
#: Rows that are clustered are the most unsure ones, so many times as many as are chosen.
UNSURE = 10
#: Clusters at most, and neighbours that a row's typicality is taken over (Hacohen et al. 2022).
CLUSTERS, NEIGHBOURS = 500, 20


def diverse(vectors: Floats, worth: Floats, n: int, seed: int) -> Places:
    """The row nearest to the centre of each of n clusters of the most unsure rows.

    K-means weighted by how unsure a row is (Zhdanov 2019).

    Args:
        vectors: (m, w) embeddings of the pool.
        worth: (m,) how unsure each row is.
        n: How many.
        seed: Of k-means.

    Returns:
        Places in the pool, the most unsure first.
    """
    tried = highest(worth, n * UNSURE)
    if n >= len(tried):
        return tried
    own = vectors[tried]
    weights = np.maximum(worth[tried], 1e-9)
    parts, centres = _clusters(own, n, seed, weights)
    chosen = []
    for part in np.unique(parts):
        inside = np.flatnonzero(parts == part)
        apart = ((own[inside] - centres[part]) ** 2).sum(axis=1)
        chosen.append(tried[inside[int(np.argmin(np.round(apart, 9)))]])
    missing = [place for place in tried if place not in set(chosen)][: n - len(chosen)]
    found = np.array([*chosen, *missing], np.int64)
    return found[highest(worth[found], n)]


def typical(vectors: Floats, n: int, seed: int, labelled: int = 0) -> tuple[Places, Places]:
    """Typical rows of clusters in which nothing is labelled yet, the largest cluster first.

    There are as many clusters as labelled and chosen rows together; a row is the more typical, the
    smaller its mean distance to its nearest neighbours in the cluster (Hacohen, Dekel & Weinshall
    2022). A cluster with fewer labelled rows comes before one with more.

    Args:
        vectors: (m, w) embeddings of the labelled rows, then of the pool.
        n: How many rows of the pool are chosen.
        seed: Of k-means.
        labelled: How many rows from the first are labelled.

    Returns:
        (n,) places in the pool in the order found, and (n,) rows of each one's cluster.
    """
    n = min(n, len(vectors) - labelled)
    parts, _ = _clusters(vectors, min(labelled + n, CLUSTERS, len(vectors)), seed)
    size = np.bincount(parts)
    known = np.bincount(parts[:labelled], minlength=len(size))
    ranked = {part: _by_typicality(vectors, parts == part, labelled) for part in range(len(size))}
    chosen: list[int] = []
    while len(chosen) < n:
        left = [part for part, rows in ranked.items() if rows]
        part = min(left, key=lambda part: (known[part], -size[part], part))
        chosen.append(ranked[part].pop(0))
        known[part] += 1
    found = np.array(chosen, np.int64)
    return found - labelled, size[parts[found]]


def _by_typicality(vectors: Floats, inside: NDArray[np.bool_], labelled: int) -> list[int]:
    """Rows of a cluster that are not labelled, the most typical first."""
    places = np.flatnonzero(inside)
    own = vectors[places]
    squares = (own**2).sum(axis=1)
    apart = np.sqrt((squares[:, None] + squares - 2 * own @ own.T).clip(0))
    near = np.sort(apart, axis=1)[:, 1 : NEIGHBOURS + 1]
    distance = near.mean(axis=1) if near.shape[1] else np.zeros(len(places))
    order = places[np.argsort(np.round(distance, 9), kind="stable")]
    return [int(place) for place in order if place >= labelled]


def _clusters(
    vectors: Floats, n: int, seed: int, weights: Floats | None = None
) -> tuple[Places, Floats]:
    """(m,) each row's cluster and (n, w) the centres."""
    from sklearn.cluster import KMeans

    fit = partial(KMeans(n, n_init=1, random_state=seed).fit, sample_weight=weights)
    # of fewer different texts than clusters it would warn; labels it does not look at
    found = quietly(fit, vectors, np.zeros(len(vectors), np.int64))
    return np.asarray(found.labels_, np.int64), np.asarray(found.cluster_centers_)
