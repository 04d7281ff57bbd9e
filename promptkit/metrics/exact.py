"""What n rows say about a share, exactly: the interval and the bound of Clopper and Pearson (1934).

They hold at their level for every share and every n, at the price of being somewhat wide; a
guarantee needs that, where a description can do with less.
"""

from __future__ import annotations

from math import ceil, log

from promptkit.types import Score


def lower_bound(hits: int, n: int, level: float) -> float:
    """What a share is not below, with probability ``level``, when n rows had so many hits.

    Raises:
        ValueError: More hits than rows, or a level that is not between 0 and 1.
    """
    _check(hits, n, level)
    if hits == 0:
        return 0.0
    from scipy.special import betaincinv

    return float(betaincinv(hits, n - hits + 1, 1 - level))


def upper_bound(hits: int, n: int, level: float) -> float:
    """What a share is not above, likewise."""
    return 1 - lower_bound(n - hits, n, level)


def share(metric: str, hits: int, n: int, n_unscored: int = 0) -> Score:
    """A share with its 95% interval; of no rows it is 0, and has none."""
    if not n:
        return Score(metric, 0.0, None, None, 0, n_unscored)
    low, high = lower_bound(hits, n, 0.975), upper_bound(hits, n, 0.975)
    return Score(metric, hits / n, low, high, n, n_unscored)


def rows_needed(wanted: float, level: float, seen: float = 1.0) -> int | None:
    """The fewest rows that bound a share by ``wanted`` when ``seen`` of them are hits.

    Args:
        wanted: The share that is to be shown.
        level: With which probability.
        seen: The share that is expected among the rows.

    Returns:
        None where no number of rows will do, since no more is seen than is wanted.
    """
    if not seen > wanted:
        return None
    low = high = max(1, ceil(log(1 - level) / log(wanted))) if wanted > 0 else 1
    while lower_bound(int(seen * high), high, level) < wanted:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        enough = lower_bound(int(seen * middle), middle, level) >= wanted
        low, high = (low, middle) if enough else (middle + 1, high)
    return high


def _check(hits: int, n: int, level: float) -> None:
    if not (0 <= hits <= n and 0 < level < 1):
        raise ValueError(f"no bound for {hits} of {n} rows at level {level}")
