"""Low-rank adapters: beside each weight matrix a small product of two is trained (Hu et al. 2022).

The model stays as it is; what is saved is the adapter and the head, and which model they belong to.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.weights import Located
from promptkit.errors import BackendError, SpecError, StoreError
from promptkit.strategies.base_record import check_base
from promptkit.strategies.fine_tuning import FineTuning, Way
from promptkit.strategies.frozen_states import FrozenStates
from promptkit.strategies.layers import layers_of
from promptkit.strategies.option_checks import check_numbers
from promptkit.strategies.pretrained import Pretrained, load_located
from promptkit.strategies.reading import Reading
from promptkit.types import Scalar

_ADAPTER = "adapter"
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


class LoRA(FineTuning):
    """Trains adapters and the head.

    Args:
        rank: Width of an adapter.
        alpha: Its output is multiplied by ``alpha / rank``.
        adapter_dropout: Share of an adapter's input that a training step leaves out.
        targets: ``auto`` for all linear layers of the transformer layers, in whatever family, or
            the names of some, such as ``query,value``; the other arguments are those of
            `FineTuning`.
    """

    name = "lora"

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        rank: int = 8,
        alpha: int = 16,
        adapter_dropout: float = 0.05,
        targets: str | Sequence[str] = "auto",
        learning_rate: float = 1e-3,
        **options: Any,
    ) -> None:
        self.rank, self.alpha, self.adapter_dropout = rank, alpha, adapter_dropout
        self.targets = targets
        super().__init__(labels, reading, learning_rate=learning_rate, **options)

    def _way(self) -> Way:
        check_numbers(
            whole={"rank": self.rank, "alpha": self.alpha},
            above_0={},
            shares={"adapter_dropout": self.adapter_dropout},
        )
        return Adapters(self.rank, self.alpha, self.adapter_dropout, self._targets())

    def _own_options(self) -> dict[str, Any]:
        named = {"rank": self.rank, "alpha": self.alpha, "adapter_dropout": self.adapter_dropout}
        return {**named, "targets": list(self._targets()) or "auto"}

    def _targets(self) -> tuple[str, ...]:
        """Names of layers; none for all."""
        if self.targets == "auto":
            return ()
        given = self.targets.split(",") if isinstance(self.targets, str) else self.targets
        return tuple(name.strip() for name in given)


class Adapters:
    """The adapters require gradients, the model does not; see `Way`."""

    def __init__(self, rank: int, alpha: int, dropout: float, targets: Sequence[str]) -> None:
        self.rank, self.alpha, self.dropout, self.targets = rank, alpha, dropout, targets

    def load(self, located: Located, max_tokens: int, dtype: Any) -> Pretrained:
        """In the dtype of predictions: frozen weights need no more."""
        return load_located(located, max_tokens, dtype)

    def open(self, base: Pretrained) -> None:
        """Put adapters, of float32, beside the targeted layers.

        Raises:
            SpecError: The model has no such layer.
        """
        from peft import LoraConfig, get_peft_model

        targets = targets_of(base.network, self.targets)
        config = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=targets,
            fan_in_fan_out=lies_the_other_way(base.network, targets),
            bias="none",
        )
        base.network = get_peft_model(base.network, config)

    def check(self, base: Pretrained, states: FrozenStates, ids: Sequence[Sequence[int]]) -> None:
        """Compare states with the adapter and without it.

        Raises:
            BackendError: They are equal: the adapter is not applied, or does nothing.
        """
        with_it = states.of(ids)
        with base.network.disable_adapter():
            without = states.of(ids)
        if torch.equal(with_it, without):
            raise BackendError(
                "the adapter changes nothing: the model says the same with it and without it",
                hint="train again with a higher learning_rate, or save the adapter again",
            )

    def save(self, base: Pretrained, folder: Path) -> None:
        """The adapter alone, in the format of peft; it names the model, not where that lies."""
        base.network.active_peft_config.base_model_name_or_path = base.name
        base.network.save_pretrained(
            folder / _ADAPTER, safe_serialization=True, save_embedding_layers=False
        )
        # peft's README is a form with nothing filled in
        (folder / _ADAPTER / "README.md").unlink(missing_ok=True)

    def restore(self, located: Located, facts: Mapping[str, Any], folder: Path) -> Pretrained:
        """The model, checked to be the one that was trained upon, with the adapter.

        Raises:
            StoreError: The adapter is missing or broken.
            BackendError: Another model.
        """
        from peft import PeftModel
        from safetensors import SafetensorError

        check_base(facts["base"], located)
        base = load_located(located, int(facts["max_tokens"]), facts["dtype"])
        place = folder / _ADAPTER
        for name in _ADAPTER_FILES:  # peft would look for a missing file on a hub
            if not (place / name).is_file():
                raise StoreError(f"{place / name} is missing; save the model again")
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Found missing adapter keys")  # an error below
                warnings.filterwarnings(
                    "ignore", "Unsupported layer type"
                )  # norms, by peft_methods
                base.network = PeftModel.from_pretrained(base.network, str(place))
            _check_names(base.network, place / _ADAPTER_FILES[1])
        except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
            first = str(error).splitlines()[0]
            raise StoreError(f"{place}: cannot be read ({first}); save the model again") from error
        return base


def _check_names(network: Any, file: Path) -> None:
    """Refuse weights of which some have no place in the adapter, or the other way round."""
    from peft import get_peft_model_state_dict
    from safetensors import safe_open

    wanted = set(get_peft_model_state_dict(network, save_embedding_layers=False))
    with safe_open(file, framework="pt") as opened:
        wrong = sorted(wanted ^ set(opened.keys()))
    if wrong:
        raise ValueError(f"{len(wrong)} weights are missing or left over, {wrong[0]!r} first")


def targets_of(network: Any, named: Sequence[str]) -> list[str]:
    """Full names of the layers that get an adapter.

    Args:
        network: A network of transformers.
        named: Ends of names, such as ``query``; none for every linear layer of every transformer
            layer: in tests of Dettmers et al. (2023) that was what full fine-tuning's quality took.

    Raises:
        SpecError: No linear layer has such a name; says which there are.
    """
    inside = {id(module) for layer in layers_of(network) for module in layer.modules()}
    linear = [
        name
        for name, module in network.named_modules()
        if id(module) in inside and _is_linear(module)
    ]
    if not named:
        return linear
    last = sorted({name.rpartition(".")[2] for name in linear})
    for name in named:
        if name not in last:
            raise SpecError(
                f"option 'targets': the model has no linear layer named {name!r}; it has "
                f"{', '.join(last)}"
            )
    return [name for name in linear if name.rpartition(".")[2] in named]


def _is_linear(module: Any) -> bool:
    return isinstance(module, torch.nn.Linear) or type(module).__name__ == "Conv1D"


def lies_the_other_way(network: Any, targets: Sequence[str]) -> bool:
    """GPT-2's ``Conv1D`` is a linear layer with its weight transposed; peft wants to be told."""
    return any(type(network.get_submodule(name)).__name__ == "Conv1D" for name in targets)
