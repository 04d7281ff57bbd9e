"""What no model at all would reach; a score means little without them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import fsum

from promptkit.metrics.binomial import binomial, central, guesses
from promptkit.metrics.rows import UNSCORED, Rows, positions
from promptkit.types import Scalar, Score, Value, label_key


def majority(
    rows: Rows, labels: Sequence[Scalar], train_labels: Sequence[Value | None] | None
) -> tuple[Score, Scalar]:
    """Accuracy of always saying the most frequent label, and that label.

    The most frequent one among ``train_labels`` (``majority_of_train``), which is what somebody
    without a model could know; where there are none, among the golds themselves
    (``majority_of_golds``), which is a little too good. The first label wins a draw. Training
    rows without a label, or with one that is not declared here, do not count: nothing could have
    predicted it.

    The interval is that of the bootstrap without its noise: the number of right rows in a
    resample is binomial.
    """
    index = positions(labels)
    known = [index.get(label_key(label)) for label in train_labels or () if label is not None]
    seen = Counter(place for place in known if place is not None)
    source = "train" if seen else "golds"
    seen = seen or Counter(rows.gold.tolist())
    place = min(seen, key=lambda place: (-seen[place], place))
    n = len(rows.gold)
    share = float((rows.gold == place).mean())
    low, high = central(binomial(n, share))
    return Score(f"majority_of_{source}", share, low / n, high / n, n), labels[place]


def random_guess(rows: Rows) -> Score | None:
    """Accuracy to expect of uniform guessing, with its exact 95% interval.

    Over the rows whose number of labels is known, which leaves out unscored rows that have
    choices of their own; None where that leaves nothing.
    """
    sizes = [int(size) for size in rows.sizes if size != UNSCORED]
    if not sizes:
        return None
    n = len(sizes)
    low, high = central(guesses(sizes))
    return Score("random", fsum(1 / size for size in sizes) / n, low / n, high / n, n)
