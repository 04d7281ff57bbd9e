"""What a source names: a data set in the box, a folder, a file, several, or one on the Hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from promptkit.box import box
from promptkit.data.arrow import read_saved
from promptkit.data.columns import LABEL
from promptkit.data.patterns import is_pattern, matched_files, pattern_name, read_files
from promptkit.data.place import Place, Table
from promptkit.data.readers import can_read, read_file, stem_and_ending
from promptkit.data.text import whole_text
from promptkit.errors import DataError, nearest
from promptkit.types import Scalar

#: Files of a folder that tell of its rows and hold none.
ASIDE = ("card.json", "split.json")
_EVALUATED_FIRST = ("test", "validation", "dev", "val", "valid")


@dataclass(frozen=True)
class Source:
    """A data set that was found, its rows not yet read.

    Args:
        name: What tables call it.
        origin: As the user gave it.
        splits: By name, what reads the split.
        labels: The labels of its card, if it has one that declares any.
        label_field: The column that ``labels`` is about.
        is_file: Whether it is one file, whose only split is called as the file is; or several by
            one pattern.
        split: The split that the source itself names, if it does.
        paths: By split, the files that it is read from; none of the Hub or of what ``datasets``
            saved.
    """

    name: str
    origin: str
    splits: Mapping[str, Callable[[], Table]]
    labels: tuple[Scalar, ...] | None = None
    label_field: str = LABEL
    is_file: bool = False
    split: str | None = None
    paths: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def chosen(self, split: str | None) -> str:
        """The split to evaluate on: the one asked for, or the usual one.

        Raises:
            DataError: There is no such split, or none is the usual one.
        """
        names = list(self.splits)
        if split is not None and self.split is not None and split != self.split:
            raise DataError(
                f"{self.origin}: names the split {self.split!r}, and --split says {split!r}; "
                "say one of them"
            )
        wanted = split if split is not None else self.split
        if wanted is not None:
            if wanted in self.splits:
                return wanted
            what = "it is one file, whose only split is" if self.is_file else "its splits are"
            n = len(next(iter(self.paths.values()), ()))
            if self.is_file and n > 1:
                what = f"it is {n} files, which are the split"
            raise DataError(f"{self.origin}: no split {wanted!r}; {what} {', '.join(names)}")
        usual = [name for name in _EVALUATED_FIRST if name in self.splits]
        usual += names if len(names) == 1 else ["train"] if "train" in names else []
        if not usual:
            raise DataError(f"{self.origin}: say which split with --split: {', '.join(names)}")
        return usual[0]


def find(source: str | Path, *, streaming: bool = False) -> Source:
    """Find what a source names.

    The name of a data set in the box comes first, so that it means the same from every folder;
    write ``./name`` for a folder of that name.

    Args:
        source: As for `promptkit.data.load`.
        streaming: Whether rows of the Hub come as they are walked, where else they are downloaded
            first and kept.

    Raises:
        DataError: There is no such thing, or the folder holds no rows.
    """
    origin = str(source)
    if origin.startswith("hf:"):
        from promptkit.data.hub import hub_source

        return hub_source(origin, streaming=streaming)
    if isinstance(source, str) and origin in in_box_names():
        return _folder(box("evals") / "data" / origin, origin)
    path = Path(source).expanduser()
    if path.is_dir():
        return _saved(path, origin) or _folder(path, origin)
    if path.is_file():
        stem = stem_and_ending(path)[0]
        read = partial(read_file, path, origin)
        return Source(stem, origin, {stem: read}, is_file=True, paths={stem: (path,)})
    if is_pattern(origin):
        paths, name = matched_files(origin), pattern_name(origin)
        read = partial(read_files, origin, paths)
        return Source(name, origin, {name: read}, is_file=True, paths={name: tuple(paths)})
    raise DataError(_not_found(path, origin))


def in_box_names() -> list[str]:
    """The data sets in the box: the folders there that have a card."""
    folder = box("evals") / "data"
    if not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if (each / "card.json").is_file())


def _folder(folder: Path, origin: str) -> Source:
    splits: dict[str, Callable[[], Table]] = {}
    paths: dict[str, tuple[Path, ...]] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name in ASIDE or not can_read(path):
            continue
        stem = stem_and_ending(path)[0]
        if stem in splits:
            raise DataError(
                f"{origin}: {paths[stem][0].name} and {path.name} are both the split {stem!r}; "
                "remove one"
            )
        splits[stem] = partial(read_file, path, str(Path(origin) / path.name))
        paths[stem] = (path,)
    if not splits:
        raise DataError(
            f"{origin}: holds no rows; a folder needs a file per split, "
            "such as train.jsonl and test.jsonl (or csv, tsv, json, parquet)"
        )
    card = _card(folder, origin)
    return Source(
        name=str(card.get("name") or folder.resolve().name),
        origin=origin,
        splits=splits,
        labels=_card_labels(card, origin),
        label_field=str(card.get("label_field") or LABEL),
        paths=paths,
    )


def _saved(folder: Path, origin: str) -> Source | None:
    """What ``datasets`` saved there: a Dataset, a DatasetDict, or nothing of the kind."""
    listing, state = folder / "dataset_dict.json", folder / "state.json"
    name = folder.resolve().name
    splits: dict[str, Callable[[], Table]]
    if listing.is_file():
        names = _json_object(listing, origin).get("splits")
        if not isinstance(names, list) or not names:
            raise DataError(f"{origin}: dataset_dict.json lists no splits; save it again")
        splits = {
            str(split): partial(read_saved, folder / str(split), str(Path(origin) / str(split)))
            for split in names
        }
        return Source(name=name, origin=origin, splits=splits)
    if state.is_file() and (folder / "dataset_info.json").is_file():
        split = str(_json_object(state, origin).get("_split") or name)
        return Source(name=name, origin=origin, splits={split: partial(read_saved, folder, origin)})
    return None


def _card(folder: Path, origin: str) -> dict[str, Any]:
    path = folder / "card.json"
    return _json_object(path, origin) if path.is_file() else {}


def _json_object(path: Path, origin: str) -> dict[str, Any]:
    shown = str(Path(origin) / path.name)
    try:
        content = json.loads(whole_text(path, Place(shown)))
    except json.JSONDecodeError as error:
        raise DataError(f"{shown} line {error.lineno}: broken JSON ({error.msg})") from error
    if not isinstance(content, dict):
        raise DataError(f"{shown}: must hold one JSON object")
    return content


def _card_labels(card: Mapping[str, Any], origin: str) -> tuple[Scalar, ...] | None:
    """The labels of a card: a list, or an object whose keys they are."""
    labels = card.get("labels")
    if not labels:
        return None
    if not isinstance(labels, list | dict) or not all(
        isinstance(label, str | int | float) for label in labels
    ):
        raise DataError(
            f"{Path(origin) / 'card.json'}: 'labels' must be a list of texts, numbers or booleans"
        )
    return tuple(labels)


def _not_found(path: Path, origin: str) -> str:
    if can_read(path) or path.is_absolute() or origin.startswith("."):
        return f"{origin}: no such file or folder; {_beside(path)}"
    on_hub = f"; for the Hub write hf:{origin}" if origin.count("/") == 1 else ""
    return (
        f"{origin}: no such file or folder, and no data set in the box has that name; "
        f"{nearest(origin, in_box_names())}{on_hub}"
    )


def _beside(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    names = sorted(each.name for each in folder.iterdir() if can_read(each))
    return nearest(path.name, names) if names else f"{folder} holds no files of rows"
