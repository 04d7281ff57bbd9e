"""``promptkit parts``: what can be named where, what each is for, and which options it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.errors import PromptkitError, SpecError, nearest

if TYPE_CHECKING:
    from promptkit.registry import Registry

HELP = """List the parts that can be chosen by name, those of installed packages among them.

[bold]Examples[/bold]

  promptkit parts

  promptkit parts selector

  promptkit parts selector mmr
"""


#: What promptkit hands to parts itself, so that no user can say it as an option.
HANDED = ("encoder", "labels", "reading", "label_rows", "unit", "template", "backend", "words")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("parts", help=HELP)(command)


def command(
    kind: Annotated[str | None, typer.Argument(help="Such as selector.")] = None,
    name: Annotated[str | None, typer.Argument(help="Of that kind, to see its options.")] = None,
) -> None:
    """List kinds, names or options; the long help is HELP."""
    from promptkit.runs.plugins import REGISTRIES

    by_kind = {registry.kind: registry for registry in REGISTRIES}
    if kind is None:
        _kinds(by_kind)
    elif kind not in by_kind:
        raise SpecError(f"no kind of part named {kind!r}; {nearest(kind, by_kind)}")
    elif name is None:
        _names(by_kind[kind])
    else:
        _options(by_kind[kind], name)


def _kinds(by_kind: dict[str, Registry[Any]]) -> None:
    rows = []
    for kind, registry in by_kind.items():
        shown = [f"{one} ({_origin(registry, one)})" if _origin(registry, one) else one
                 for one in registry]  # fmt: skip
        rows.append((kind, ", ".join(shown)))
    _print(("kind", "names"), rows)


def _names(registry: Registry[Any]) -> None:
    rows = []
    for name in registry:
        try:
            told = _summary(registry.load(name))
        except PromptkitError as error:
            told = str(error)
        rows.append((name, told, _origin(registry, name)))
    if not any(origin for *_, origin in rows):
        _print((registry.kind, "what it does"), [row[:2] for row in rows])
        return
    _print((registry.kind, "what it does", "from"), rows)


def _options(registry: Registry[Any], name: str) -> None:
    from inspect import getdoc

    from promptkit.registry import parameters_of

    cls = registry.load(name)
    typer.echo(getdoc(cls) or f"{cls.__name__} says nothing about itself.")
    rows: list[tuple[str, str]] = [
        (option, "" if one.default is one.empty else repr(one.default))
        for option, one in parameters_of(cls).items()
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and option not in HANDED
    ]
    if rows:
        typer.echo("")
        _print(("option", "default"), rows)


def _origin(registry: Registry[Any], name: str) -> str:
    return " ".join(f"{package} {at}" for package, at in registry.package(name).items())


def _summary(cls: type) -> str:
    """The first sentence of a docstring, in one line."""
    from inspect import getdoc

    return " ".join((getdoc(cls) or "").partition("\n\n")[0].split())


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, style="bold" if place == 0 else "", no_wrap=place == 0)
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)
