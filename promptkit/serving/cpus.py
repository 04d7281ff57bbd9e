"""How many threads a model computes with: as many as there are processors for it, not more."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def use_threads(asked: int | None) -> int | None:
    """Tell torch, where it is loaded, how many threads to use in this very thread.

    A container that may use two processors of sixty-four still sees all of them, and sixty-four
    threads on two processors mostly wait for each other. OpenMP keeps the number by thread, so that
    the thread that computes has to say it.

    Args:
        asked: What the user wants; None is what there is, and leaves OMP_NUM_THREADS the last word.

    Returns:
        The number; None where torch is not loaded.
    """
    if "torch" not in sys.modules:
        return None
    import torch

    if asked is not None:
        torch.set_num_threads(asked)
    elif "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, min(torch.get_num_threads(), usable_cpus())))
    return torch.get_num_threads()


def usable_cpus(root: Path = CGROUP) -> int:
    """Processors that this process may use: those it is bound to, and those it is granted.

    Args:
        root: Where control groups are mounted.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    granted = _granted(root)
    return max(1, bound or 1 if granted is None else min(bound or 1, granted))


def _granted(root: Path) -> int | None:
    """What a control group grants, in whole processors; None where it grants all."""
    try:
        if (root / "cpu.max").is_file():
            quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
        else:
            folder = root / "cpu"
            quota = (folder / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        if quota == "max" or int(quota) <= 0:
            return None
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return None
