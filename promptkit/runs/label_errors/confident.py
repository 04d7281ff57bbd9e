"""Confident learning (Northcutt, Jiang & Chuang 2021), as the package cleanlab has it."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import MissingExtra

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


def check_cleanlab() -> None:
    """Refuse before the work what could not be done after it.

    Raises:
        MissingExtra: cleanlab is not installed.
    """
    try:
        import cleanlab.filter  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            "wrong labels are looked for with cleanlab: pip install 'promptkit[labels]'"
        ) from error


def suspicious(p: Floats, targets: Places) -> tuple[NDArray[np.bool_], Floats]:
    """(n,) which labels may be wrong, and (n,) how good each is: 0 is worst, 1 best.

    How good a label is is its own probability. Confident learning says how many labels are wrong:
    a row counts where another label is as probable as it usually is for rows of that label. So
    many of the worst labels are suspected, which finds as many planted errors among fewer rows than
    cleanlab's default (docs/log.md).

    Args:
        p: (n, k) probabilities by models that have not seen the row.
        targets: (n,) the given labels as numbers.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    seen, dense = np.unique(targets, return_inverse=True)
    if len(seen) < 2:
        return np.zeros(len(p), bool), np.ones(len(p))
    own = p[:, seen]
    own = own / own.sum(axis=1, keepdims=True).clip(1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of labels with few rows, which it then looks at less
        found = find_label_issues(dense, own, filter_by="low_self_confidence", n_jobs=1)
        quality = get_label_quality_scores(dense, own)
    return np.asarray(found, bool), np.asarray(quality, np.float64)
