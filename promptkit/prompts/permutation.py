"""In which order labels and choices are listed: as written, or drawn by the number of the order.

A model may prefer what is listed first, or the letter A, whatever stands there (Zheng et al. 2024,
"Large Language Models Are Not Robust Multiple Choice Selectors"). Asked with several orders, the
preference shows, and averaged over them it cancels.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache


@lru_cache(maxsize=4096)
def listed(n: int, permutation: int, name: str = "") -> tuple[int, ...]:
    """The places 0 to n - 1 in the order in which they are listed.

    Args:
        n: How many there are.
        permutation: 0 as written. Any other number draws a start, and turns by one place from each
            number to the next: any n numbers in a row put each of the n in each place once.
        name: The row, where it brings its own choices; another row, another draw.
    """
    if not permutation or not n:
        return tuple(range(n))
    round_, turn = divmod(permutation - 1, n)
    drawn = sorted(range(n), key=lambda i: hashlib.sha256(f"{round_}/{name}/{i}".encode()).digest())
    return tuple(drawn[turn:] + drawn[:turn])
