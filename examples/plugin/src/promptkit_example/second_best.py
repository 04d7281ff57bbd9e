"""A verbalizer: a label is as likely as the second best of its words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError
from promptkit.types import Candidate, Evidence, Scalar, label_key


class SecondBestVerbalizer:
    """Takes a label's second best word, so that one odd word decides nothing; of one word that."""

    def pool(
        self, evidence: Evidence, candidates: Sequence[Candidate], labels: Sequence[Scalar]
    ) -> NDArray[np.float64]:
        """(k,) values in the order of ``labels``; NaN for all where there is no evidence."""
        owners = [label_key(candidate.label) for candidate in candidates]
        found = []
        for label in labels:
            own = [place for place, owner in enumerate(owners) if owner == label_key(label)]
            if not own:
                raise SpecError(f"label {label!r} has no candidate: give it at least one word")
            values = sorted(
                (evidence.log_p[place] for place in own if evidence.log_p), reverse=True
            )
            found.append(values[min(1, len(values) - 1)] if values else np.nan)
        return np.array(found, np.float64)
