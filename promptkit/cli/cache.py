"""``promptkit cache``: the answers of models that are kept for other runs."""

from __future__ import annotations

from typing import Annotated

import typer

from promptkit.errors import SpecError

HELP = """Show and clear the answers of models that are kept for other runs.

[bold]Examples[/bold]

  promptkit cache info

  promptkit cache clear --model Qwen/Qwen3-4B

  promptkit cache clear --older-than 30

Which runs keep answers, and where: promptkit eval --help, --cache and --cache-folder.
"""

group = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich")

Folder = Annotated[
    str | None,
    typer.Option(
        "--cache-folder",
        help="Where they are kept (default: PROMPTKIT_CACHE, or .promptkit/cache).",
        show_default=False,
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the group."""
    app.add_typer(group, name="cache")


@group.command()
def info(cache_folder: Folder = None) -> None:
    """Show where answers are kept, how many of which model, and what they take on disk.

    Example: promptkit cache info
    """
    from rich.console import Console

    from promptkit.report.held import held_table
    from promptkit.runs.caching import responses_in

    kept = responses_in(cache_folder)
    found = kept.held()
    if not found:
        typer.echo(f"no answers in {kept.path}")
        return
    Console().print(held_table(str(kept.path), kept.n_bytes, found))


@group.command()
def clear(
    model: Annotated[
        str | None, typer.Option(help="Those of one model, as info names it.", show_default=False)
    ] = None,
    older_than: Annotated[
        float | None,
        typer.Option(help="Those written so many days ago or earlier.", show_default=False),
    ] = None,
    cache_folder: Folder = None,
) -> None:
    """Remove answers: all of them, those of a model, or old ones.

    Example: promptkit cache clear --model Qwen/Qwen3-4B --older-than 30
    """
    from promptkit.runs.caching import responses_in

    if older_than is not None and not older_than >= 0:
        raise SpecError(f"--older-than {older_than:g}: give a number of days, 0 or more")
    kept = responses_in(cache_folder)
    removed = kept.clear(model, older_than)
    typer.echo(f"{removed:,} answer{'' if removed == 1 else 's'} removed from {kept.path}")
