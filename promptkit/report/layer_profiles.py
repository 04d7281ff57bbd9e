"""What layers know, in Python: a heat map and the figures behind it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from promptkit.errors import SpecError, nearest
from promptkit.report.picture import check_plot
from promptkit.report.probed import (
    draw_probed,
    print_probed,
    probed_csv,
    probed_html,
    probed_json,
    probed_markdown,
)
from promptkit.runs.probe import Probed, Profile

#: Columns of the table where there is no terminal.
WIDTH = 110
FORMATS = {
    "json": probed_json, "csv": probed_csv, "markdown": probed_markdown, "html": probed_html,
}  # fmt: skip


class LayerProfiles:
    """What `promptkit.probe` found; ``print`` shows it as the command does; so does a notebook.

    Args:
        probed: The numbers behind it.
    """

    def __init__(self, probed: Probed) -> None:
        self.probed = probed

    def __getitem__(self, task: str) -> Profile:
        """The profile of a task by its name.

        Raises:
            KeyError: No such task.
        """
        for one in self.probed.profiles:
            if one.task == task:
                return one
        raise KeyError(task)

    def to(self, format: str) -> str:
        """As text in the format of that name: json, csv, markdown or html.

        Raises:
            SpecError: No such format.
        """
        if format not in FORMATS:
            raise SpecError(f"format {format!r}: {nearest(format, FORMATS)}")
        return FORMATS[format](self.probed)

    def plot(self, path: str | Path) -> None:
        """Draw the heat map into a file that ends in .svg, .png or .pdf.

        Raises:
            MissingExtra: matplotlib is not installed.
            SpecError: Another suffix, or no such folder.
        """
        check_plot(path)
        draw_probed(self.probed, path)

    def __str__(self) -> str:
        text = StringIO()
        print_probed(self.probed, Console(file=text, width=WIDTH, highlight=False))
        return text.getvalue()

    def __repr__(self) -> str:
        tasks = ", ".join(one.task for one in self.probed.profiles)
        return f"<LayerProfiles of {self.probed.model!r}: {tasks}>"

    def _repr_html_(self) -> str:
        console = Console(file=StringIO(), record=True, width=WIDTH, highlight=False)
        print_probed(self.probed, console)
        frame = '<pre style="line-height: normal; white-space: pre; overflow-x: auto">{code}</pre>'
        return console.export_html(inline_styles=True, code_format=frame)
