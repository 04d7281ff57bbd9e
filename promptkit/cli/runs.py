"""``promptkit runs``: what has been run in this folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from promptkit.types import RunRecord

group = typer.Typer(help="List, show and compare stored runs.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the group."""
    app.add_typer(group, name="runs")


@group.command("list")
def list_() -> None:
    """Show the runs below .promptkit, the newest first."""
    from rich.console import Console

    from promptkit.report import runs_table
    from promptkit.runs import Store

    store = Store()
    rows = [_row(folder) for folder in store.folders()]
    if not rows:
        typer.echo(f"no runs in {store.root / 'runs'}; start one with: promptkit eval --help")
        return
    Console().print(runs_table(rows))


@group.command()
def show(
    fingerprint: Annotated[str, typer.Argument(help="A run's fingerprint, or its beginning.")],
    format: Annotated[str, typer.Option(help="table, json, csv or markdown.")] = "table",
) -> None:
    """Show a finished run again.

    Example: promptkit runs show 3f2a --format markdown
    """
    from promptkit.errors import SpecError, nearest
    from promptkit.report import as_format, print_tables
    from promptkit.runs.spec import FORMATS

    if format not in FORMATS:
        raise SpecError(f"--format {format}: {nearest(format, FORMATS)}")
    record = _finished(fingerprint)
    if format == "table":
        print_tables([record])
    else:
        sys.stdout.write(as_format([record], format))


@group.command()
def diff(
    first: Annotated[str, typer.Argument(help="A run's fingerprint, or its beginning.")],
    second: Annotated[str, typer.Argument(help="Another run on the same rows.")],
    format: Annotated[str, typer.Option(help="table or json.")] = "table",
    every: Annotated[
        bool, typer.Option("--all", help="Show every row that only one gets right.")
    ] = False,
) -> None:
    """Compare two finished runs row by row: does the difference go beyond chance, and where is it?

    Example: promptkit runs diff 3f2a 91cc
    """
    from rich.console import Console

    from promptkit.errors import SpecError, nearest
    from promptkit.report.diff import diff_json, diff_table
    from promptkit.runs.diff import diff as difference

    if format not in ("table", "json"):
        raise SpecError(f"--format {format}: {nearest(format, ('table', 'json'))}")
    found = difference(_finished(first), _finished(second))
    if format == "json":
        sys.stdout.write(diff_json(found))
    else:
        Console().print(diff_table(found, every=every))


def _finished(fingerprint: str) -> RunRecord:
    """The record of a stored run."""
    from promptkit.errors import StoreError
    from promptkit.runs import Store
    from promptkit.runs.files import read_json
    from promptkit.runs.record import from_json

    folder = Store().find(fingerprint)
    if not (folder / "record.json").is_file():
        raise StoreError(
            f"run {folder.name} was not finished; run its command again, and it goes on where it "
            "stopped"
        )
    return from_json(read_json(folder / "record.json"))


def _row(folder: Any) -> dict[str, Any]:
    from promptkit.runs.files import read_json

    spec = read_json(folder / "spec.json")
    strategy = spec["strategy"]
    done = (folder / "record.json").is_file()
    report = read_json(folder / "record.json")["report"] if done else {}
    scores = {score["metric"]: score["value"] for score in report.get("scores", [])}
    return {
        "fingerprint": folder.name,
        "when": spec.get("started", ""),
        "status": "complete" if done else "partial",
        "template": spec["template"]["name"] if "shots" in strategy else strategy["name"],
        "model": spec["backend"]["model"],
        "data": f"{spec['data']['name']} {spec['data']['split']}",
        "shots": strategy.get("shots"),
        "n": spec["data"]["n"],
        "accuracy": scores.get("accuracy"),
    }
