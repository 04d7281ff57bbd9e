"""Templates by name or by path."""

from __future__ import annotations

from pathlib import Path

from promptkit.box import box
from promptkit.errors import SpecError, nearest
from promptkit.prompts.template import Template


def template_paths() -> dict[str, Path]:
    """The in-box templates by name."""
    return {path.stem: path for path in sorted(box("templates").glob("*.yaml"))}


def find_template(name_or_path: str) -> Template:
    """Read a template: an in-box name, or the path of a YAML file.

    Raises:
        SpecError: Neither; the message offers the nearest name.
    """
    paths = template_paths()
    if name_or_path in paths:
        return Template.read(paths[name_or_path])
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        return Template.read(path)
    raise SpecError(
        f"no template named {name_or_path!r}; {nearest(name_or_path, paths)} "
        "(see 'promptkit templates list', or give the path of a .yaml file)"
    )
