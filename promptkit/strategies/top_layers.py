"""Tuning the top layers; those below keep what they learned (Lee et al. 2019).

The states of the layers below need no gradients, so a step costs less than full fine-tuning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from promptkit.errors import SpecError
from promptkit.strategies.fine_tuning import FineTuning, Way
from promptkit.strategies.full import AllWeights
from promptkit.strategies.layers import layers_of
from promptkit.strategies.option_checks import check_numbers
from promptkit.strategies.pretrained import Pretrained
from promptkit.strategies.reading import Reading
from promptkit.types import Scalar


class TopLayers(FineTuning):
    """Trains the last transformer layers and the head; embeddings and all layers below are frozen.

    Args:
        n_layers: How many layers, from the top; the other arguments are those of `FineTuning`.
    """

    name = "top_layers"

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        n_layers: int = 2,
        learning_rate: float = 2e-4,
        **options: Any,
    ) -> None:
        self.n_layers = n_layers
        super().__init__(labels, reading, learning_rate=learning_rate, **options)

    def _way(self) -> Way:
        check_numbers(whole={"n_layers": self.n_layers}, above_0={}, shares={})
        return LastLayers(self.n_layers)

    def _own_options(self) -> dict[str, Any]:
        return {"n_layers": self.n_layers}


class LastLayers(AllWeights):
    """The last layers require gradients; see `Way`. On disk it is a whole model all the same."""

    def __init__(self, n_layers: int) -> None:
        self.n_layers = n_layers

    def open(self, base: Pretrained) -> None:
        """Freeze all, then let the last layers go.

        Raises:
            SpecError: The model has fewer layers.
        """
        layers = layers_of(base.network)
        if self.n_layers > len(layers):
            raise SpecError(
                f"option 'n_layers' is {self.n_layers}; the model has {len(layers)} layers"
            )
        base.network.requires_grad_(False)
        for layer in layers[-self.n_layers :]:
            layer.requires_grad_(True)
