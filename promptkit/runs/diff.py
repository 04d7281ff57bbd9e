"""Two finished runs, row by row: which rows only one of them gets right."""

from __future__ import annotations

from dataclasses import dataclass, replace

from promptkit.errors import DataError, SpecError
from promptkit.metrics import Paired, compare
from promptkit.metrics.written import exact_match
from promptkit.types import Prediction, RunRecord, Value, label_key


@dataclass(frozen=True)
class DiffRow:
    """A row that one of two runs gets right and the other does not.

    Args:
        example_id: The row.
        gold: Its gold label.
        first: What the first run predicts; None is unscored.
        second: What the second run predicts.
        only: Which of the two is right: 1 or 2.
        text: The row's text.
    """

    example_id: str
    gold: Value
    first: Value | None
    second: Value | None
    only: int
    text: str


@dataclass(frozen=True)
class Diff:
    """Two runs compared on the rows that both have.

    Args:
        first: One run.
        second: The other.
        paired: The difference of their accuracies, its interval and its test.
        accuracies: Of the first and of the second, on the rows that were compared.
        rows: Rows that only one gets right, in the order of the first run.
        both_right: Rows that both get right.
        both_wrong: Rows that neither gets right; ``same_mistake`` of them with the same label.
        same_mistake: See ``both_wrong``.
        notes: Facts that a reader must know.
    """

    first: RunRecord
    second: RunRecord
    paired: Paired
    accuracies: tuple[float, float]
    rows: tuple[DiffRow, ...]
    both_right: int
    both_wrong: int
    same_mistake: int
    notes: tuple[str, ...]


def diff(first: RunRecord, second: RunRecord) -> Diff:
    """Join two runs on row ids; rows whose gold labels differ are left out and counted.

    Raises:
        SpecError: Both are the same run.
        DataError: They share no row, or no labelled row with the same gold label.
    """
    names = [record.spec.fingerprint()[:8] for record in (first, second)]
    if names[0] == names[1]:
        raise SpecError(f"both are run {names[0]}; give two ('promptkit runs list' shows them)")
    here, there = _by_id(first), _by_id(second)
    shared = [name for name in here if name in there]
    if not shared:
        raise DataError(
            f"run {names[0]} ({_data(first)}) and run {names[1]} ({_data(second)}) share no row: "
            "rows are joined by id, so both must be of the same data"
        )
    golds = {name: here[name][0] for name in shared}
    unlike = {name for name in shared if label_key(here[name][0]) != label_key(there[name][0])}
    compared = [name for name in shared if golds[name] is not None and name not in unlike]
    if not compared:
        why = "have another gold label in each" if unlike else "have no gold label"
        raise DataError(f"the {len(shared):,} rows that runs {' and '.join(names)} share {why}")
    one, two = ([_told(*found[name][:2]) for name in compared] for found in (here, there))
    paired = compare({name: golds[name] for name in compared}, one, two)
    rows, both_right, same = [], 0, 0
    for name, a, b in zip(compared, one, two, strict=True):
        right = _is(a, golds[name]), _is(b, golds[name])
        both_right += all(right)
        same += not any(right) and a.label is not None and label_key(a.label) == label_key(b.label)
        if right[0] != right[1]:
            gold, text = golds[name], here[name][2]
            assert gold is not None
            rows.append(DiffRow(name, gold, a.label, b.label, 1 if right[0] else 2, text))
    n = len(compared)
    accuracies = (both_right + paired.only_first) / n, (both_right + paired.only_second) / n
    return Diff(
        first=first,
        second=second,
        paired=paired,
        accuracies=accuracies,
        rows=tuple(rows),
        both_right=both_right,
        both_wrong=n - both_right - len(rows),
        same_mistake=same,
        notes=_notes(here, there, shared, unlike, names),
    )


_Rows = dict[str, tuple[Value | None, Prediction, str]]


def _by_id(record: RunRecord) -> _Rows:
    """Gold label, prediction and text of each row."""
    found = zip(record.golds, record.predictions, record.texts, strict=True)
    return {prediction.example_id: (gold, prediction, text) for gold, prediction, text in found}


def _told(gold: Value | None, prediction: Prediction) -> Prediction:
    """A text that is one of the right ones, in normal form, is the gold itself."""
    if not isinstance(gold, tuple) or prediction.label is None:
        return prediction
    right = exact_match(str(prediction.label), [str(one) for one in gold])
    return replace(prediction, label=gold) if right else prediction


def _is(prediction: Prediction, gold: Value | None) -> bool:
    return prediction.label is not None and label_key(prediction.label) == label_key(gold)


def _data(record: RunRecord) -> str:
    data = record.spec.data
    return f"{data.get('name')} {data.get('split')}, {len(record.predictions):,} rows"


def _notes(
    here: _Rows, there: _Rows, shared: list[str], unlike: set[str], names: list[str]
) -> tuple[str, ...]:
    notes = []
    alone = [len(found) - len(shared) for found in (here, there)]
    for name, n in zip(names, alone, strict=True):
        if n:
            notes.append(f"{_rows(n)} of run {name} alone, left out")
    if unlike:
        notes.append(f"{_rows(len(unlike))} with another gold label in each run, left out")
    unlabelled = sum(here[name][0] is None for name in shared if name not in unlike)
    if unlabelled:
        notes.append(f"{_rows(unlabelled)} without a gold label, left out")
    other = sum(here[name][2] != there[name][2] for name in shared)
    if other:
        notes.append(
            f"{_rows(other)} with the same id and another text in each run: are they the same rows?"
        )
    return tuple(notes)


def _rows(n: int) -> str:
    return f"{n:,} row" + ("" if n == 1 else "s")
