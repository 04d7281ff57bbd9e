"""An encoder whose cosines can be computed by hand: a text begins with a point of the plane."""

import numpy as np

from promptkit.types import Example


class Plane:
    """``"24,7 and more"`` is the unit vector (0.96, 0.28)."""

    def __init__(self):
        self.calls = 0

    def encode(self, texts):
        self.calls += 1
        points = np.array([[float(x) for x in text.split()[0].split(",")] for text in texts])
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        return (points.reshape(-1, 2) / lengths).astype(np.float32)


def row(name, point, label):
    """A row at a point; its name makes its text its own."""
    return Example(name, {"t": f"{point} {name}"}, label)


#: Cosines with it are the first coordinates.
EAST = Example("q", {"t": "1,0"})


def ids(shots):
    return [shot.id for shot in shots]
