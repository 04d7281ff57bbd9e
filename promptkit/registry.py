"""Names that may appear in YAML, and the classes they stand for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from inspect import Parameter, signature
from operator import attrgetter
from typing import Any, Generic, TypeVar

from promptkit.errors import MissingExtra, SpecError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """A table of names to ``module:Class``, imported only when asked for.

    Args:
        kind: What the table holds, in the singular; used in messages, and as the entry-point
            group ``promptkit.<kind>`` through which other packages register.
        targets: Built-in names, each with its ``module:Class``.
    """

    def __init__(self, kind: str, targets: Mapping[str, str]) -> None:
        self.kind = kind
        self._targets = dict(targets)

    def __iter__(self) -> Iterator[str]:
        plugins = (point.name for point in entry_points(group=f"promptkit.{self.kind}"))
        return iter(dict.fromkeys([*self._targets, *sorted(plugins)]))

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def load(self, name: str) -> type[T]:
        """Import the class registered as ``name``.

        Raises:
            SpecError: No such name (the message offers the nearest one), or a plugin that lacks
                the class that it declares.
            MissingExtra: The module needs a package that is not installed.
        """
        target = self._targets.get(name) or self._plugin(name)
        module, _, attribute = target.partition(":")
        try:
            loaded: type[T] = attrgetter(attribute)(import_module(module))
        except AttributeError as error:
            if name in self._targets or module not in sys.modules:
                raise
            raise SpecError(
                f"{self.kind} {name!r}: module {module} has no {attribute!r}; the package that "
                "registers it is broken"
            ) from error
        except ModuleNotFoundError as error:
            # promptkit_theirs is another package than promptkit, and may well be absent
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
                that it cannot do without.
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
        return cls(**options)

    def _plugin(self, name: str) -> str:
        for point in entry_points(group=f"promptkit.{self.kind}", name=name):
            # the value itself may end in extras: "module:Class [gpu]"
            return f"{point.module}:{point.attr}"
        raise SpecError(f"no {self.kind} named {name!r}; {nearest(name, self)}")


def parameters_of(cls: type) -> dict[str, Parameter]:
    """What a class is built from; with ``**options``, also what its base is built from."""
    found = dict(signature(cls).parameters)
    passed_on = [name for name, one in found.items() if one.kind is one.VAR_KEYWORD]
    if passed_on and cls.__base__ not in (None, object):
        del found[passed_on[0]]
        found = parameters_of(cls.__base__) | found
    return found
