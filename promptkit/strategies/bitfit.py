"""BitFit: of a pre-trained network the biases alone are trained (Ben Zaken et al. 2022).

They are about a thousandth of all numbers. What is saved is the biases and the head, and which
model they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.weights import Located
from promptkit.errors import BackendError, CapabilityError, StoreError
from promptkit.strategies.base_record import check_base
from promptkit.strategies.fine_tuning import FineTuning, Way
from promptkit.strategies.frozen_states import FrozenStates
from promptkit.strategies.pretrained import Pretrained, load_located
from promptkit.strategies.reading import Reading
from promptkit.types import Scalar

_FILE = "biases.safetensors"


class BitFit(FineTuning):
    """Trains the biases and the head. The arguments are those of `FineTuning`."""

    name = "bitfit"

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        learning_rate: float = 1e-3,
        **options: Any,
    ) -> None:
        super().__init__(labels, reading, learning_rate=learning_rate, **options)

    def _way(self) -> Way:
        return Biases()


class Biases:
    """The biases require gradients; see `Way`."""

    def load(self, located: Located, max_tokens: int, dtype: Any) -> Pretrained:
        """In float32 whatever the dtype: small steps vanish in bfloat16's eight bits."""
        return load_located(located, max_tokens, torch.float32)

    def open(self, base: Pretrained) -> None:
        """Freeze all, then let the biases go.

        Raises:
            CapabilityError: The model has none.
        """
        base.network.requires_grad_(False)
        found = biases_of(base.network)
        if not found:
            raise CapabilityError(
                f"model {base.name!r} has no biases (Llama, Qwen3 and others have none); use "
                "--strategy lora"
            )
        for one in found.values():
            one.requires_grad_(True)
        self._before = {name: one.detach().clone().cpu() for name, one in found.items()}

    def check(self, base: Pretrained, states: FrozenStates, ids: Sequence[Sequence[int]]) -> None:
        """Compare the biases with those before; when they were read there is nothing to compare.

        Raises:
            BackendError: They are the same.
        """
        before = getattr(self, "_before", None)
        if before is None:
            return
        after = biases_of(base.network)
        if all(torch.equal(after[name].detach().cpu(), own) for name, own in before.items()):
            raise BackendError(
                "the biases have not changed",
                hint="train again with a higher learning_rate",
            )

    def save(self, base: Pretrained, folder: Path) -> None:
        """The biases alone."""
        from safetensors.torch import save_file

        found = biases_of(base.network)
        save_file({name: one.detach().cpu().contiguous() for name, one in found.items()},
                  folder / _FILE)  # fmt: skip

    def restore(self, located: Located, facts: Mapping[str, Any], folder: Path) -> Pretrained:
        """The model, checked to be the one that was trained upon, with the biases.

        Raises:
            StoreError: The file is missing, broken, or of another model.
            BackendError: Another model.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        check_base(facts["base"], located)
        base = load_located(located, int(facts["max_tokens"]), torch.float32)
        own = biases_of(base.network)
        try:
            kept = load_file(folder / _FILE)
            if kept.keys() != own.keys():
                raise ValueError("its names are not those of the model's biases")
            with torch.no_grad():
                for name, one in own.items():
                    one.copy_(kept[name])
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            first = str(error).splitlines()[0]
            raise StoreError(
                f"{folder / _FILE}: cannot be read ({first}); save the model again"
            ) from error
        return base


def biases_of(network: Any) -> dict[str, Any]:
    """The biases of a network by name, those of its norms among them."""
    return {name: one for name, one in network.named_parameters() if name.endswith("bias")}
