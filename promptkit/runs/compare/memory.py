"""The highest memory of a stretch of work, not of the whole process."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from promptkit.backends.meter import resident_peak_bytes

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
#: Share of the free memory that a cell may take beside other workers.
SPARE = 0.8


def start_peak() -> None:
    """Forget the peak so far, where the system can: Linux, and CUDA."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")  # resets VmHWM, see proc(5)
    torch = _cuda()
    if torch is not None:
        torch.cuda.reset_peak_memory_stats()


def peak_bytes() -> int:
    """Highest resident memory (allocated, on a GPU) since `start_peak`.

    Where the system cannot forget, that of the process; 0 where it says nothing.
    """
    torch = _cuda()
    if torch is not None:
        return int(torch.cuda.max_memory_allocated())
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resident_peak_bytes()


def _cuda() -> Any:
    """torch, where it is loaded and uses a GPU."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_initialized() else None


def room_for(peak: int) -> bool:
    """Whether a cell that needs so many bytes in all fits beside what runs on this machine.

    What this process holds already counts as there. Where nothing tells, it fits.
    """
    import torch

    from promptkit.backends.memory import free_bytes

    free = free_bytes(torch.device("cpu"))
    return free is None or max(0, peak - _resident_bytes()) <= SPARE * free


def _resident_bytes() -> int:
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0
