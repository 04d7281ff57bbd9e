"""Vectors of several layers brought to a common scale, so that one penalty suits every model.

Each layer is brought to length 1 (hidden states of one layer differ in length by what their text
holds), each of its numbers to mean 0 and deviation 1 over the training rows (a few numbers of a
hidden state are many times larger than all others, the same for every text), and all of it is
divided by the square root of the width. A row then has about length 1, whatever the model.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from promptkit.errors import SpecError, nearest

Floats = NDArray[np.float64]
SCALINGS = ("standard", "unit", "none")


class Scaling:
    """Scales (n, m, w) vectors of m layers, each layer by itself.

    Args:
        name: ``standard`` (above), ``unit`` (length 1 alone, as sentence encoders give vectors),
            or ``none``.

    Raises:
        SpecError: No such scaling.
    """

    def __init__(self, name: str = "standard") -> None:
        if name not in SCALINGS:
            raise SpecError(f"no scaling named {name!r}; {nearest(name, SCALINGS)}")
        self.name = name

    def fit(self, states: NDArray[np.float32]) -> Self:
        """Learn means and deviations of the training rows; labels play no part."""
        shape = states.shape[1:]
        self.mean_, self.deviation_ = np.zeros(shape), np.ones(shape)
        if self.name == "standard":
            unit = _unit(states)
            self.mean_ = unit.mean(axis=0)
            deviation = unit.std(axis=0)
            # a number that is the same in every row says nothing, and is left at 0
            even = deviation < 1e-6 * np.abs(unit).max(axis=0).clip(1e-12)
            self.deviation_ = np.where(even, np.inf, deviation) * np.sqrt(shape[-1])
        return self

    def apply(self, states: NDArray[np.float32]) -> Floats:
        """(n, m, w) scaled."""
        if self.name == "none":
            return np.asarray(states, np.float64)
        scaled: Floats = (_unit(states) - self.mean_) / self.deviation_
        return scaled

    def arrays(self) -> dict[str, Floats]:
        """What was learned."""
        return {"mean": self.mean_, "deviation": self.deviation_}

    def take_up(self, arrays: dict[str, Floats]) -> Self:
        """What `arrays` gave, learned again."""
        self.mean_, self.deviation_ = arrays["mean"], arrays["deviation"]
        return self


def _unit(states: NDArray[np.float32]) -> Floats:
    wide = states.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    unit: Floats = wide / np.where(length > 0, length, 1.0)
    return unit
