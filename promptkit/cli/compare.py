"""``promptkit compare``: labelled rows in, the way of adapting a model that is worth it out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli.eval import write
from promptkit.cli.options import (
    MODEL,
    RESULT,
    ROWS,
    Device,
    Dtype,
    FieldColumns,
    IdField,
    LabelField,
    LabelMap,
    Labels,
    TextField,
    pairs,
    panel,
)
from promptkit.errors import Interrupted, SpecError, nearest

if TYPE_CHECKING:
    from promptkit.runs.compare.comparison import Comparison
    from promptkit.runs.compare.nouns import Plan
    from promptkit.runs.compare.spec import CompareSpec

HELP = """Adapt models in several ways to the same labelled rows, and say which way is worth it.

Every way learns from the same rows and is measured on the same other rows: by cross-validation, \
or on test rows where there are some. The table has intervals, tests and what each way takes; the \
verdict says which one to use, why, and with which command.

[bold]Examples[/bold]

  promptkit compare --data customer_reviews --plan

  promptkit compare --data my.csv --text-field body --label-field topic --budget 30m

  promptkit compare --data train.csv --test-data test.csv --strategies features,lora,full

  promptkit compare --data my.csv --models minilm,./bge-small --sizes 8,32,128,all

  promptkit compare --data my.csv --max-latency-ms 20 --max-memory 2GiB --no-gpu

  promptkit compare --data my.csv --prices currency=EUR,hour=0.4,label=0.1 --output report.html

  promptkit compare --data my.csv --store /shared/cells --worker

