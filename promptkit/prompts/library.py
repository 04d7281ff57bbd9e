"""Templates by name or by path."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from promptkit.box import box
from promptkit.errors import SpecError, nearest
from promptkit.plugins import Plugin, plugins_of
from promptkit.prompts.template import Template

#: Entry points of it name a package's folder of YAML files, as ``shop.templates``.
GROUP = "templates"


def template_paths() -> dict[str, Path]:
    """The templates by name: those in the box, then those of other packages.

    A name of the box means the same everywhere, and of two packages the first one by name counts;
    `hidden_templates` says whose are not reached.
    """
    found = {path.stem: path for path in _in_box()}
    for _, path in _in_packages():
        found.setdefault(path.stem, path)
    return found


def hidden_templates() -> list[tuple[Plugin, Path]]:
    """Templates of packages that are called as another is, and are reached by their path alone."""
    known = template_paths()
    return [(plugin, path) for plugin, path in _in_packages() if known[path.stem] != path]


def template_origin(path: Path) -> Plugin | None:
    """The package that a template came with; None for the box, or a file of the user's."""
    found = [plugin for plugin, own in _in_packages() if own == path]
    return found[0] if found else None


def template_problems() -> list[tuple[Plugin, str]]:
    """Each package that should bring templates, and what is wrong with it; empty where nothing."""
    found = []
    for plugin in plugins_of(GROUP):
        try:
            files = list(folder_of(plugin).glob("*.yaml"))
            wrong = "" if files else f"{plugin.told}: its folder holds no .yaml file"
        except SpecError as error:
            wrong = str(error)
        hidden = [path.stem for one, path in hidden_templates() if one == plugin]
        if hidden:
            wrong = f"{plugin.told}: {', '.join(hidden)} is called as another template is"
        found.append((plugin, wrong))
    return found


def folder_of(plugin: Plugin) -> Path:
    """The folder that an entry point of the group ``promptkit.templates`` names as a package.

    Nothing of the package is imported.

    Raises:
        SpecError: There is no such folder.
    """
    top, *inner = plugin.module.split(".")
    spec = find_spec(top)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place).joinpath(*inner)
        if folder.is_dir():
            return folder
    named = plugin.module.replace(".", "/")
    raise SpecError(f"{plugin.told}: there is no folder {named} in it; {plugin.remedy}")


def _in_box() -> list[Path]:
    return sorted(box("templates").glob("*.yaml"))


def _in_packages() -> list[tuple[Plugin, Path]]:
    """All templates of packages; one without its folder has none, and must not bar the others."""
    found = []
    for plugin in sorted(plugins_of(GROUP), key=lambda one: (one.package, one.name)):
        try:
            found += [(plugin, path) for path in sorted(folder_of(plugin).glob("*.yaml"))]
        except SpecError:
            continue  # `template_problems` tells of it
    return found


def find_template(name_or_path: str) -> Template:
    """Read a template: a name of the box or of a package, or the path of a YAML file.

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
