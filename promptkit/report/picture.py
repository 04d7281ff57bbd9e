"""Pictures in files: which there may be, and how one is written."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from promptkit.errors import MissingExtra, SpecError, StoreError

#: Suffixes that a picture may have.
PICTURES = (".svg", ".png", ".pdf")


def check_plot(path: str | Path, name: str = "--plot") -> None:
    """Refuse before the work what could not be drawn after it.

    Raises:
        SpecError: Another suffix, or no such folder.
        MissingExtra: matplotlib is not installed.
    """
    file = Path(path)
    if file.suffix.lower() not in PICTURES:
        raise SpecError(f"{name} {path}: the name must end in {', '.join(PICTURES)}")
    if not file.absolute().parent.is_dir():
        raise SpecError(f"{name} {path}: no such folder {file.parent}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f"{name} needs matplotlib; install it with: pip install 'promptkit[plot]'"
        ) from error


def save_picture(figure: Any, path: str | Path) -> None:
    """Write a figure of matplotlib; the same one gives the same file.

    Raises:
        StoreError: The file cannot be written.
    """
    import matplotlib

    suffix = Path(path).suffix.lower()
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    try:
        with matplotlib.rc_context({"svg.hashsalt": "promptkit"}), warnings.catch_warnings():
            # a character that no font here has is drawn as a box, which says it as well
            warnings.filterwarnings("ignore", message="Glyph")
            figure.savefig(path, dpi=160, metadata=dates.get(suffix, {}), bbox_inches="tight",
                           pad_inches=0.15)  # fmt: skip
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
