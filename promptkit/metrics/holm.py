"""Several tests at once: Holm's step-down correction (Holm 1979)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from promptkit.metrics.rows import Floats


def holm(p_values: ArrayLike) -> Floats:
    """(m,) adjusted p-values: those at or below 0.05 are found at a family-wise level of 5%.

    The smallest is multiplied with m, the next with m - 1 and so on, and none may be smaller than
    the one before it. Needs no independence, and finds all that Bonferroni's correction finds.
    Equal p-values get equal adjusted ones.

    Args:
        p_values: (m,) of the tests of one family, in any order; m may be 0.

    Raises:
        ValueError: A p-value is not a number from 0 to 1.
    """
    found = np.asarray(p_values, dtype=np.float64)
    if found.ndim != 1 or not ((found >= 0) & (found <= 1)).all():
        raise ValueError(f"p-values must be a list of numbers from 0 to 1, not {p_values!r}")
    order = np.argsort(found, kind="stable")
    stepped = np.minimum(found[order] * np.arange(len(found), 0, -1), 1.0)
    adjusted = np.empty_like(found)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted
