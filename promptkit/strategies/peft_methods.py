"""Adapters of all the other kinds that peft has, by its own names and with its own options."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from promptkit.backends.weights import Located
from promptkit.errors import SpecError, nearest
from promptkit.strategies.fine_tuning import FineTuning, Way
from promptkit.strategies.layers import layers_of
from promptkit.strategies.lora import Adapters, lies_the_other_way, targets_of
from promptkit.strategies.pretrained import Pretrained, load_located
from promptkit.strategies.reading import Reading
from promptkit.types import Scalar

#: Methods that change a network inside, with what peft does not choose by itself; each is tested
#: on several families. Those of prompts (prompt tuning) are `--strategy instruct`, way ``prompt``.
METHODS: Mapping[str, Mapping[str, Any]] = {
    "lora": {},
    "ia3": {},
    "loha": {"r": 8, "alpha": 8},
    "lokr": {"r": 8, "alpha": 8},
    "oft": {"oft_block_size": 0, "r": 4},
    "vera": {"r": 64},
    "hra": {"r": 8},
    "fourierft": {"n_frequency": 200},
    "randlora": {"r": 16},
    "ln_tuning": {},
}
#: Options of peft that promptkit sets.
OWN = ("target_modules", "task_type", "inference_mode", "peft_type", "base_model_name_or_path")


class PeftMethod(FineTuning):
    """Trains an adapter of peft and the head.

    Args:
        method: One of `METHODS`: ``ia3`` (Liu et al. 2022), ``vera`` (Kopiczko et al. 2024),
            ``oft`` (Qiu et al. 2023), ``loha``, ``lokr``, ``hra``, ``fourierft``, ``randlora``,
            ``ln_tuning``; or ``lora`` with what strategy ``lora`` does not offer, such as
            ``use_dora``, ``use_rslora`` and ``init_lora_weights``.
        method_options: Options of its configuration in peft, such as ``{"r": 4}``.
        targets: ``auto`` for all linear layers of the transformer layers, or the names of some; the
            other arguments are those of `FineTuning`.

    Raises:
        SpecError: No such method, or an option that it does not have.
    """

    name = "peft"

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        method: str = "ia3",
        method_options: Mapping[str, Any] | None = None,
        targets: str | Sequence[str] = "auto",
        learning_rate: float = 3e-3,
        **options: Any,
    ) -> None:
        self.method, self.targets = method, targets
        self.method_options = dict(method_options or {})
        super().__init__(labels, reading, learning_rate=learning_rate, **options)
        config_of(method)
        _check_options(method, self.method_options)

    def _way(self) -> Way:
        named = self.targets.split(",") if isinstance(self.targets, str) else self.targets
        own = () if self.targets == "auto" else tuple(one.strip() for one in named)
        return Method(self.method, self.method_options, own)

    def _own_options(self) -> dict[str, Any]:
        targets = self.targets if isinstance(self.targets, str) else list(self.targets)
        return {"method": self.method, "method_options": self.method_options, "targets": targets}


class Method(Adapters):
    """The adapter requires gradients, the model does not; see `Way`."""

    def __init__(self, method: str, options: Mapping[str, Any], targets: Sequence[str]) -> None:
        self.method, self.options, self.targets = method, options, targets

    def load(self, located: Located, max_tokens: int, dtype: Any) -> Pretrained:
        """In float32: some methods multiply weights, and are not written for half precision."""
        import torch

        return load_located(located, max_tokens, torch.float32)

    def open(self, base: Pretrained) -> None:
        """Put the adapter into the network.

        Raises:
            SpecError: The model has no such layer, or peft refuses an option's value.
        """
        from peft import get_peft_model

        given = {**METHODS[self.method], **self.options}
        if self.method == "ln_tuning":
            given["target_modules"] = norms_of(base.network)
        else:
            given["target_modules"] = targets_of(base.network, self.targets)
        if self.method == "ia3":
            given["feedforward_modules"] = []  # what a layer gives is scaled, everywhere
        turned = lies_the_other_way(base.network, given["target_modules"])
        if turned and "fan_in_fan_out" in options_of(self.method):
            given["fan_in_fan_out"] = True
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Unsupported layer type")  # norms: copied whole
                base.network = get_peft_model(base.network, config_of(self.method)(**given))
        except (ValueError, TypeError, AssertionError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise SpecError(f"strategy 'peft', method {self.method!r}: {first}") from error


def config_of(method: str) -> Any:
    """Peft's configuration of a method.

    Raises:
        SpecError: No such method; names the nearest one.
    """
    from peft import PEFT_TYPE_TO_CONFIG_MAPPING

    if method not in METHODS:
        raise SpecError(f"option 'method': no such value {method!r}; {nearest(method, METHODS)}")
    return {str(one.value).lower(): config for one, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()}[
        method
    ]


def options_of(method: str) -> list[str]:
    """Options of a method that a user may give."""
    return [one.name for one in fields(config_of(method)) if one.name not in OWN]


def norms_of(network: Any) -> list[str]:
    """Full names of the normalisations inside the transformer layers."""
    inside = {id(module) for layer in layers_of(network) for module in layer.modules()}
    return [
        name
        for name, module in network.named_modules()
        if id(module) in inside and "norm" in type(module).__name__.lower()
    ]


def _check_options(method: str, options: Mapping[str, Any]) -> None:
    known = options_of(method)
    for name in options:
        if name in OWN:
            raise SpecError(f"option 'method_options': {name!r} is set by promptkit; leave it out")
        if name not in known:
            raise SpecError(
                f"option 'method_options': {method!r} has no option {name!r}; "
                f"{nearest(name, known)}"
            )
