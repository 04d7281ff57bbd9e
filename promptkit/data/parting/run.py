"""From a source to a folder of parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from promptkit.data.inspection.gather import Roles, roles_of
from promptkit.data.inspection.nouns import OnStep
from promptkit.data.parting.files import WholeSplit, check_folder, read_split, write_parts
from promptkit.data.parting.part import Parted, PartOptions, part
from promptkit.data.sources import Source, find
from promptkit.errors import DataError, SpecError


def split_source(
    source: str,
    output: str,
    options: PartOptions,
    *,
    split: str | None = None,
    text_fields: Sequence[str] = (),
    label_field: str | None = None,
    id_field: str | None = None,
    force: bool = False,
    on_step: OnStep = lambda what, done, total: None,
) -> Parted:
    """Split a source into the files of a folder.

    Args:
        source: As for `promptkit.load`.
        output: The folder.
        options: How.
        split: The part of the source to take; needed where there are several.
        text_fields: The columns of text, by which copies are told.
        label_field: The column of labels.
        id_field: The column of ids.
        force: Whether what an earlier split wrote there is replaced.
        on_step: Called while it runs.

    Raises:
        DataError: Rows that cannot be read or split.
        SpecError: Options that cannot be, or a folder that is there.
        StoreError: The folder cannot be written.
    """
    target = check_folder(output, force)
    found = find(source)
    chosen = _chosen(found, split)
    roles = _roles(found, chosen, text_fields, label_field, id_field)
    whole = read_split(found, chosen, roles, on_step)
    on_step("parting", 0, len(whole.rows))
    made = part(whole.rows, whole.raw, options, id_field=roles.id, label_field=roles.label)
    on_step("writing", 0, len(whole.rows))
    write_parts(target, whole, made, _told(found, chosen, roles, options, whole, made))
    unlabelled = ("labels are not kept in proportion, as no column of labels was found",)
    own = () if roles.label is not None or options.time_field is not None else unlabelled
    return replace(made, notes=(*roles.notes, *own))


def _chosen(found: Source, split: str | None) -> str:
    if split is None and found.split is None and len(found.splits) > 1:
        names = ", ".join(found.splits)
        raise SpecError(f"{found.origin}: has several splits; say which one with --split: {names}")
    return found.chosen(split)


def _roles(
    found: Source,
    split: str,
    texts: Sequence[str],
    label_field: str | None,
    id_field: str | None,
) -> Roles:
    """The columns; rows need no text to be split, only to be compared."""
    try:
        return roles_of(found, [split], texts=texts, label_field=label_field, id_field=id_field)
    except DataError:
        if texts or label_field is not None:
            raise
    return Roles((), None, id_field or "id")


def _told(
    found: Source,
    split: str,
    roles: Roles,
    options: PartOptions,
    whole: WholeSplit,
    made: Parted,
) -> dict[str, Any]:
    """What can be read later of how the parts came to be."""
    how = "time" if options.time_field else "groups" if made.n_groups else "stratified"
    return {
        "promptkit": version("promptkit"),
        "source": found.origin,
        "split": split,
        "rows": len(whole.rows),
        "rows_sha256": whole.content_hash(),
        "how": how,
        "seed": options.seed,
        "fractions": options.fractions,
        "sizes": dict(options.sizes),
        "wanted": {name or "left_out": n for name, n in made.wanted.items()},
        "left_out": sum(name == "" for name in made.parts),
        "text_fields": list(roles.texts),
        "label_field": roles.label,
        "id_field": roles.id,
        "group_field": options.group_field,
        "time_field": options.time_field,
        "keep_duplicates_together": options.together,
        "near": options.near if options.together else None,
        "groups": made.n_groups or None,
        "spans": {name: list(span) for name, span in made.spans.items()} or None,
        "leaks": [{"kind": one.kind, "rows": one.n, "note": one.note} for one in made.leaks],
    }