What was computed is kept in .promptkit: the same command again goes on where it was stopped, \
and with more strategies it computes only what is new. Several processes, machines or tasks of a \
cluster work on one comparison with [bold]--worker[/bold] and one [bold]--store[/bold]; what is \
killed leaves its cells to the others.
"""

WAYS, LIMITS, WORK = "What is compared", "Limits and prices", "Who computes"

#: Formats by the suffix of ``--output``.
SUFFIXES = {
    ".json": "json", ".csv": "csv", ".md": "markdown", ".txt": "table", ".html": "html",
    ".tex": "latex",
}  # fmt: skip
FORMATS = ("table", "json", "csv", "markdown", "html", "latex")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("compare", help=HELP)(command)


def command(
    data: Annotated[
        str | None,
        panel("CSV, TSV, JSONL, JSON, Parquet, a folder, an in-box name, or hf:owner/name.", ROWS),
    ] = None,
    test_data: Annotated[
        str | None, panel("Held-out rows (default: the data's own, or folds).", ROWS)
    ] = None,
    split: Annotated[str | None, panel("The held-out part (default: test).", ROWS)] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    label_map: LabelMap = None,
    labels: Labels = None,
    limit: Annotated[int | None, panel("Only the first so many labelled rows.", ROWS)] = None,
    template: Annotated[
        str | None,
        panel("How prompts are put (default: by the labels).", WAYS, "--template", "-t"),
    ] = None,
    strategies: Annotated[str | None, panel("Names such as features,lora; or all.", WAYS)] = None,
    models: Annotated[
        str | None, panel("Folders or hub ids, or auto (default: minilm, in the box).", WAYS)
    ] = None,
    sizes: Annotated[
        str | None, panel("Numbers of labelled rows (default: 0,8,32,all).", WAYS)
    ] = None,
    seeds: Annotated[
        int | None, panel("Repeats, or draws of labelled rows (default: 3).", WAYS)
    ] = None,
    folds: Annotated[int | None, panel("Folds of a cross-validation (default: 5).", WAYS)] = None,
    budget: Annotated[str | None, panel("Time it may take: 90s, 30m, 2h.", LIMITS)] = None,
    max_train_minutes: Annotated[
        float | None, panel("Minutes that adapting may take.", LIMITS)
    ] = None,
    max_latency_ms: Annotated[
        float | None, panel("Milliseconds that a prediction may take.", LIMITS)
    ] = None,
    max_memory: Annotated[
        str | None, panel("Memory that it may need: 800MiB, 2GiB.", LIMITS)
    ] = None,
    max_stored: Annotated[
        str | None, panel("What may have to be kept for it: 50MiB.", LIMITS)
    ] = None,
    max_price: Annotated[
        float | None, panel("What 1,000 predictions may cost; needs --prices.", LIMITS)
    ] = None,
    prices: Annotated[
        str | None,
        panel(
            "What things cost: a YAML file, or some of currency=EUR, hour=0.4, kwh=0.3, "
            "label=0.1, million_tokens=2, watts=90.",
            LIMITS,
        ),
    ] = None,
    no_gpu: Annotated[bool, panel("The model will run without a GPU.", LIMITS, "--no-gpu")] = False,
    no_prior: Annotated[
        bool,
        panel(
            "Let these rows alone decide, not what other data sets showed.", LIMITS, "--no-prior"
        ),
    ] = False,
    seed: Annotated[int | None, panel("Seed of every random choice.", MODEL)] = None,
    device: Device = None,
    dtype: Dtype = None,
    plan: Annotated[
        bool, panel("Only say what would be done, and how long it takes.", RESULT, "--plan")
    ] = False,
    explain: Annotated[
        bool, panel("Say of each sentence of the verdict where it comes from.", RESULT, "--explain")
    ] = False,
    worker: Annotated[
        bool,
        panel("Compute cells until others have the rest; no table.", WORK, "--worker"),
    ] = False,
    processes: Annotated[
        int, panel("Processes of this machine side by side (default: 1).", WORK)
    ] = 1,
    store: Annotated[
        str | None,
        panel("Where cells are kept (default: .promptkit, or PROMPTKIT_HOME).", WORK),
    ] = None,
    format: Annotated[str, panel("table, json, csv, markdown, html or latex.", RESULT)] = "table",
    output: Annotated[
        str | None,
        panel("Write a file too, by its suffix: .html is the whole report.", RESULT),
    ] = None,
    plot: Annotated[
        str | None, panel("Draw the learning curves to a .svg, .png or .pdf file.", RESULT)
    ] = None,
    fresh: Annotated[bool, panel("Compute anew what is stored.", RESULT, "--fresh")] = False,
) -> None:
    """Compare; the long help is HELP."""
    from promptkit.report.amounts import bytes_of, names_of, seconds_of, sizes_of

    if data is None:
        raise SpecError("no rows given; say which with --data FILE or --data customer_reviews")
    check_outputs(format, output, plot, plan=plan)
    if processes < 1:
        raise SpecError(f"--processes {processes}: give 1 or more")
    options = {
        "data": data,
        "test_data": test_data,
        "split": split,
        "text_field": text_field,
        "fields": pairs(field, "--field", "premise=sentence1"),
        "label_field": label_field,
        "id_field": id_field,
        "label_map": pairs(label_map, "--label-map", "5=positive"),
        "labels": names_of(labels),
        "limit": limit,
        "template": template,
        "strategies": names_of(strategies),
        "models": names_of(models),
        "sizes": sizes_of(sizes) if sizes is not None else None,
        "seeds": seeds,
        "folds": folds,
        "budget": seconds_of(budget) if budget is not None else None,
        "max_train_minutes": max_train_minutes,
        "max_latency_ms": max_latency_ms,
        "max_memory": bytes_of(max_memory) if max_memory is not None else None,
        "max_stored": bytes_of(max_stored, "--max-stored") if max_stored is not None else None,
        "max_price": max_price,
        "prices": prices_of(prices) if prices is not None else None,
        "gpu": not no_gpu,
        "prior": not no_prior,
        "seed": seed,
        "device": device,
        "dtype": dtype,
        "fresh": fresh,
    }
    asked = spec_of(options)
    if plan:
        show_plan(planned(asked, store))
    elif worker:
        help_with(asked, store)
    else:
        show(compared(asked, store, processes), format, output, plot, explain=explain)


def spec_of(options: dict[str, Any]) -> CompareSpec:
    """What was asked for; options that were not given are left to their defaults.

    Raises:
        SpecError: A value that cannot be.
    """
    from promptkit.prompts.yamlfile import YamlFile, validate
    from promptkit.runs.compare.spec import CompareSpec

    given = {key: value for key, value in options.items() if value is not None}
    return validate(CompareSpec, YamlFile("command line", given))


def check_outputs(
    format: str, output: str | None, plot: str | None = None, *, plan: bool = False
) -> None:
    """Refuse before the work what could not be written after it.

    Raises:
        SpecError: No such format, no such folder, or a suffix that says nothing.
        MissingExtra: A picture without matplotlib.
    """
    if format not in FORMATS:
        raise SpecError(f"--format {format}: {nearest(format, FORMATS)}")
    if plan and (output or plot or format != "table"):
        raise SpecError(
            "--plan shows a table and computes nothing; leave out --format, --output and --plot"
        )
    if output and not Path(output).absolute().parent.is_dir():
        raise SpecError(f"--output {output}: no such folder {Path(output).parent}")
    if output and Path(output).suffix not in SUFFIXES:
        raise SpecError(f"--output {output}: the name must end in {', '.join(SUFFIXES)}")
    if plot:
        from promptkit.report.picture import check_plot

        check_plot(plot)


def prices_of(text: str) -> dict[str, Any]:
    """Prices from a file, or from ``name=amount`` in a list.

    Raises:
        SpecError: Neither.
    """
    from promptkit.prompts.yamlfile import read_yaml

    if "=" not in text:
        return dict(read_yaml(Path(text)).content)
    return dict(pairs([text], "--prices", "currency=EUR,hour=0.4") or {})


def planned(asked: CompareSpec, store: str | None = None) -> Plan:
    """The plan, after each way was tried on a few rows."""
    from promptkit.report.comparison_live import LiveComparison
    from promptkit.runs.compare.engine import plan_comparison

    try:
        with LiveComparison() as watch:
            return plan_comparison(asked, root=store, watch=watch)
    except KeyboardInterrupt as error:
        raise Interrupted(0, 0, "cells") from error


def compared(asked: CompareSpec, store: str | None = None, processes: int = 1) -> Comparison:
    """The comparison, with a view of it on standard error while it runs."""
    from promptkit.report.comparison_live import LiveComparison
    from promptkit.runs.compare.engine import run_comparison

    try:
        with LiveComparison() as watch:
            return run_comparison(asked, root=store, watch=watch, processes=processes)
    except KeyboardInterrupt as error:
        raise Interrupted(0, 0, "cells") from error


def help_with(asked: CompareSpec, store: str | None) -> None:
    """Compute what nobody else has, and say how much that was."""
    from promptkit.report.comparison_live import LiveComparison
    from promptkit.runs.compare.engine import help_comparison

    if asked.fresh:
        raise SpecError("--worker helps with what is there; leave out --fresh")
    try:
        with LiveComparison() as watch:
            computed, left = help_comparison(asked, root=store, watch=watch)
    except KeyboardInterrupt as error:
        raise Interrupted(0, 0, "cells") from error
    rest = f"; {left:,} are with other workers, or were left out" if left else "; nothing is left"
    typer.echo(f"{computed:,} cells computed{rest}")


def show_plan(plan: Plan) -> None:
    """Print a plan to standard output."""
    from rich.console import Console

    from promptkit.report.plans import plan_table

    Console().print(plan_table(plan))


def show(
    comparison: Comparison,
    format: str,
    output: str | None,
    plot: str | None,
    *,
    explain: bool = False,
) -> None:
    """Print the results, and write the files that were asked for."""
    from rich.console import Console

    from promptkit.report.comparison import comparison_table
    from promptkit.report.comparison_export import comparison_as

    if format == "table":
        Console().print(comparison_table(comparison, explain=explain))
    else:
        sys.stdout.write(comparison_as(comparison, format))
    if output:
        chosen = SUFFIXES[Path(output).suffix]
        write(output, _text(comparison) if chosen == "table" else comparison_as(comparison, chosen))
    if plot:
        from promptkit.report.comparison_plot import plot_comparison

        plot_comparison(comparison, plot)


def _text(comparison: Comparison) -> str:
    """The table as a file holds it: wide, and without colours."""
    from rich.console import Console

    from promptkit.report.comparison import comparison_table

    console = Console(width=140, force_terminal=False, no_color=True)
    with console.capture() as captured:
        console.print(comparison_table(comparison))
    return "".join(line.rstrip() + "\n" for line in captured.get().splitlines())
