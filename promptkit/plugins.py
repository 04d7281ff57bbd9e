"""Parts that other installed packages bring, found by their entry points and checked before use.

A package declares ``[project.entry-points."promptkit.selector"]`` with ``name = "module:Class"``.
Nothing of it is imported before somebody asks for the name; what is wrong with it then is one line
that names the package, so that its author is asked and not ours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from importlib.util import find_spec
from inspect import Signature, isclass, signature
from operator import attrgetter
from typing import Any

from promptkit.errors import MissingExtra, PromptkitError, SpecError

#: What a package is called whose entry point does not say where it stands.
UNNAMED = "an unnamed package"


@dataclass(frozen=True)
class Plugin:
    """A part of another package.

    Args:
        kind: What it is, in the singular; the group of its entry point is ``promptkit.<kind>``.
        name: What a user calls it.
        module: Where it stands.
        attribute: What it is called there; a dot for each class that it stands in.
        package: Name of the package; empty where the entry point does not say.
        version: Its version.
    """

    kind: str
    name: str
    module: str
    attribute: str
    package: str
    version: str

    @property
    def origin(self) -> str:
        """The package and its version."""
        return f"package {self.package} {self.version}" if self.package else UNNAMED

    @property
    def told(self) -> str:
        """What it is and where it comes from, as messages begin."""
        return f"{self.kind} {self.name!r} of {self.origin}"

    @property
    def remedy(self) -> str:
        """What a user can do about a broken one."""
        if not self.package:
            return "tell its author"
        return f"tell its author, or leave it out: pip uninstall {self.package}"


def plugins_of(kind: str) -> list[Plugin]:
    """The parts of a kind that installed packages bring, by name; nothing is imported."""
    points = _points(entry_points, tuple(sys.path)).select(group=f"promptkit.{kind}")
    found = {_plugin(kind, point): None for point in points}
    return sorted(found, key=lambda one: (one.name, one.package))


def the_only(plugins: Sequence[Plugin]) -> Plugin:
    """The one that is called so.

    Raises:
        SpecError: Two packages call theirs by the same name.
    """
    first, *others = plugins
    if others:
        origins = " and ".join(one.origin for one in plugins)
        raise SpecError(
            f"{first.kind} {first.name!r}: {origins} both bring one of that name; "
            f"uninstall one: pip uninstall {others[-1].package or 'PACKAGE'}"
        )
    return first


def imported(plugin: Plugin) -> Any:
    """What a plugin's entry point names.

    Raises:
        MissingExtra: A package that it needs is absent.
        SpecError: It cannot be imported, or its module lacks what it names.
    """
    try:
        module = import_module(plugin.module)
    except ModuleNotFoundError as error:
        # promptkit_theirs is another package than promptkit, and may well be absent
        own = plugin.module.partition(".")[0]
        top = (error.name or own).partition(".")[0]
        if top == "promptkit" or (top == own and find_spec(own) is not None):
            raise _broken(plugin, f"{type(error).__name__}: {error}") from error
        raise MissingExtra(f"{plugin.told} needs {top}: pip install '{top}'") from error
    except PromptkitError:
        raise
    except Exception as error:
        # whatever another package does at its import, the line must name that package
        raise _broken(plugin, f"{type(error).__name__}: {error}") from error
    try:
        return attrgetter(plugin.attribute)(module)
    except AttributeError as error:
        raise SpecError(
            f"{plugin.told}: module {plugin.module} has no {plugin.attribute!r}; {plugin.remedy}"
        ) from error


def check_class(plugin: Plugin, found: Any, seam: type | None, handed: Iterable[str] = ()) -> type:
    """Look whether a plugin is a class that can stand behind its seam.

    Args:
        plugin: The plugin.
        found: What its entry point names.
        seam: The Protocol; its methods must be there and take what promptkit calls them with.
        handed: Options that promptkit sets by itself.

    Raises:
        SpecError: It is no class, lacks a method, or has one that cannot be called so.
    """
    if not isclass(found):
        raise SpecError(f"{plugin.told}: {plugin.attribute} is no class; {plugin.remedy}")
    for name, wanted in _methods(seam):
        own = getattr(found, name, None)
        if not callable(own):
            raise SpecError(
                f"{plugin.told}: {found.__name__} has no method {name!r}; {plugin.remedy}"
            )
        if problem := _misfit(own, wanted):
            raise SpecError(
                f"{plugin.told}: {found.__name__}.{name} must be callable as "
                f"{name}{_shown(wanted)} ({problem}); {plugin.remedy}"
            )
    taken = signature(found).parameters
    for option in handed:
        if option not in taken and not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
            raise SpecError(
                f"{plugin.told}: {found.__name__} takes no {option!r}, which each {plugin.kind} is "
                f"given; {plugin.remedy}"
            )
    return found


def check_instance(plugin: Plugin, built: object, seam: type | None) -> None:
    """Look whether a built plugin has the attributes of its seam.

    Raises:
        SpecError: It lacks one.
    """
    for name in _attributes(seam):
        if not hasattr(built, name):
            raise SpecError(
                f"{plugin.told}: {type(built).__name__} has no attribute {name!r}; {plugin.remedy}"
            )


@lru_cache(maxsize=4)
def _points(find: Callable[[], EntryPoints], path: tuple[str, ...]) -> EntryPoints:
    """All entry points of a path; reading them takes milliseconds, and names are asked for often.

    What is installed while a process runs is found by the next one.
    """
    return find()


def _plugin(kind: str, point: EntryPoint) -> Plugin:
    dist = point.dist
    package, version = (dist.name, dist.version) if dist is not None else ("", "")
    # the value itself may end in extras: "module:Class [gpu]"
    return Plugin(kind, point.name, point.module, point.attr, package, version)


def _broken(plugin: Plugin, why: str) -> SpecError:
    line = " ".join(why.split())
    return SpecError(
        f"{plugin.told}: module {plugin.module} cannot be imported ({line}); {plugin.remedy}"
    )


def _methods(seam: type | None) -> Iterable[tuple[str, Signature]]:
    for name, one in vars(seam or object).items():
        if callable(one) and not name.startswith("_"):
            yield name, signature(one)


def _attributes(seam: type | None) -> list[str]:
    """Attributes and properties of a Protocol."""
    if seam is None:
        return []
    said = getattr(seam, "__annotations__", {})
    return [*said, *(name for name, one in vars(seam).items() if isinstance(one, property))]


def _misfit(own: Any, wanted: Signature) -> str:
    """Why a method cannot be called as the Protocol's is; empty where it can."""
    try:
        taken = signature(own)
    except (TypeError, ValueError):
        return ""  # of compiled code nothing can be told
    parameters = list(wanted.parameters.values())
    needed = [one for one in parameters if one.default is one.empty]
    for asked in (needed, parameters):
        try:
            taken.bind(*asked)
        except TypeError as error:
            return str(error)
    return ""


def _shown(wanted: Signature) -> str:
    """A Protocol's parameters by name, ``self`` left out.

    >>> def learn(self, log_p, golds=None): ...
    >>> _shown(signature(learn))
    '(log_p, golds)'
    """
    names = [one.name for one in list(wanted.parameters.values())[1:]]
    return f"({', '.join(names)})"
