"""What strategy ``features`` has learned, in a folder: arrays as safetensors, the rest as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from promptkit.errors import StoreError
from promptkit.strategies.feature_heads import Head, head_of
from promptkit.strategies.layer_choice import View
from promptkit.strategies.scaling import Scaling

Floats = NDArray[np.float64]
ARRAYS, REST = "features.safetensors", "features.json"


@dataclass(frozen=True)
class FittedFeatures:
    """Everything between a text's hidden states and its log-probabilities.

    Args:
        view: The pooling and the layers that are read.
        scaling: Brings each layer to a common scale.
        mix: (m,) weights of the layers, or None where they stand side by side.
        head: The classifier.
        seen: Places of the labels that training rows have, in the order of the head's columns.
    """

    view: View
    scaling: Scaling
    mix: Floats | None
    head: Head
    seen: tuple[int, ...]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All numbers that were learned, by name."""
        found: dict[str, NDArray[np.generic]] = {}
        found |= {f"scaling.{name}": array for name, array in self.scaling.arrays().items()}
        found |= {f"head.{name}": array for name, array in self.head.arrays().items()}
        return found if self.mix is None else found | {"mix": self.mix}


def write_state(folder: Path, fitted: FittedFeatures, strength: float, weights: str) -> None:
    """Write both files into a folder that exists."""
    arrays = {name: np.ascontiguousarray(array) for name, array in fitted.arrays().items()}
    save_file(arrays, folder / ARRAYS)
    rest = {
        "pooling": fitted.view.pooling,
        "layers": list(fitted.view.layers),
        "seen": list(fitted.seen),
        "regularisation": strength,
        "weights": weights,
    }
    (folder / REST).write_text(json.dumps(rest, indent=1), encoding="utf-8")


def read_state(folder: Path, scaling: str, weights: str) -> tuple[FittedFeatures, float]:
    """What `write_state` wrote, and the regularisation.

    Args:
        folder: Where it lies.
        scaling: Name of the scaling.
        weights: Hash of the model's weights; features of other weights mean something else.

    Raises:
        StoreError: A file is missing or broken, or belongs to other weights.
    """
    try:
        arrays = load_file(folder / ARRAYS)
        rest = json.loads((folder / REST).read_text(encoding="utf-8"))
        if rest["weights"] != weights:
            raise StoreError(
                f"{folder}: was fitted on a model with the hash {rest['weights']}, and this one "
                f"has {weights}; give the same model"
            )
        learned = Scaling(scaling).take_up(_below(arrays, "scaling."))
        view = View(str(rest["pooling"]), tuple(int(place) for place in rest["layers"]))
        seen = tuple(int(place) for place in rest["seen"])
        head = head_of(_below(arrays, "head."))
        fitted = FittedFeatures(view, learned, arrays.get("mix"), head, seen)
        return fitted, float(rest["regularisation"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise StoreError(f"{folder}: cannot be read ({error}); save the model again") from error


def _below(arrays: dict[str, NDArray[np.float64]], prefix: str) -> dict[str, NDArray[np.float64]]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
