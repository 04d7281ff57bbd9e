"""Which device and which number format a model runs in."""

from __future__ import annotations

import logging
from typing import Any

from promptkit.errors import CapabilityError, SpecError, nearest

DTYPES = ("auto", "float32", "bfloat16", "float16")
#: What quantizes weights, and torch where it imports that: notices at every import and product.
_TALKATIVE = ("bitsandbytes", "torchao", "torch.utils._pytree")


def choose_device(device: str) -> Any:
    """The torch device for ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Raises:
        SpecError: No such name.
        CapabilityError: This machine has none.
    """
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise SpecError(
            f"device {device!r}: {nearest(device, ['auto', 'cpu', 'cuda', 'mps'])}"
        ) from error
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (chosen.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(chosen.type, False):
        raise CapabilityError(f"device {device!r} is not on this machine; use --device auto or cpu")
    return chosen


def choose_dtype(dtype: str, device: Any) -> Any:
    """The torch dtype: ``auto`` is float32 on a CPU and bfloat16 elsewhere.

    Raises:
        SpecError: No such name.
    """
    import torch

    if dtype not in DTYPES:
        raise SpecError(f"dtype {dtype!r}: {nearest(dtype, DTYPES)}")
    if dtype == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    return getattr(torch, dtype)


def quieten() -> None:
    """Keep transformers' own bars and notices out of promptkit's tables."""
    from transformers.utils import logging as notices

    notices.set_verbosity_error()
    notices.disable_progress_bar()
    quieten_quantizers()


def quieten_quantizers() -> None:
    """Keep out theirs too, before transformers imports them: it does so wherever they are."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
