"""Templates of other tools, written down as template files and shown."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from promptkit.errors import PromptkitError, SpecError, StoreError, nearest

if TYPE_CHECKING:
    from rich.table import Table

    from promptkit.prompts.importing import Imported, Tool

TOOLS = ("auto", "promptsource", "lm-eval")
#: Labels that a table names; of more it says how many.
SHOWN = 4


def import_files(
    files: Sequence[Path],
    output: Path,
    tool: str,
    only: Sequence[str],
    *,
    truncate: bool,
    force: bool,
) -> list[Imported]:
    """Import files and write what they hold; what could not be imported says why.

    Raises:
        SpecError: A file of neither tool, or a name that none has.
        StoreError: A file that is there already.
    """
    from promptkit.runs.files import translated

    if tool not in TOOLS:
        raise SpecError(f"--from {tool}: {nearest(tool, TOOLS)}")
    found = _read(files, cast("Tool", tool), truncate)
    if only:
        names = [one.name for one in found]
        for name in only:
            if name not in names:
                raise SpecError(f"--name {name}: no such template; {nearest(name, names)}")
        found = [one for one in found if one.name in only]
    found = _named_apart(found)
    for one in found:
        path = output / f"{one.name}.yaml"
        if one.template is not None and path.exists() and not force:
            raise StoreError(f"{path}: is there already; say --force, or another --output")
    with translated(output):
        output.mkdir(parents=True, exist_ok=True)
        for one in found:
            if one.template is not None:
                (output / f"{one.name}.yaml").write_text(one.text, encoding="utf-8")
                _bring(one.files, output, force)
    return found


def _read(files: Sequence[Path], tool: Tool, truncate: bool) -> list[Imported]:
    """What files hold; one that cannot be imported holds up no other."""
    from promptkit.prompts.importing import Imported, import_file

    found: list[Imported] = []
    for file in files:
        try:
            found += import_file(file, tool, truncate=truncate)
        except PromptkitError as error:
            found.append(Imported(file.stem, problem=str(error)))
    return found


def imported_table(found: Sequence[Imported], output: Path) -> Table:
    """What was imported, a line each."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    title = f"imported into {escape(str(output))}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("template", style="bold", overflow="fold", min_width=28)
    table.add_column("kind", no_wrap=True)
    table.add_column("reads", overflow="fold")
    table.add_column("labels", overflow="fold")
    for one in found:
        if one.template is None:
            continue
        keys = one.template.keys
        peer = keys.promptsource or keys.lm_eval
        labels = () if keys.labels == "open" else tuple(keys.labels.values())
        words = ", ".join(said.words[0] for said in labels[:SHOWN])
        words = f"{len(labels)} labels" if len(labels) > SHOWN else words
        words += f" ({peer.label})" if peer is not None and peer.label else ""
        words = words or ("the row's choices" if one.template.choosing else "a text")
        told = (one.name, one.template.task.kind, ", ".join(one.template.task.fields), words)
        table.add_row(*map(escape, told))
        for note in one.notes:
            table.add_row("", "", "", f"[dim]{escape(note)}[/dim]")
    return table


def _named_apart(found: list[Imported]) -> list[Imported]:
    """Templates of several files may have one name: the later ones are numbered."""
    from promptkit.prompts.import_promptsource import unique

    taken: set[str] = set()
    named = []
    for one in found:
        name = unique(one.name, taken)
        text = one.text.replace(f"\nname: {one.name}\n", f"\nname: {name}\n", 1)
        named.append(replace(one, name=name, text=text))
    return named


def _bring(files: Sequence[Path], output: Path, force: bool) -> None:
    """The Python files that a task runs, beside its template."""
    for file in files:
        target = output / file.name
        if target.exists() and target.samefile(file):
            continue
        if target.exists() and not force and target.read_bytes() != file.read_bytes():
            raise StoreError(f"{target}: is there already, and is another file; say --force")
        shutil.copyfile(file, target)
