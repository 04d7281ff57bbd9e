"""How many rows each part gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from promptkit.errors import SpecError

PARTS = ("train", "validation", "test")
#: Rows that go into no part.
LEFT_OUT = ""


def target_sizes(
    n: int, fractions: Sequence[float] | None, sizes: Mapping[str, int]
) -> dict[str, int]:
    """Rows of each part, in the order of `PARTS`; what is left over comes first, as "".

    Args:
        n: Rows in all.
        fractions: Shares of train, validation and test, or of train and test, which sum to 1.
        sizes: Rows of some parts instead; train gets the rest unless it is among them.

    Raises:
        SpecError: Shares that are none, or more rows than there are.
    """
    if sizes:
        if fractions is not None:
            raise SpecError("give --fractions, or --train, --validation and --test; not both")
        found = _by_rows(n, sizes)
    else:
        found = _by_shares(n, fractions or (0.8, 0.1, 0.1))
    if sum(size > 0 for part, size in found.items() if part != LEFT_OUT) < 2:
        raise SpecError(f"{n:,} rows make no two parts; give more rows, or other sizes")
    return {part: size for part, size in found.items() if size}


def _by_rows(n: int, sizes: Mapping[str, int]) -> dict[str, int]:
    for part, size in sizes.items():
        if size < 1:
            raise SpecError(f"--{part} {size}: give 1 row or more")
    asked = sum(sizes.values())
    rest = n - asked
    if rest < 0 or ("train" not in sizes and rest == 0):
        told = ", ".join(f"--{part} {size}" for part, size in sizes.items())
        raise SpecError(f"{told}: there are {n:,} rows; ask for fewer")
    found = {part: sizes.get(part, 0) for part in PARTS}
    if "train" in sizes:
        return {LEFT_OUT: rest, **found}
    return {**found, "train": rest}


def _by_shares(n: int, fractions: Sequence[float]) -> dict[str, int]:
    told = ",".join(f"{share:g}" for share in fractions)
    if len(fractions) not in (2, 3) or not all(0 <= share < 1 for share in fractions):
        raise SpecError(f"--fractions {told}: give the shares of train, validation and test")
    if abs(sum(fractions) - 1) > 1e-6:
        raise SpecError(f"--fractions {told}: sum to {sum(fractions):g}; they must sum to 1")
    shares = dict(zip(PARTS if len(fractions) == 3 else ("train", "test"), fractions, strict=True))
    exact = {part: n * shares.get(part, 0.0) for part in PARTS}
    found = {part: int(size + 1e-9) for part, size in exact.items()}
    # what rounding leaves over goes to the parts that lost most by it
    by_loss = sorted(PARTS, key=lambda part: found[part] - exact[part])
    for part in by_loss[: n - sum(found.values())]:
        found[part] += 1
    return found
