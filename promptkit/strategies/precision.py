"""Which number format a training step computes in."""

from __future__ import annotations

from typing import Any

from promptkit.errors import SpecError, nearest

PRECISIONS = ("auto", "float32", "bfloat16")


def training_dtype(precision: str, device: Any) -> Any:
    """The torch dtype of a training step's matrix products; weights and their updates stay float32.

    ``auto`` is bfloat16 where the hardware has it (2.3 times as fast on a CPU with avx512_bf16;
    emulated it is slower than float32), and float32 elsewhere.

    Raises:
        SpecError: No such name.
    """
    import torch

    if precision not in PRECISIONS:
        raise SpecError(f"option 'precision' is {precision!r}; {nearest(precision, PRECISIONS)}")
    if precision != "auto":
        return getattr(torch, precision)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    native = device.type == "cpu" and any(
        _says(test) for test in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )
    return torch.bfloat16 if native else torch.float32


def _says(test: str) -> bool:
    """Torch has no public test of what its CPU can do, and may rename those that it has."""
    import torch

    return hasattr(torch.cpu, test) and bool(getattr(torch.cpu, test)())
