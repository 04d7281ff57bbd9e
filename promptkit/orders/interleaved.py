"""Demonstrations of different labels in turns."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from promptkit.types import Example, label_key


class Interleaved:
    """Spreads each label's shots evenly over the prompt: a b a b, a b a a b a.

    A run of one label at the end of a prompt draws the answer towards it (Zhao et al., 2021). Of a
    label's n shots, the i-th one (from 0) stands at (i + 1/2) / n of the way; at one place, the
    label with fewer shots comes first, and of labels with as many, the one that the selector
    showed first. Within a label, the selector's order stays.

    Args:
        seed: Taken so that orders can be exchanged; there is nothing to draw.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, pool: Sequence[Example]) -> Interleaved:
        """Learn nothing."""
        return self

    def arrange(self, query: Example, shots: Sequence[Example]) -> list[Example]:
        """The shots, labels alternating."""
        labels: dict[tuple[str, object], list[Example]] = {}
        for shot in shots:
            labels.setdefault(label_key(shot.label), []).append(shot)
        placed = [
            # exact fractions: 0.5 of three shots and of five are one place
            (Fraction(2 * number + 1, 2 * len(own)), len(own), first, shot)
            for first, own in enumerate(labels.values())
            for number, shot in enumerate(own)
        ]
        return [shot for *_, shot in sorted(placed, key=lambda entry: entry[:3])]
