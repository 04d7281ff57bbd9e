"""``promptkit templates``: which there are, what one says, and whether a file is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promptkit.errors import PromptkitError

group = typer.Typer(help="List, show and check templates.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the group."""
    app.add_typer(group, name="templates")


@group.command("list")
def list_() -> None:
    """Show the templates in the box, and those that installed packages bring."""
    from rich.console import Console
    from rich.table import Table

    from promptkit.prompts import find_template, template_paths
    from promptkit.prompts.library import template_origin

    table = Table(title="templates")
    table.add_column("name", no_wrap=True, style="bold")
    table.add_column("labels")
    table.add_column("fields")
    table.add_column("what it does")
    for name, path in template_paths().items():
        plugin = template_origin(path)
        try:
            template = find_template(name)
        except PromptkitError as error:
            if plugin is None:
                raise
            # one broken file of a package must not hide all others
            table.add_row(name, "", "", f"{plugin.origin}: {error}")
            continue
        labels = ", ".join(map(str, template.declared)) if len(template.declared) < 4 else ""
        labels = labels or (f"{len(template.declared)} labels" if template.declared else "open")
        labels = "the row's choices" if template.choosing else labels
        labels = "a text" if template.writing else labels
        told = template.keys.description
        told += "" if plugin is None else f" ({plugin.origin})"
        table.add_row(name, labels, ", ".join(template.task.fields), told)
    console = Console()
    console.print(table)
    console.print("Show one: promptkit templates show NAME", style="dim")


@group.command()
def show(name: Annotated[str, typer.Argument(help="A name, or a .yaml file.")]) -> None:
    """Print a template's file, after checking it.

    Example: promptkit templates show sentiment_zero_shot > mine.yaml
    """
    from rich.console import Console
    from rich.syntax import Syntax

    from promptkit.prompts import find_template

    template = find_template(name)
    text = Path(template.path).read_text(encoding="utf-8")
    console = Console()
    if console.is_terminal:
        console.print(Syntax(text, "yaml", word_wrap=True, background_color="default"))
    else:
        typer.echo(text, nl=False)


@group.command()
def lint(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or files; all in the box by default.")
    ] = None,
) -> None:
    """Check templates, and exit with 2 when one is wrong.

    Example: promptkit templates lint mine.yaml
    """
    from promptkit.prompts import find_template, template_paths
    from promptkit.prompts.lint import advice

    wrong = 0
    for name in names or list(template_paths()):
        try:
            template = find_template(name)
            remarks = advice(template)
        except PromptkitError as error:
            typer.echo(f"wrong   {error}")
            wrong += 1
            continue
        typer.echo(f"{'right ' if not remarks else 'remark'}  {template.path}")
        for remark in remarks:
            typer.echo(f"        {remark}")
    if wrong:
        raise typer.Exit(2)
