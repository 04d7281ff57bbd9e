"""Labels that are said in many words, of which the telling ones count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError
from promptkit.types import Candidate, Evidence, Scalar
from promptkit.verbalizers.refinement import Refined, refine
from promptkit.verbalizers.words import WordsVerbalizer

Floats = NDArray[np.float64]


class RefinedVerbalizer:
    """Learns from rows without labels which of a label's words to listen to, and how much.

    The refinement of knowledgeable prompt-tuning (Hu et al. 2022; `refinement` has the formulas):
    rare words are dropped, the others weighed by how much they are about their own label, and what
    each is said anyway is taken off. Before it has learned it takes the mean of a label's words.

    Args:
        quantile: Share of all words that are dropped, the rarest; each label's first word stays.

    Raises:
        SpecError: A share that is none.
    """

    def __init__(self, quantile: float = 0.5) -> None:
        if not isinstance(quantile, int | float) or not 0 <= quantile < 1:
            raise SpecError(f"option 'quantile' is {quantile!r}; it must be from 0 to below 1")
        self.quantile = quantile
        self._usual = WordsVerbalizer(pool_by="mean")
        self._learned: Refined | None = None

    def pool(
        self, evidence: Evidence, candidates: Sequence[Candidate], labels: Sequence[Scalar]
    ) -> Floats:
        """(k,) unnormalised log-probabilities in the order of ``labels``."""
        usual = self._usual.pool(evidence, candidates, labels)
        if self._learned is None or not evidence.log_p:
            return usual
        return self._learned.pool(np.asarray(evidence.log_p, np.float64))

    def refine(self, log_p: Floats, owners: Sequence[int]) -> None:
        """See `promptkit.learners.LearnsWords`.

        Raises:
            SpecError: Each label is said by one word.
        """
        if len(owners) == len(set(owners)):
            raise SpecError(
                "verbalizer 'refined' chooses among a label's words, and each label here is said "
                "by one (an encoder compares statements); write more words into the template, or "
                "use --verbalizer words"
            )
        self._learned = refine(log_p, owners, self.quantile)

    def refined(self) -> Mapping[str, Floats]:
        """See `promptkit.learners.LearnsWords`."""
        if self._learned is None:
            return {}
        return {name: np.array(own, np.float64) for name, own in vars(self._learned).items()}

    def take(self, learned: Mapping[str, Floats]) -> None:
        """See `promptkit.learners.LearnsWords`."""
        if not learned:
            self._learned = None
            return
        own = {name: learned[name].tolist() for name in ("owners", "weights", "log_prior")}
        self._learned = Refined(
            tuple(map(int, own["owners"])), tuple(own["weights"]), tuple(own["log_prior"])
        )
