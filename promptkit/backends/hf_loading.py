"""How the weights of a model come into memory: on which devices, in how many bits."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from promptkit.errors import BackendError, CapabilityError, MissingExtra, SpecError, nearest

#: What weights can be rounded to, and the package that does it.
QUANTIZATIONS = {"4bit": "bitsandbytes", "8bit": "bitsandbytes", "int8": "torchao"}


@dataclass(frozen=True)
class Loading:
    """How a model is loaded; by default whole, on one device, in its own number format.

    Args:
        device_map: ``auto`` spreads it over all devices as they have room; None is one device.
        attention: Which attention it computes with, in transformers' words; the model's own choice
            otherwise. Passes that compute shared tokens once have an attention of their own.
        quantization: What weights are rounded to. ``4bit`` is the NF4 of bitsandbytes; its ``8bit``
            rounds what is multiplied with them too; ``int8`` of torchao rounds weights alone.

    Raises:
        SpecError: No such way.
        MissingExtra: The package that quantizes is absent.
    """

    device_map: str | None = None
    attention: str | None = None
    quantization: str | None = None

    def __post_init__(self) -> None:
        maps = ("auto", "balanced", "balanced_low_0", "sequential")
        if self.device_map is not None and self.device_map not in maps:
            raise SpecError(f"device_map {self.device_map!r}: {nearest(self.device_map, maps)}")
        if self.quantization is None:
            return
        package = QUANTIZATIONS.get(str(self.quantization))
        if package is None:
            near = nearest(self.quantization, QUANTIZATIONS)
            raise SpecError(f"quantization {self.quantization!r}: {near}")
        if find_spec(package) is None:
            raise MissingExtra(
                f"quantization {self.quantization!r} needs {package}: "
                "pip install 'promptkit[quantization]'"
            )

    def keywords(self, dtype: Any, device: Any) -> dict[str, Any]:
        """What `from_pretrained` is told.

        Args:
            dtype: Number format of the weights, or of those that are not quantized.
            device: Where a quantized model goes that is not spread: it cannot be moved later.
        """
        found: dict[str, Any] = {"dtype": dtype}
        if self.attention is not None:
            found["attn_implementation"] = self.attention
        if self.device_map is not None:
            found["device_map"] = self.device_map
        if self.quantization is not None:
            found.setdefault("device_map", {"": device})
            found["quantization_config"] = self._quantizer(dtype)
        return found

    def _quantizer(self, dtype: Any) -> Any:
        from transformers import BitsAndBytesConfig, TorchAoConfig

        if self.quantization == "4bit":
            return BitsAndBytesConfig(
                load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
            )
        if self.quantization == "8bit":
            # columns above a threshold are found over a whole batch: scores would depend on it
            return BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=0.0)
        from torchao.quantization import Int8WeightOnlyConfig

        return TorchAoConfig(Int8WeightOnlyConfig())


def load_weights(loader: Any, path: Any, loading: Loading, dtype: Any, device: Any) -> Any:
    """The model, in evaluation mode and where it will run.

    Raises:
        BackendError: The weights are broken, or some are missing.
        CapabilityError: This model or machine cannot be loaded so.
    """
    try:
        with warnings.catch_warnings():
            # of a model that was saved quantized: what was asked for would not be done
            warnings.filterwarnings("error", "You passed `quantization_config`", UserWarning)
            model, info = loader.from_pretrained(
                path,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                **loading.keywords(dtype, device),
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, AssertionError,
            UserWarning) as error:  # fmt: skip
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
    model = model.eval()
    if loading.quantization is not None:
        _keep_dtype(model, str(dtype))
        _check_quantized(model, path, loading.quantization)
        return model
    return model if loading.device_map else model.to(device)


def _keep_dtype(model: Any, dtype: str) -> None:
    """Keep bitsandbytes from computing in bfloat16 what was to be float32, as on some CPUs."""
    for layer in model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = dtype == "torch.bfloat16"


def _check_quantized(model: Any, path: Any, quantization: str) -> None:
    """Look whether anything was quantized, and compute once: some say only then that they cannot.

    torchao leaves layers that are no `torch.nn.Linear`, such as GPT-2's, without a word.
    """
    import torch

    weights = list(model.parameters())
    if all(type(one.data) is torch.Tensor and one.is_floating_point() for one in weights):
        raise CapabilityError(
            f"model {path}: quantization {quantization!r} leaves its weights as they are; use "
            "another one"
        )
    ids = torch.zeros((1, 2), dtype=torch.long, device=model.device)
    asked = {"input_ids": ids}
    if model.config.is_encoder_decoder:
        asked["decoder_input_ids"] = ids
    try:
        with torch.inference_mode():
            model(**asked)
    except (RuntimeError, ValueError, AssertionError, ImportError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CapabilityError(
            f"model {path}: with quantization {quantization!r} it cannot compute on "
            f"{model.device.type}: {first}; use another one, or another device"
        ) from error
