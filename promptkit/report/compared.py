"""A comparison in Python: one call in, tables and a verdict out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from rich.console import Console, Group, RenderableType

from promptkit.errors import SpecError, StoreError, nearest
from promptkit.prompts.yamlfile import YamlFile, validate
from promptkit.report.amounts import bytes_of, names_of, seconds_of, sizes_of
from promptkit.report.chart import Chart
from promptkit.report.comparison import comparison_table
from promptkit.report.comparison_charts import learning, pareto, reliability
from promptkit.report.comparison_export import as_frame, comparison_as
from promptkit.report.comparison_live import LiveComparison
from promptkit.report.comparison_page import comparison_page
from promptkit.report.comparison_plot import plot_comparison
from promptkit.report.explained import explained_parts
from promptkit.report.plans import plan_table
from promptkit.runs.compare.breakdown import Breakdown
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.engine import run_comparison
from promptkit.runs.compare.nouns import Line, Plan, Size, Verdict
from promptkit.runs.compare.spec import CompareSpec

#: Columns of the table in a notebook, which has no width of its own.
NOTEBOOK_WIDTH = 130


class Compared:
    """What `compare` found.

    ``print`` shows it as ``promptkit compare`` does; so does a notebook.

    Args:
        comparison: The numbers behind it.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    @property
    def table(self) -> RenderableType:
        """Everything, for rich to print."""
        return comparison_table(self.comparison)

    @property
    def recommendation(self) -> Verdict:
        """Which entry to use, and why."""
        return self.comparison.recommendation

    @property
    def lines(self) -> tuple[Line, ...]:
        """A line for each entry and size."""
        return self.comparison.lines

    @property
    def plan(self) -> Plan:
        """What was planned."""
        return self.comparison.plan

    @property
    def plan_table(self) -> RenderableType:
        """The plan, for rich to print."""
        return plan_table(self.comparison.plan)

    def to_frame(self) -> Any:
        """A pandas data frame with a row per entry and size.

        Raises:
            MissingExtra: pandas is not installed.
        """
        return as_frame(self.comparison)

    def plot(self, path: str | Path) -> None:
        """Draw the learning curves into a file that ends in .svg, .png or .pdf.

        Raises:
            MissingExtra: matplotlib is not installed.
            SpecError: Another suffix, or no such folder.
        """
        plot_comparison(self.comparison, path)

    def report(self, path: str | Path) -> None:
        """Write the whole report, one page in HTML that needs nothing else.

        Raises:
            StoreError: The file cannot be written.
        """
        try:
            Path(path).write_text(comparison_page(self.comparison), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from error

    @property
    def explained(self) -> RenderableType:
        """The verdict with where each of its sentences comes from, for rich to print."""
        return Group(*explained_parts(self.comparison))

    @property
    def learning_curves(self) -> Chart | None:
        """Accuracy over labelled rows, as a chart that a notebook shows."""
        return learning(self.comparison)

    def pareto(self, cost: Literal["predict", "adapt"] = "predict") -> Chart | None:
        """Accuracy against the cost of predicting or adapting, as a chart that a notebook shows."""
        return pareto(self.comparison, cost)

    def reliability(self, name: str | None = None) -> Chart | None:
        """How often predictions of a confidence are right, of the recommended way or another.

        Raises:
            SpecError: There is no such way; names the nearest one.
        """
        seen, chosen = Breakdown(self.comparison), self.recommendation.entry
        names = [entry.name for entry in seen.entries]
        wanted = name if name is not None else chosen.name if chosen else ""
        if wanted not in names:
            raise SpecError(f"no way {wanted!r} in this comparison; {nearest(wanted, names)}")
        entry = seen.entries[names.index(wanted)]
        bins = seen.reliability(entry)
        return reliability(self.comparison, entry, bins) if bins else None

    def to(self, format: str) -> str:
        """As text in the format of that name: json, csv, markdown, html or latex.

        Raises:
            SpecError: No such format.
        """
        return comparison_as(self.comparison, format)

    def __rich__(self) -> RenderableType:
        return self.table

    def __str__(self) -> str:
        return self._printed(Console(file=StringIO(), force_terminal=False))

    def __repr__(self) -> str:
        entry = self.recommendation.entry
        chosen = f"recommended {entry.name!r}" if entry else "nothing recommended"
        return f"<Compared {self.plan.data!r}: {len(self.plan.entries)} ways, {chosen}>"

    def _repr_html_(self) -> str:
        console = Console(file=StringIO(), record=True, width=NOTEBOOK_WIDTH)
        console.print(self.table)
        frame = '<pre style="line-height: normal; white-space: pre; overflow-x: auto">{code}</pre>'
        return console.export_html(inline_styles=True, code_format=frame)

    def _printed(self, console: Console) -> str:
        with console.capture() as captured:
            console.print(self.table)
        return captured.get()


def compare(
    data: Any,
    *,
    text_field: str | None = None,
    label_field: str = "label",
    strategies: Sequence[str] | str | None = None,
    models: Sequence[str] | str = ("minilm",),
    sizes: Sequence[Size | str] | str = (0, 8, 32, None),
    seeds: int = 3,
    folds: int = 5,
    budget: float | str | None = None,
    test_data: Any = None,
    max_train_minutes: float | None = None,
    max_latency_ms: float | None = None,
    max_memory: int | str | None = None,
    gpu: bool = True,
    prices: Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: bool = False,
    processes: int = 1,
    root: str | Path | None = None,
    **options: Any,
) -> Compared:
    """Adapt models in several ways to the same labelled rows, and say which way is worth it.

    What was computed is kept in ``.promptkit``, and the same call again answers from there.

    Args:
        data: A path, an in-box name or ``hf:owner/name``; a data frame; or a list of mappings.
        text_field: The column of text; found where there is only one that it can be.
        label_field: The column of labels.
        strategies: Names of ways, or ``all``; by default those that earn their place.
        models: ``minilm``, folders or hub ids.
        sizes: Numbers of labelled rows to learn from; None or ``"all"`` is all of them.
        seeds: Repeats of the cross-validation, or draws of labelled rows with ``test_data``.
        folds: Folds of the cross-validation.
        budget: Seconds that it may take, or a time such as ``"30m"``.
        test_data: Held-out rows; without them the labelled rows are cross-validated.
        max_train_minutes: A recommended way must adapt in so many minutes.
        max_latency_ms: It must predict a row in so many milliseconds.
        max_memory: It must need no more bytes than these, or a size such as ``"2GiB"``.
        gpu: Whether a GPU may be used.
        prices: What things cost, such as ``{"currency": "EUR", "hour": 0.4, "label": 0.1}``; see
            `promptkit.runs.compare.ledger.Prices`.
        seed: Seed of every random choice.
        progress: Whether to show on standard error how far it has come.
        processes: Processes that compute side by side; with more than one, a script that calls this
            must guard its own start with ``if __name__ == "__main__"``.
        root: Where results are kept instead of ``.promptkit``.
        options: Further options of `CompareSpec`, such as ``template``, ``label_map`` or ``prior``.

    Raises:
        SpecError: A wrong option.
        DataError: Rows that cannot be used.
        PromptkitError: Anything else that went wrong on purpose.
    """
    given = {
        "data": data,
        "test_data": test_data,
        "text_field": text_field,
        "label_field": label_field,
        "strategies": names_of(strategies),
        "models": names_of(models),
        "sizes": sizes_of(sizes, "sizes"),
        "seeds": seeds,
        "folds": folds,
        "budget": None if budget is None else seconds_of(budget, "budget"),
        "max_train_minutes": max_train_minutes,
        "max_latency_ms": max_latency_ms,
        "max_memory": None if max_memory is None else bytes_of(max_memory, "max_memory"),
        "gpu": gpu,
        "prices": dict(prices or {}),
        "seed": seed,
    }
    asked = validate(CompareSpec, YamlFile("compare()", given | options))
    with LiveComparison() if progress else nullcontext() as watch:
        return Compared(run_comparison(asked, root=root, watch=watch, processes=processes))
