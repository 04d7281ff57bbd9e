"""What is known about entries before a comparison, from other data sets."""

from __future__ import annotations

from promptkit.runs.compare.nouns import Entry, Plan

#: How many labelled rows the prior is worth.
PRIOR_ROWS = 0.0


def prior_accuracy(entry: Entry, plan: Plan) -> float:
    """Expected accuracy of an entry; only differences between entries count."""
    return 0.0
