"""How the weights of a model come into memory: on which devices, with which attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from promptkit.errors import BackendError, CapabilityError, SpecError, nearest


@dataclass(frozen=True)
class Loading:
    """How a model is loaded; by default whole, on one device, in its own number format.

    Args:
        device_map: ``auto`` spreads it over all devices as they have room; None is one device.
        attention: Which attention it computes with, in transformers' words; the model's own choice
            otherwise. Passes that compute shared tokens once have an attention of their own.

    Raises:
        SpecError: No such way.
    """

    device_map: str | None = None
    attention: str | None = None

    def __post_init__(self) -> None:
        maps = ("auto", "balanced", "balanced_low_0", "sequential")
        if self.device_map is not None and self.device_map not in maps:
            raise SpecError(f"device_map {self.device_map!r}: {nearest(self.device_map, maps)}")

    def keywords(self, dtype: Any) -> dict[str, Any]:
        """What `from_pretrained` is told.

        Args:
            dtype: Number format of the weights.
        """
        found: dict[str, Any] = {"dtype": dtype}
        if self.attention is not None:
            found["attn_implementation"] = self.attention
        if self.device_map is not None:
            found["device_map"] = self.device_map
        return found


def load_weights(loader: Any, path: Any, loading: Loading, dtype: Any, device: Any) -> Any:
    """The model, in evaluation mode and where it will run.

    Raises:
        BackendError: The weights are broken, or some are missing.
        CapabilityError: This model or machine cannot be loaded so.
    """
    try:
        model, info = loader.from_pretrained(
            path,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **loading.keywords(dtype),
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, AssertionError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        asked = [f"{key} {value!r}" for key, value in vars(loading).items() if value]
        if asked:
            raise CapabilityError(
                f"model {path} cannot be loaded with {', '.join(asked)}: {first}; leave that out, "
                "or use another machine or model"
            ) from error
        raise BackendError(
            f"model {path}: {first}",
            hint="check the folder with 'promptkit doctor', or save the model again",
        ) from error
    absent = sorted(info["missing_keys"]) + sorted(str(k) for k in info["mismatched_keys"])
    if absent:
        raise BackendError(
            f"model {path}: {len(absent)} tensors are missing from its weights, "
            f"{absent[0]!r} first",
            hint="its scores would be random; save the whole model",
        )
    return model.eval() if loading.device_map else model.eval().to(device)
