"""Names that may appear in YAML, and the classes they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import Parameter, signature
from operator import attrgetter
from typing import Any, Generic, TypeVar

from promptkit.errors import MissingExtra, PromptkitError, SpecError, nearest
from promptkit.plugins import (
    Plugin,
    check_class,
    check_instance,
    imported,
    plugins_of,
    the_only,
)

T = TypeVar("T")


class Registry(Generic[T]):
    """A table of names to ``module:Class``, imported only when asked for.

    Args:
        kind: What the table holds, in the singular; used in messages, and as the entry-point
            group ``promptkit.<kind>`` through which other packages register.
        targets: Built-in names, each with its ``module:Class``.
        seam: The Protocol that its classes stand behind; plugins are held to it.
        handed: Options that promptkit sets by itself, which a plugin has to take.
    """

    def __init__(
        self,
        kind: str,
        targets: Mapping[str, str],
        seam: type | None = None,
        handed: tuple[str, ...] = (),
    ) -> None:
        self.kind, self.seam, self.handed = kind, seam, handed
        self._targets = dict(targets)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._targets, *(one.name for one in plugins_of(self.kind))]))

    def __contains__(self, name: object) -> bool:
        return name in self._targets or any(one.name == name for one in plugins_of(self.kind))

    @property
    def built_in(self) -> tuple[str, ...]:
        """The names that promptkit brings itself."""
        return tuple(self._targets)

    def plugin(self, name: str) -> Plugin | None:
        """The plugin of that name; None where it is a built-in one, or none at all.

        Raises:
            SpecError: Two packages call theirs so.
        """
        if name in self._targets:
            return None
        found = [one for one in plugins_of(self.kind) if one.name == name]
        return the_only(found) if found else None

    def package(self, name: str) -> dict[str, str]:
        """Package and version of a plugin; empty for a built-in name, or none at all."""
        found = self.plugin(name)
        return {found.package: found.version} if found is not None and found.package else {}

    def shadowed(self, name: str) -> list[Plugin]:
        """Plugins that are called as a built-in name is, and are therefore not used."""
        return [one for one in plugins_of(self.kind) if one.name == name in self._targets]

    def problems(self) -> Iterator[tuple[Plugin, str]]:
        """Every plugin and what is wrong with it, in one line; empty where nothing is.

        This imports them all.
        """
        for plugin in plugins_of(self.kind):
            problem = ""
            if plugin.name in self._targets:
                problem = (
                    f"{plugin.told}: promptkit has one of that name, which is used in its place; "
                    f"its author should rename it"
                )
            else:
                try:
                    self.load(plugin.name)
                except PromptkitError as error:
                    problem = str(error)
            yield plugin, problem

    def load(self, name: str) -> type[T]:
        """Import the class registered as ``name``.

        Raises:
            SpecError: No such name (the message offers the nearest one), or a plugin that is
                broken (the message names its package).
            MissingExtra: The module needs a package that is not installed.
        """
        target = self._targets.get(name)
        if target is None:
            plugin = self.plugin(name)
            if plugin is None:
                raise SpecError(f"no {self.kind} named {name!r}; {nearest(name, self)}")
            return check_class(plugin, imported(plugin), self.seam, self.handed)
        module, _, attribute = target.partition(":")
        try:
            loaded: type[T] = attrgetter(attribute)(import_module(module))
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "promptkit":
                raise
            package = error.name.partition(".")[0]
            raise MissingExtra(
                f"{self.kind} {name!r} needs {package}: pip install '{package}'"
            ) from error
        return loaded

    def build(self, name: str, options: Mapping[str, Any]) -> T:
        """Construct ``name`` from its options.

        Raises:
            SpecError: An option that its ``__init__`` does not take (names the nearest one), or one
                that it cannot do without; or a broken plugin.
        """
        cls = self.load(name)
        allowed = parameters_of(cls)
        for option in options:
            if option not in allowed:
                raise SpecError(
                    f"{self.kind} {name!r} has no option {option!r}; {nearest(option, allowed)}"
                )
        for option, parameter in allowed.items():
            named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if named and parameter.default is parameter.empty and option not in options:
                raise SpecError(f"{self.kind} {name!r} needs the option {option!r}")
        built = cls(**options)
        plugin = self.plugin(name)
        if plugin is not None:
            check_instance(plugin, built, self.seam)
        return built


def parameters_of(cls: type) -> dict[str, Parameter]:
    """What a class is built from; with ``**options``, also what its base is built from."""
    found = dict(signature(cls).parameters)
    passed_on = [name for name, one in found.items() if one.kind is one.VAR_KEYWORD]
    if passed_on and cls.__base__ not in (None, object):
        del found[passed_on[0]]
        found = parameters_of(cls.__base__) | found
    return found
