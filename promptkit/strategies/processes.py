"""Several processes that train together, as ``torchrun`` and ``accelerate launch`` start them."""

from __future__ import annotations

import os

from promptkit.errors import CapabilityError


def rank() -> int:
    """The number of this process among those that train together, from 0."""
    return int(os.environ.get("RANK", "0"))


def n_processes() -> int:
    """How many train together; 1 for a process by itself."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def own_device(device: str) -> str:
    """The device of this process: each has a GPU of its own where there are some."""
    import torch

    if n_processes() == 1 or device not in ("auto", "cuda") or not torch.cuda.is_available():
        return device
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"


def wait_for_all() -> None:
    """Go on when every process has come here; at once where there is one."""
    import torch.distributed as together

    if n_processes() > 1 and together.is_available() and together.is_initialized():
        together.barrier()


def refuse_several(what: str) -> None:
    """Refuse a work that several processes would only do several times.

    Raises:
        CapabilityError: There are several.
    """
    if n_processes() > 1:
        raise CapabilityError(
            f"{what} is work for one process, and {n_processes()} were started; call promptkit "
            "without torchrun, or tune on a mixture (--strategy instruct --mixture FILE)"
        )
