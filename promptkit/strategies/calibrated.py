"""A calibrator at work: what it asks, which rows it learns from, and what it mends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from promptkit.errors import DataError, SpecError, StoreError
from promptkit.protocols import Calibrator, Learned, MakesTexts
from promptkit.selectors.copies import copy_key
from promptkit.selectors.draw import ranker
from promptkit.types import Evidence, Example, Prediction, Scalar, label_key
from promptkit.verbalizers.conclude import prediction_of

Pooled = NDArray[np.float64] | None
#: (k,) evidence about the labels of each row, or None where there is none.
Ask = Callable[[Sequence[Example]], Sequence[Pooled]]

#: Where rows to learn from are taken from: `auto` is the training rows, and the evaluated rows
#: where those are too few and labels are not needed.
AUTO, TRAIN, EVALUATED = "auto", "train", "evaluated"
#: Rows that are asked about at most, so that a prior costs little; the mean of so many
#: probabilities has a standard error of 0.03 at worst.
MOST_ROWS = 256
#: The same where labels are read.
MOST_LABELLED = 512
FILE = "calibration.safetensors"


@dataclass(frozen=True)
class Calibration:
    """A calibrator, and which rows it learns from.

    Args:
        name: The calibrator's name.
        calibrator: It.
        options: Its options, as given.
        rows: ``auto``, ``train``, ``evaluated``, or what ``given`` is called.
        given: Rows that are neither trained on nor evaluated.
        barred: The texts of rows whose labels it may not see, see `promptkit.selectors.copies`.

    Raises:
        SpecError: Labels are needed and the rows are those to be predicted.
    """

    name: str
    calibrator: Calibrator
    options: Mapping[str, Any]
    rows: str = AUTO
    given: tuple[Example, ...] = ()
    barred: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.rows == EVALUATED and not self.learns_from_evidence:
            why = {
                "nothing": "learns from no rows",
                "unlabelled rows": "has to ask about other texts before the first row is predicted",
                "labelled rows": "reads labels, and those of the evaluated rows are not for it",
            }[self.calibrator.needs]
            raise SpecError(
                f"--calibration-rows evaluated: calibration {self.name!r} {why}; use train, or a "
                "file, or leave it out"
            )

    @property
    def learns_from_evidence(self) -> bool:
        """Whether the evidence of the predicted rows themselves would do."""
        return self.calibrator.needs == "unlabelled rows" and self.calibrator.asks == "rows"

    def chosen(self, train: Sequence[Example]) -> Sequence[Example] | None:
        """The rows to learn from; None where those are that are predicted together.

        Raises:
            DataError: There are none, or too few.
        """
        if self.calibrator.needs == "nothing":
            return ()
        if self.rows == EVALUATED:
            return None
        found = self.given if self.rows not in (AUTO, TRAIN) else train
        labelled = self.calibrator.needs == "labelled rows"
        if labelled:
            found = [
                row for row in found if row.label is not None and copy_key(row) not in self.barred
            ]
        if len(found) < self.calibrator.least_rows:
            if self.rows == AUTO and self.learns_from_evidence:
                return None
            raise DataError(
                f"calibration {self.name!r} learns from {self.calibrator.needs}, "
                f"{self.calibrator.least_rows} or more that are not evaluated, and has "
                f"{len(found)}; give more with "
                f"{'--train-data' if self.rows in (AUTO, TRAIN) else '--calibration-rows'} FILE"
            )
        return drawn(found, MOST_LABELLED if labelled else MOST_ROWS)

    def described(self) -> Mapping[str, Any]:
        """What of this can change a result."""
        more: dict[str, Any] = {"calibration_options": dict(self.options)} if self.options else {}
        if self.rows != AUTO:
            more["calibration_rows"] = self.rows
        return {"calibration": self.name, **more}

    def seen(self, train: Sequence[Example]) -> str:
        """Which rows it learns from, in a word: ``none``, ``train``, ``evaluated``, or a name."""
        if self.calibrator.needs == "nothing":
            return "none"
        if self.chosen(train) is None:
            return EVALUATED
        return TRAIN if self.rows == AUTO else self.rows


def drawn(rows: Sequence[Example], most: int) -> list[Example]:
    """At most so many of the rows, by a hash of their ids: neither order nor seed matters."""
    rank = ranker(0, "calibration")
    return sorted(rows, key=lambda row: rank(row.id))[:most]


def told(calibration: Calibration, train: Sequence[Example]) -> str:
    """Which rows it learns from, for the reader of a table."""
    rows, calibrator = calibration.chosen(train), calibration.calibrator
    named = f"{calibration.name} calibration"
    if calibrator.asks == "channel":
        return f"{named}: each row's text is scored behind every label"
    if rows is None:
        return (
            f"{named} learned from the evaluated rows themselves, their labels unread: a "
            "prediction depends on the rows beside it"
        )
    if calibrator.asks == "premise":
        return f"{named} asked what is answered without any row"
    if calibrator.needs == "nothing":
        return f"{named} asked about texts without content"
    read = "their labels read" if calibrator.needs == "labelled rows" else "their labels unread"
    which = "training rows" if calibration.rows in (AUTO, TRAIN) else f"rows of {calibration.rows}"
    how = "from the words of" if calibrator.asks == "texts" else "from"
    return f"{named} learned {how} {len(rows):,} {which}, {read}"


def learn(
    calibration: Calibration,
    train: Sequence[Example],
    labels: Sequence[Scalar],
    fields: Sequence[str],
    ask: Ask,
    premise: Callable[[], Pooled],
    folder: Path | None,
) -> Learned | None:
    """What the calibrator learns beforehand; None where it learns from the predicted rows.

    It is kept in the folder: a run that goes on does not ask anew.

    Args:
        calibration: What learns.
        train: Training rows; at most these and the given ones are asked about.
        labels: The task's labels.
        fields: The task's text fields.
        ask: (k,) for each row, from the model.
        premise: (k,) for the calibrator's premise, from the model.
        folder: Where to keep it; None keeps it nowhere.
    """
    kept = folder / FILE if folder else None
    if kept is not None and kept.is_file():
        return read_learned(kept)
    rows, calibrator = calibration.chosen(train), calibration.calibrator
    if rows is None:
        return None
    golds: list[int] = []
    if calibrator.asks == "premise":
        asked: Sequence[Pooled] = [premise()]
    elif isinstance(calibrator, MakesTexts):
        asked = ask(calibrator.texts(rows, fields))
    elif calibrator.needs == "nothing":
        asked = []
    else:
        asked = ask(rows)
        places = {label_key(label): place for place, label in enumerate(labels)}
        golds = [places.get(label_key(row.label), -1) for row in rows]
    learned = _learned(calibration, asked, golds, len(labels))
    if kept is not None:
        write_learned(kept, learned)
    return learned


def _learned(
    calibration: Calibration, asked: Sequence[Pooled], golds: Sequence[int], k: int
) -> Learned:
    """From what was answered; what has no evidence, or a gold out of use, is left out."""
    with_label = calibration.calibrator.needs == "labelled rows"
    kept = [
        place
        for place, row in enumerate(asked)
        if is_usable(row) and (not with_label or golds[place] >= 0)
    ]
    if asked and not kept:
        raise DataError(
            f"calibration {calibration.name!r}: the model gives no evidence about any of the "
            f"{len(asked)} texts that it learns from; use --calibration none"
        )
    rows = stacked([asked[place] for place in kept], k)
    right = np.array([golds[place] for place in kept], np.int64) if with_label else None
    return calibration.calibrator.learn(rows, right)


def mended(calibration: Calibration, learned: Learned, pooled: Pooled) -> tuple[float, ...]:
    """(k,) log-probabilities of a row; empty where there is no evidence."""
    if pooled is None or not is_usable(pooled):
        return ()
    return tuple(calibration.calibrator.apply(pooled[None], learned)[0].tolist())


def conclude(
    calibration: Calibration,
    pooled: Sequence[Pooled],
    evidence: Sequence[Evidence],
    labels: Sequence[Scalar],
) -> list[Prediction]:
    """Predictions from what the evidence says was mended.

    Rows whose evidence says nothing of it are one batch, and the calibrator learns from them. A row
    without evidence stays unscored.

    Args:
        calibration: What mends.
        pooled: (k,) a row, unnormalised, or None.
        evidence: What they were made of.
        labels: The task's labels.
    """
    found: list[Pooled] = [np.array(e.calibrated) if e.calibrated else None for e in evidence]
    batch = [
        place
        for place, row in enumerate(pooled)
        if is_usable(row) and not evidence[place].calibrated
    ]
    if batch:
        rows = stacked([pooled[place] for place in batch], len(labels))
        learned = calibration.calibrator.learn(rows)
        for place, row in zip(batch, calibration.calibrator.apply(rows, learned), strict=True):
            found[place] = row
    named = f"{calibration.name} calibration"
    return [
        prediction_of(
            raw if new is None else new, labels, replace(one, kind=f"{one.kind}, {named}")
        )
        for raw, new, one in zip(pooled, found, evidence, strict=True)
    ]


def is_usable(row: Pooled) -> bool:
    """Whether a row says anything: no NaN, no +inf, and not -inf everywhere."""
    return row is not None and not (
        np.isnan(row).any() or (row == np.inf).any() or np.isneginf(row).all()
    )


def stacked(rows: Sequence[Pooled], k: int) -> NDArray[np.float64]:
    """(n, k)."""
    there = [row for row in rows if row is not None]
    return np.stack(there) if there else np.empty((0, k))


def write_learned(file: Path, learned: Learned) -> None:
    """Write the file whole or not at all."""
    beside = file.with_name(f"{file.name}.new")
    try:
        # safetensors writes a file of no arrays too, but refuses views
        save_file({name: np.ascontiguousarray(array) for name, array in learned.items()}, beside)
        beside.replace(file)
    except (OSError, SafetensorError) as error:
        raise StoreError(
            f"{file}: cannot be written ({error}); what is stored so far is kept"
        ) from error


def read_learned(file: Path) -> Learned:
    """What `write_learned` wrote.

    Raises:
        StoreError: The file is missing or broken.
    """
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); save the model again") from error
