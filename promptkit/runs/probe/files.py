"""Probing sets from files: JSONL of spans, CoNLL-U, columns of tags, and minimal pairs.

Every error names the file, the line and what is wrong with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from promptkit.box import box
from promptkit.chance import ranker
from promptkit.errors import DataError, SpecError, nearest
from promptkit.runs.probe.nouns import MinimalPair, ProbingTask, Sentence, Span, Target

#: What the sentences in the box are asked for, by the task's name.
IN_BOX = {"pos": "upos", "dep": "deprel"}
#: What a CoNLL-U file can be asked for.
COLUMNS = ("upos", "xpos", "deprel")
#: Share of the sentences of a single file that is tried and not fitted.
HELD_OUT = 0.25
_TAGGED = (".bio", ".iob", ".iob2", ".conll", ".tags")


def read_task(source: str, column: str = "upos", seed: int = 0) -> ProbingTask:
    """A probing task by its name in the box, or from a file or a folder with train and test files.

    Args:
        source: Such as ``pos``; ``pos.jsonl``, ``en.conllu``, ``ner.bio``; or a folder with
            ``train.*`` and ``test.*``.
        column: What a CoNLL-U file is asked for: ``upos``, ``xpos`` or ``deprel``.
        seed: Which sentences of a single file are held out.

    Raises:
        SpecError: No such task, file or column.
        DataError: A line that cannot be used; names file, line and reason.
    """
    if column not in COLUMNS:
        raise SpecError(f"--column {column!r}: {nearest(column, COLUMNS)}")
    path = Path(source).expanduser()
    if not path.exists():
        if source not in IN_BOX:
            raise SpecError(
                f"--task {source!r}: no such file or folder, and no probing set in the box; "
                f"{nearest(source, IN_BOX)}"
            )
        file = box("evals") / "probing" / "everyday.conllu"
        return replace(_of_file(file, source, IN_BOX[source], seed), origin="in the box")
    name = path.name if path.is_dir() else path.stem
    if path.suffix == ".conllu" or any(path.glob("*.conllu")):
        name = f"{name} ({column})"
    if path.is_file():
        return _of_file(path, name, column, seed)
    files = {one.stem: one for one in sorted(path.iterdir()) if one.suffix in SUFFIXES}
    if {"train", "test"} <= set(files):
        train, test = (tuple(_sentences(files[part], column)) for part in ("train", "test"))
        return _checked(ProbingTask(name, train, test, origin=str(path)))
    pairs = [one for one in files.values() if one.suffix == ".jsonl"]
    if len(pairs) == 1:
        return _of_file(pairs[0], name, column, seed)
    raise SpecError(
        f"{path}: a folder of a probing task holds train and test files ({', '.join(SUFFIXES)}), "
        "or one JSONL file"
    )


def _of_file(path: Path, name: str, column: str, seed: int) -> ProbingTask:
    if path.suffix not in SUFFIXES:
        raise SpecError(f"{path}: a probing set ends in {', '.join(SUFFIXES)}")
    if path.suffix == ".jsonl" and _is_of_pairs(path):
        pairs = tuple(_pair(row, where) for row, where in _json_lines(path))
        if len(pairs) < 2:
            raise DataError(f"{path}: holds no two minimal pairs")
        return ProbingTask(name, pairs=pairs, origin=str(path))
    rows = list(_sentences(path, column))
    rank = ranker(seed, "probing sentences held out")
    # the same words are on one side, however often they come
    order = sorted({row.words for row in rows}, key=lambda words: rank(" ".join(words)))
    held = set(order[: max(1, round(HELD_OUT * len(order)))])
    train = tuple(row for row in rows if row.words not in held)
    test = tuple(row for row in rows if row.words in held)
    return _checked(ProbingTask(name, train, test, origin=str(path)))


def _checked(task: ProbingTask) -> ProbingTask:
    counted = [sum(len(row.targets) for row in part) for part in (task.train, task.test)]
    if not all(counted):
        raise DataError(f"{task.origin}: nothing is labelled on one side ({counted} targets)")
    if len(task.labels) < 2:
        raise DataError(f"{task.origin}: has one label alone, so that there is nothing to tell")
    two = {one.second is None for row in task.train + task.test for one in row.targets}
    if len(two) > 1:
        raise DataError(f"{task.origin}: some targets have two spans and some one; part them")
    return task


def _sentences(path: Path, column: str) -> Iterator[Sentence]:
    return SUFFIXES[path.suffix](path, column)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise DataError(f"{path} line {line}: not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _json_lines(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path} line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{where}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise DataError(f"{where}: not a JSON object")
        yield row, where


def _is_of_pairs(path: Path) -> bool:
    return next((("sentence_good" in row) for row, _ in _json_lines(path)), False)


def _pair(row: dict[str, Any], where: str) -> MinimalPair:
    found = [row.get(key) for key in ("sentence_good", "sentence_bad")]
    for key, value in zip(("sentence_good", "sentence_bad"), found, strict=True):
        if not isinstance(value, str) or not value.strip():
            raise DataError(f"{where}: {key!r} is {value!r}; it must be a sentence")
    if found[0] == found[1]:
        raise DataError(f"{where}: both sentences are the same")
    return MinimalPair(str(found[0]), str(found[1]), str(row.get("paradigm") or "all"))


def _of_jsonl(path: Path, column: str) -> Iterator[Sentence]:
    """``{"tokens": [...], "targets": [{"span1": [a, b], "span2": [c, d], "label": "x"}]}``."""
    for row, where in _json_lines(path):
        words, targets = row.get("tokens"), row.get("targets")
        if not isinstance(words, list) or not words or not all(isinstance(w, str) for w in words):
            raise DataError(f"{where}: 'tokens' must be a list of words")
        empty = next((place for place, word in enumerate(words) if not word.strip()), None)
        if empty is not None:
            raise DataError(f"{where}: word {empty} is empty")
        if not isinstance(targets, list):
            raise DataError(f"{where}: 'targets' must be a list")
        yield Sentence(
            tuple(words),
            tuple(
                _target(one, len(words), f"{where}, target {n}") for n, one in enumerate(targets)
            ),
        )


def _target(one: Any, n: int, where: str) -> Target:
    if not isinstance(one, dict):
        raise DataError(f"{where}: not an object with span1 and label")
    first, second = _span(one.get("span1"), "span1", n, where), None
    if one.get("span2") is not None:
        second = _span(one["span2"], "span2", n, where)
    label = one.get("label")
    if label is None or str(label) == "" or isinstance(label, list | dict):
        raise DataError(f"{where}: 'label' is {label!r}; it must be a word or a number")
    return Target(first, second, str(label))


def _span(given: Any, name: str, n: int, where: str) -> Span:
    whole = isinstance(given, list) and len(given) == 2 and all(type(x) is int for x in given)
    if not whole:
        raise DataError(f"{where}: {name!r} is {given!r}; it must be [first word, last word + 1]")
    start, end = given
    if not 0 <= start < end <= n:
        raise DataError(f"{where}: {name} [{start}, {end}] lies outside of its {n} words")
    return start, end


def _of_conllu(path: Path, column: str) -> Iterator[Sentence]:
    """Universal Dependencies: ten columns parted by tabs, a blank line behind each sentence."""
    rows: list[tuple[str, list[str]]] = []
    for number, line in enumerate([*_lines(path), ""], start=1):
        if not line.strip():
            if rows:
                yield _conllu_sentence(rows, column)
            rows = []
        elif not line.startswith("#"):
            cells = line.split("\t")
            where = f"{path} line {number}"
            if len(cells) != 10:
                raise DataError(f"{where}: {len(cells)} columns; CoNLL-U has ten, parted by tabs")
            # a word that is written as one with another (1-2), or not at all (1.1)
            if cells[0].isdigit():
                rows.append((where, cells))


def _conllu_sentence(rows: Sequence[tuple[str, list[str]]], column: str) -> Sentence:
    targets = []
    for place, (where, cells) in enumerate(rows):
        if int(cells[0]) != place + 1:
            raise DataError(f"{where}: word {cells[0]} stands at place {place + 1}")
        if column != "deprel":
            label = cells[3] if column == "upos" else cells[4]
            if label != "_":
                targets.append(Target((place, place + 1), None, label))
            continue
        if cells[6] in ("_", "0"):
            continue
        if not cells[6].isdigit() or not 1 <= int(cells[6]) <= len(rows):
            raise DataError(f"{where}: head {cells[6]!r} is no word of a sentence of {len(rows)}")
        head = int(cells[6]) - 1
        targets.append(Target((head, head + 1), (place, place + 1), cells[7]))
    return Sentence(tuple(cells[1] for _, cells in rows), tuple(targets))


def _of_columns(path: Path, column: str) -> Iterator[Sentence]:
    """A word and its tag a line, parted by a tab or spaces; a blank line behind each sentence."""
    words: list[str] = []
    tags: list[str] = []
    wide = 0
    for number, line in enumerate([*_lines(path), ""], start=1):
        cells = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or cells[0] == "-DOCSTART-":
            if words:
                told = (Target((at, at + 1), None, tag) for at, tag in enumerate(tags))
                yield Sentence(tuple(words), tuple(told))
            words, tags = [], []
            continue
        wide = wide or len(cells)
        if len(cells) != wide or wide < 2:
            raise DataError(
                f"{path} line {number}: {len(cells)} columns, and the first line has {wide}; a "
                "word comes first, its tag last"
            )
        words.append(cells[0])
        tags.append(cells[-1])


#: How a file is read, by its suffix.
SUFFIXES: dict[str, Callable[[Path, str], Iterator[Sentence]]] = {
    ".jsonl": _of_jsonl,
    ".conllu": _of_conllu,
    **dict.fromkeys(_TAGGED, _of_columns),
}
