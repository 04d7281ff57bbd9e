"""Amounts as people write them: times, sizes of memory, numbers of labelled rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import isfinite

from promptkit.errors import SpecError
from promptkit.runs.compare.nouns import Size

#: Seconds by unit.
TIMES: Mapping[str, float] = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}

#: Bytes by unit, in lower case. People who write GB on a computer mean either; both are taken.
MEMORY: Mapping[str, int] = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "tb": 1000**4,
    "k": 1024,
    "m": 1024**2,
    "g": 1024**3,
    "t": 1024**4,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
    "tib": 1024**4,
}

_PART = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([A-Za-z]*)")


def seconds_of(written: str | float, name: str = "--budget") -> float:
    """Seconds of ``90s``, ``30m``, ``2h`` or ``1h30m``; a number alone is seconds.

    Raises:
        SpecError: Anything else, or nothing above 0.

    >>> seconds_of("30m"), seconds_of("1h30m"), seconds_of(90)
    (1800.0, 5400.0, 90.0)
    """
    wrong = SpecError(f"{name} {written}: write a time such as 90s, 30m, 2h or 1h30m")
    if isinstance(written, str):
        parts = _parts(written)
        units = [unit.lower() or "s" for _, unit in parts]
        # In "1h30" the 30 may be minutes or seconds: nobody knows, so nobody guesses.
        bare = len(parts) > 1 and any(not unit for _, unit in parts)
        if not parts or bare or len(set(units)) < len(units) or any(u not in TIMES for u in units):
            raise wrong
        pairs = zip(parts, units, strict=True)
        written = sum(float(number) * TIMES[unit] for (number, _), unit in pairs)
    if not isfinite(written) or written <= 0:
        raise wrong
    return float(written)


def bytes_of(written: str | int, name: str = "--max-memory") -> int:
    """Bytes of ``800MiB``, ``2GiB`` or ``1.5g``; a number alone is bytes.

    Raises:
        SpecError: Anything else, or nothing above 0.

    >>> bytes_of("2GiB"), bytes_of("2GB"), bytes_of(512)
    (2147483648, 2000000000, 512)
    """
    wrong = SpecError(f"{name} {written}: write a size such as 800MiB or 2GiB")
    if isinstance(written, str):
        parts = _parts(written)
        if len(parts) != 1 or parts[0][1].lower() not in {"", *MEMORY}:
            raise wrong
        number, unit = parts[0]
        written = int(float(number) * MEMORY[unit.lower() or "b"])
    if written <= 0:
        raise wrong
    return int(written)


def sizes_of(written: str | Iterable[int | str | None], name: str = "--sizes") -> list[Size]:
    """Numbers of labelled rows of ``0,8,32,all`` or a list; ``all`` and None are all of them.

    Raises:
        SpecError: None at all, or one that is neither a whole number from 0 on nor ``all``.

    >>> sizes_of("0,8,all")
    [0, 8, None]
    """
    parts = written.split(",") if isinstance(written, str) else list(written)
    sizes: list[Size] = []
    for part in parts:
        text = "all" if part is None else str(part).strip()
        if text.lower() == "all":
            sizes.append(None)
        elif text.isdecimal() and not isinstance(part, bool):
            sizes.append(int(text))
        else:
            raise SpecError(f"{name}: {text or 'nothing'!r} is no number of rows; write 0,8,32,all")
    if not sizes:
        raise SpecError(f"{name} is empty; write 0,8,32,all")
    return list(dict.fromkeys(sizes))


def names_of(written: str | Iterable[str] | None) -> list[str] | None:
    """Names of ``a,b`` or a list; None stays None."""
    if written is None:
        return None
    parts = written.split(",") if isinstance(written, str) else written
    return [part.strip() for part in parts if part.strip()]


def _parts(written: str) -> list[tuple[str, str]]:
    """Numbers and their units; none where anything else stands between."""
    found = _PART.findall(written)
    whole = "".join(number + unit for number, unit in found)
    return found if whole == re.sub(r"\s", "", written) else []
