"""How much memory is free, what a token needs of it, and which errors say there was too little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

#: Share of the free memory that a batch may take; the rest is for what was not foreseen.
SHARE = 0.5
#: What torch says where a CPU gives none: a RuntimeError of its allocator, no OutOfMemoryError.
_NO_MEMORY = ("not enough memory", "can't allocate memory")
_MEMINFO = Path("/proc/meminfo")
#: Limit and use of a container, of both versions of cgroups.
_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def free_bytes(device: Any) -> int | None:
    """Bytes that a device has left, or None where nothing tells.

    Of a GPU, with what torch holds and does not use. Of a CPU, what the system can give without
    swapping, or what a container's limit leaves, whichever is less.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + unused)
    known = [_available(), *(_left(limit, used) for limit, used in _CGROUPS)]
    return min((one for one in known if one is not None), default=None)


def token_bytes(model: nn.Module) -> int:
    """Bytes that a token takes at the most at once on its way through a model.

    Measured from the modules: the inputs and outputs of all matrices of the widest layer, since
    states of one layer are gone when the next one runs. Of the experts of a layer a token passes
    few; the widest of them is counted.
    """
    layers = [
        _states(layer)
        for name, lists in model.named_modules()
        if isinstance(lists, nn.ModuleList) and not _inside_list(model, name)
        for layer in lists
    ]
    return max(layers, default=0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was not enough memory, on a GPU or a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(part in str(error) for part in _NO_MEMORY)


def _states(module: nn.Module) -> int:
    """Bytes of a token's inputs and outputs of all matrices of a module."""
    if isinstance(module, nn.ModuleList):
        return max(map(_states, module), default=0)
    own = sum(_beside(module, one) for one in module.parameters(recurse=False) if one.dim() > 1)
    return own + sum(map(_states, module.children()))


def _beside(module: nn.Module, weight: Any) -> int:
    """Bytes of a token's input and output of one matrix; a quantized one may lie in any shape."""
    if isinstance(module, nn.Linear):
        widths = module.in_features + module.out_features
    else:
        widths = weight.shape[-1] + weight.shape[-2]  # experts are stacked in 3-D
    return widths * (weight.element_size() if weight.is_floating_point() else 4)


def _inside_list(model: nn.Module, name: str) -> bool:
    parts = name.split(".")
    return any(
        isinstance(model.get_submodule(".".join(parts[:end])), nn.ModuleList)
        for end in range(1, len(parts))
    )


def _available() -> int | None:
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return int(found.split()[1]) * 1024 if found else None


def _left(limit: Path, used: Path) -> int | None:
    try:
        return max(0, int(limit.read_text()) - int(used.read_text()))
    except (OSError, ValueError):  # no such file, or "max"
        return None
