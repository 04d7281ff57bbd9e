"""What a strategy gains when it is adapted with all labelled rows, and not with those of a fold.

Cross-validation holds rows out: with five folds a strategy is judged on what it made of four fifths
of the rows, and will be used with all of them. What learns much from rows is underestimated, what
learns nothing from them is not, and the choice between a zero-shot prompt and a tuned encoder is
tilted to the prompt. Learning curves are nearly straight against the logarithm of the rows in the
range that promptkit is for, so that a gain per doubling is all that is needed.
"""

from __future__ import annotations

from math import log2

from promptkit.runs.compare.nouns import Entry, Plan

#: Accuracy gained when labelled rows double, between 50 and 300 rows; measured by
#: `bench/regret.py growth` on the test splits of public sets. What is not here gains nothing.
GAIN_PER_DOUBLING = {
    "contrastive": 0.04,
    "features": 0.04,
    "full": 0.04,
    "head": 0.04,
    "lora": 0.04,
    "nearest_neighbour": 0.03,
    "tfidf": 0.04,
    "top_layers": 0.04,
}


def expected_gain(entry: Entry, plan: Plan) -> float:
    """Accuracy that an entry is expected to gain over its cross-validated one; 0 on a test set."""
    if plan.design == "test":  # fitted with all rows already
        return 0.0
    return GAIN_PER_DOUBLING.get(entry.strategy, 0.0) * log2(plan.folds / (plan.folds - 1))
