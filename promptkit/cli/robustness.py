"""``promptkit eval --robustness``: one method, asked in many ways."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from promptkit.cli.eval import write
from promptkit.cli.progress import watched
from promptkit.errors import SpecError

if TYPE_CHECKING:
    from promptkit.runs import EvalSpec
    from promptkit.runs.robustness import Robustness

#: Formats by the suffix of ``--output``.
SUFFIXES = {".json": "json", ".csv": "csv", ".md": "markdown"}


def evaluate_robustness(asked: EvalSpec) -> None:
    """Run all ways, print the results, and write the file that was asked for.

    Raises:
        SpecError: Predictions of one run were asked for, or a file whose suffix says nothing.
    """
    from promptkit.runs import Store
    from promptkit.runs.robustness import robustness

    if asked.predictions:
        raise SpecError(
            "--predictions is for one run, and --robustness makes many; run the one that you want "
            "without it"
        )
    if asked.output and asked.format == "table" and Path(asked.output).suffix not in SUFFIXES:
        raise SpecError(f"--output {asked.output}: the name must end in {', '.join(SUFFIXES)}")
    with watched("robustness") as watch:
        found = robustness(asked, None if asked.dry_run else Store(), watch.on_run)
    show(asked, found)


def show(asked: EvalSpec, found: Robustness) -> None:
    """Print the results, and write the file that was asked for."""
    from rich.console import Console

    from promptkit.report.robustness import robustness_table
    from promptkit.report.robustness_export import robustness_as

    if asked.format == "table":
        Console(highlight=False).print(robustness_table(found))
    else:
        sys.stdout.write(robustness_as(found, asked.format))
    if asked.output:
        chosen = SUFFIXES.get(Path(asked.output).suffix, asked.format)
        write(asked.output, robustness_as(found, chosen))
