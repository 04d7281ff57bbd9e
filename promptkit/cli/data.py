"""``promptkit data``: what is the matter with rows, and a split of them that can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli.eval import write
from promptkit.cli.options import (
    MODEL,
    RESULT,
    ROWS,
    FieldColumns,
    IdField,
    LabelField,
    LabelMap,
    TextField,
    pairs,
    panel,
)
from promptkit.cli.progress import watched
from promptkit.errors import PromptkitError, SpecError

if TYPE_CHECKING:
    from promptkit.cli.progress import Watch

CHECK = """Say what is the matter with rows, before a number is measured on them.

[bold]Examples[/bold]

  promptkit data check reviews.csv

  promptkit data check my_folder --model minilm --output report.csv

  promptkit data check 'parts/*.jsonl.zst' --text-field body --label-field topic --strict

Looks for copies and near-duplicates within and across splits, one text with several labels, empty
and over-long texts, labels that are rare, missing, in one split alone or written two ways, letters
in a wrong encoding, characters that cannot be seen, HTML remains, texts in another language, and
ids and columns that do not fit. Each finding breaks an evaluation, misleads it, or wants a look.
With [bold]--strict[/bold] the exit status is 1 where something breaks or misleads.
"""
SPLIT = """Split rows into train, validation and test files that share no row and no group.

[bold]Examples[/bold]

  promptkit data split reviews.csv --output reviews

  promptkit data split tickets.jsonl --output tickets --group-field customer

  promptkit data split posts.parquet --output posts --time-field date --fractions 0.7,0.1,0.2

  promptkit data split pool.csv --output small --train 400 --test 200

