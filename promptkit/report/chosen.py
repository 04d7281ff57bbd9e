"""A choice of model and layer in Python: tables and a verdict."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from promptkit.errors import SpecError, nearest
from promptkit.report.choice import (
    choice_csv,
    choice_html,
    choice_json,
    choice_markdown,
    draw_choice,
    print_choice,
)
from promptkit.report.picture import check_plot
from promptkit.runs.choose import Choice, View

#: Columns of the table where there is no terminal.
WIDTH = 110
FORMATS = {
    "json": choice_json, "csv": choice_csv, "markdown": choice_markdown, "html": choice_html,
}  # fmt: skip


class Chosen:
    """What `promptkit.choose` found; ``print`` shows it as the command does; so does a notebook.

    Args:
        choice: The numbers behind it.
    """

    def __init__(self, choice: Choice) -> None:
        self.choice = choice

    @property
    def model(self) -> str:
        """The model to use."""
        return self.choice.chosen.model

    @property
    def layer(self) -> int:
        """Its layer, from 0 (the embedding) up."""
        return self.choice.chosen.layer

    @property
    def pooling(self) -> str:
        """How its states become one vector."""
        return self.choice.chosen.pooling

    @property
    def views(self) -> tuple[View, ...]:
        """Every layer and pooling of every model, the most promising first."""
        return self.choice.views

    def to(self, format: str) -> str:
        """As text in the format of that name: json, csv, markdown or html.

        Raises:
            SpecError: No such format.
        """
        if format not in FORMATS:
            raise SpecError(f"format {format!r}: {nearest(format, FORMATS)}")
        return FORMATS[format](self.choice)

    def plot(self, path: str | Path) -> None:
        """Draw accuracy over layers into a file that ends in .svg, .png or .pdf.

        Raises:
            MissingExtra: matplotlib is not installed.
            SpecError: Another suffix, or no such folder.
        """
        check_plot(path)
        draw_choice(self.choice, path)

    def __str__(self) -> str:
        text = StringIO()
        print_choice(self.choice, console=Console(file=text, width=WIDTH, highlight=False))
        return text.getvalue()

    def __repr__(self) -> str:
        return f"<Chosen {self.model!r}, layer {self.layer}, {self.pooling}>"

    def _repr_html_(self) -> str:
        console = Console(file=StringIO(), record=True, width=WIDTH, highlight=False)
        print_choice(self.choice, console=console)
        frame = '<pre style="line-height: normal; white-space: pre; overflow-x: auto">{code}</pre>'
        return console.export_html(inline_styles=True, code_format=frame)
