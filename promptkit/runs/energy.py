"""Joules that a stretch of work took: of the processor's own counters, where they can be read.

Intel's and AMD's processors count what they use (RAPL, running average power limit), and Linux
shows it below ``/sys/class/powercap``; on most systems to its administrator alone. It is what the
whole processor used, other programs' work included, and without memory, disks and fans.
"""

from __future__ import annotations

import re
from pathlib import Path

#: Where Linux shows the counters.
POWERCAP = Path("/sys/class/powercap")


class Energy:
    """The processor's counters of energy.

    Args:
        root: Where they lie.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        packages = [one for one in root.glob("*-rapl:*") if re.fullmatch(r"[^:]+:\d+", one.name)]
        self._last = {one: micro for one in sorted(packages) if (micro := _read(one)) is not None}
        self._joules = 0.0

    @property
    def is_measured(self) -> bool:
        """Whether there is a counter that can be read."""
        return bool(self._last)

    def joules(self) -> float | None:
        """What all packages used since this was built; None where nothing tells."""
        for package, before in self._last.items():
            now = _read(package)
            if now is None:
                return None
            used = now - before
            if used < 0:  # a counter begins anew at its end
                used += _read(package, "max_energy_range_uj") or 0
            self._joules += max(used, 0) / 1e6
            self._last[package] = now
        return self._joules if self._last else None


def _read(package: Path, name: str = "energy_uj") -> int | None:
    try:
        return int((package / name).read_text())
    except (OSError, ValueError):
        return None