Labels keep their proportions in every part; [bold]--group-field[/bold] keeps all rows of one
customer or document in one part; [bold]--time-field[/bold] makes the newest rows the test. A row's
part hangs on its id and the seed, and not on the order of the file. The folder is what other
commands read with --data.
"""
PARTS = "Parts"
#: What a report is written as, by the ending of its file.
SUFFIXES = {".json": "json", ".csv": "csv", ".md": "markdown"}

Source = Annotated[
    str,
    typer.Argument(
        help="A file, a pattern ('parts/*.csv'), a folder, an in-box name, or hf:owner/name.",
        show_default=False,
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(help="Look rows over, and split them.", no_args_is_help=True)
    group.command("check", help=CHECK)(check)
    group.command("split", help=SPLIT)(split)
    app.add_typer(group, name="data")


def check(
    source: Source,
    split: Annotated[list[str] | None, panel("Only this split; may be given again.", ROWS)] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    label_map: LabelMap = None,
    limit: Annotated[int | None, panel("Only the first so many rows of each split.", ROWS)] = None,
    model: Annotated[
        str | None, panel("Whose tokens are counted: minilm, a folder or a hub id.", MODEL)
    ] = None,
    max_length: Annotated[
        int | None, panel("Tokens a text may have; words without --model.", MODEL)
    ] = None,
    language: Annotated[
        str | None,
        panel("The language of the texts: en, de; any does not look (default: most rows').", MODEL),
    ] = None,
    near: Annotated[
        str, panel("Jaccard similarity of near-duplicates, 0.5 to 1; none.", RESULT)
    ] = "0.8",
    seed: Annotated[int, panel("Seed of the search for near-duplicates.", RESULT)] = 0,
    strict: Annotated[
        bool, panel("Exit with 1 where something breaks or misleads.", RESULT, "--strict")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="Write a report too: .json, .csv or .md."),
    ] = None,
) -> None:
    """Check; the long help is CHECK."""
    from rich.console import Console

    from promptkit.report.check_view import check_view
    from promptkit.report.checked import check_data

    _check_output(source, output)
    texts = _texts(text_field, field)
    with _watched("checking") as watch:
        found = check_data(
            source,
            split=split,
            text_field=texts,
            label_field=label_field,
            id_field=id_field,
            label_map=pairs(label_map, "--label-map", "5=positive"),
            limit=limit,
            model=model,
            max_length=max_length,
            near=_similarity(near),
            language=language,
            seed=seed,
            on_step=watch.on_part,
        )
    if output is not None:
        write(output, found.to(SUFFIXES[Path(output).suffix]))
    Console(highlight=False).print(check_view(found.inspection, output))
    if strict and not found.ok:
        raise typer.Exit(1)


def split(
    source: Source,
    output: Annotated[str, typer.Option("--output", "-o", help="The folder to write to.")],
    fractions: Annotated[
        str | None,
        panel("Shares of train, validation, test (default: 0.8,0.1,0.1); or train, test.", PARTS),
    ] = None,
    train: Annotated[int | None, panel("Training rows (default: all others).", PARTS)] = None,
    validation: Annotated[int | None, panel("Validation rows.", PARTS)] = None,
    test: Annotated[int | None, panel("Test rows.", PARTS)] = None,
    group_field: Annotated[
        str | None, panel("A column whose rows of one value stay in one part.", PARTS)
    ] = None,
    time_field: Annotated[
        str | None, panel("A column of dates or numbers: the newest rows are the test.", PARTS)
    ] = None,
    keep_duplicates_together: Annotated[
        bool,
        panel("Copies and near-duplicates stay in one part.", PARTS, "--keep-duplicates-together"),
    ] = False,
    near: Annotated[
        float, panel("Jaccard similarity of near-duplicates (default: 0.8).", PARTS)
    ] = 0.8,
    seed: Annotated[int, panel("Another seed, another split (default: 0).", PARTS)] = 0,
    part_of: Annotated[
        str | None, panel("The split to take, where there are several.", ROWS, "--split")
    ] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    force: Annotated[
        bool, panel("Replace what an earlier split wrote there.", RESULT, "--force")
    ] = False,
) -> None:
    """Split; the long help is SPLIT."""
    from rich.console import Console

    from promptkit.data.parting import PartOptions
    from promptkit.data.parting.run import split_source
    from promptkit.report.parted import parted_view

    asked = {"train": train, "validation": validation, "test": test}
    options = PartOptions(
        fractions=_fractions(fractions),
        sizes={part: n for part, n in asked.items() if n is not None},
        seed=seed,
        group_field=group_field,
        time_field=time_field,
        together=keep_duplicates_together,
        near=near,
    )
    with _watched("splitting") as watch:
        made = split_source(
            source,
            output,
            options,
            split=part_of,
            text_fields=_texts(text_field, field),
            label_field=label_field,
            id_field=id_field,
            force=force,
            on_step=watch.on_part,
        )
    Console(highlight=False).print(parted_view(made))
    typer.echo(f"\nwritten: {output} (split.json says how)")


def _texts(text_field: str | None, field: list[str] | None) -> list[str]:
    """The columns of text that were named.

    Raises:
        SpecError: Named in two ways.
    """
    columns = list((pairs(field, "--field", "premise=sentence1") or {}).values())
    if text_field is not None and columns:
        raise SpecError("give --text-field, or --field for each of several; not both")
    return [text_field] if text_field is not None else columns


def _fractions(given: str | None) -> tuple[float, ...] | None:
    if given is None:
        return None
    try:
        return tuple(float(part) for part in given.split(","))
    except ValueError:
        raise SpecError(
            f"--fractions {given}: give the shares of train, validation and test: 0.8,0.1,0.1"
        ) from None


def _similarity(near: str) -> float | None:
    if near == "none":
        return None
    try:
        return float(near)
    except ValueError:
        raise SpecError(f"--near {near!r}: give a similarity from 0.5 to 1, or none") from None


def _check_output(source: str, output: str | None) -> None:
    """Refuse before the work what could not be written after it."""
    if output is None:
        return
    target = Path(output)
    if target.suffix not in SUFFIXES:
        raise SpecError(f"--output {output}: the name must end in {', '.join(SUFFIXES)}")
    if not target.absolute().parent.is_dir():
        raise SpecError(f"--output {output}: no such folder {target.parent}")
    own = Path(source).expanduser()
    if own.exists() and target.exists() and target.samefile(own):
        raise SpecError(f"--output {output}: is the file of rows itself; name another")


@contextmanager
def _watched(name: str) -> Iterator[Watch]:
    """A bar; Ctrl-C is one line, as there is nothing to go on with."""
    with watched(name) as watch:
        try:
            yield watch
        except KeyboardInterrupt:
            raise PromptkitError("interrupted: nothing was written") from None
