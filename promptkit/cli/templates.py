"""``promptkit templates``: which there are, what one says, and whether a file is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promptkit.errors import PromptkitError

group = typer.Typer(
    help="List, show and check templates; bring them from other tools, and back.",
    no_args_is_help=True,
)


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


@group.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="templates.yaml of promptsource, tasks of lm-evaluation-harness."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the template files.")
    ] = Path(),
    tool: Annotated[str, typer.Option("--from", help="auto, promptsource or lm-eval.")] = "auto",
    only: Annotated[
        list[str] | None, typer.Option("--name", help="Of several templates only these.")
    ] = None,
    truncate: Annotated[
        bool,
        typer.Option("--truncate", help="Cut values to 2,048 characters, as promptsource does."),
    ] = False,
    trust_code: Annotated[
        bool,
        typer.Option("--trust-code", help="Import tasks that run Python functions of their own."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Make template files of another tool's; their forms are still read by that tool's rules.

    [bold]Examples[/bold]

      promptkit templates import promptsource/templates/ag_news/templates.yaml --output mine

      promptkit templates import lm_eval/tasks/glue/sst2/default.yaml

      promptkit eval -t sst2.yaml --data sst2 --model ./Qwen3-0.6B --profile lm-eval
    """
    from rich.console import Console

    from promptkit.cli.imported import import_files, imported_table
    from promptkit.prompts.trust import allow_code

    if trust_code:
        allow_code()
    done = import_files(files, output, tool, only or [], truncate=truncate, force=force)
    console = Console()
    if any(one.template is not None for one in done):
        console.print(imported_table(done, output))
    wrong = [one for one in done if one.problem]
    for one in wrong:
        typer.echo(f"wrong   {one.name}: {one.problem}", err=True)
    if wrong:
        raise typer.Exit(2)


@group.command()
def export(
    name: Annotated[str, typer.Argument(help="A name, or a .yaml file.")],
    to: Annotated[str, typer.Option("--to", help="promptsource or lm-eval.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; printed by default.")
    ] = None,
) -> None:
    """Write a template as another tool reads it; what that tool cannot say is an error.

    Example: promptkit templates export sentiment_zero_shot --to lm-eval --output sentiment.yaml
    """
    from promptkit.prompts import find_template
    from promptkit.prompts.exporting import export_text
    from promptkit.runs.files import translated

    text, notes = export_text(find_template(name), to)
    for note in notes:
        typer.echo(f"promptkit: {note}", err=True)
    if output is None:
        typer.echo(text, nl=False)
        return
    with translated(output):
        output.write_text(text, encoding="utf-8")
    typer.echo(f"written to {output}", err=True)
