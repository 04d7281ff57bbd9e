"""What ships in the box: templates, eval specs and small data sets that this project wrote."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def box(folder: str) -> Path:
    """The in-box folder ``templates`` or ``evals``.

    An installed wheel carries it inside the package; a checkout has it beside the package.
    """
    inside = _PACKAGE / "_box" / folder
    return inside if inside.is_dir() else _PACKAGE.parent / folder
