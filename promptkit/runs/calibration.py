"""The calibration of a run: its calibrator, and the rows that it alone may see, or may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from promptkit.calibration import CALIBRATORS
from promptkit.data import Dataset, apply_labels, load
from promptkit.errors import SpecError
from promptkit.prompts import Template
from promptkit.runs.columns import field_columns, load_options, train_split
from promptkit.runs.spec import EvalSpec
from promptkit.selectors.copies import copy_key
from promptkit.strategies.calibrated import AUTO, EVALUATED, TRAIN, Calibration
from promptkit.types import Example

NONE = "none"


@dataclass(frozen=True)
class OwnRows:
    """Rows of a run for one of its parts alone.

    Args:
        given: Those of a file, see `calibration_rows`; None where there is none.
        evaluated: Those whose labels no calibrator may see, whatever file they stand in too.
        unlabelled: Those that options of a strategy name, see `promptkit.runs.unlabelled`.
    """

    given: Dataset | None = None
    evaluated: tuple[Example, ...] = ()
    unlabelled: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)


#: A file was not named, and nothing is evaluated.
NO_ROWS = OwnRows()


def calibration_for(asked: EvalSpec, own: OwnRows = NO_ROWS) -> Calibration | None:
    """The calibration that was asked for; None where evidence is left as it is.

    Args:
        asked: Its name, options and rows.
        own: Rows that it alone sees, or must not see.

    Raises:
        SpecError: No such calibration, an option that it does not have, or rows that cannot be.
    """
    calibrator = CALIBRATORS.build(asked.calibration, asked.calibration_options)
    if asked.calibration == NONE:
        if asked.calibration_rows != AUTO:
            raise SpecError("--calibration-rows without --calibration: say which, such as batch")
        return None
    if asked.calibration_rows != AUTO and calibrator.needs == "nothing":
        raise SpecError(
            f"--calibration-rows: calibration {asked.calibration!r} learns from no rows; leave it "
            "out"
        )
    barred: Iterable[Example] = own.evaluated if calibrator.needs == "labelled rows" else ()
    return Calibration(
        asked.calibration,
        calibrator,
        dict(asked.calibration_options),
        asked.calibration_rows,
        own.given.examples if own.given is not None else (),
        frozenset(copy_key(row) for row in barred),
    )


def calibration_rows(asked: EvalSpec, template: Template) -> Dataset | None:
    """The rows of the file that ``--calibration-rows`` names; None where it names none.

    Labels are read where the calibrator needs them, and nowhere else.

    Args:
        asked: What the user asked for.
        template: Its labels settled.

    Raises:
        DataError: A file that cannot be read.
    """
    if asked.calibration_rows in (AUTO, TRAIN, EVALUATED):
        return None
    wants = CALIBRATORS.build(asked.calibration, asked.calibration_options).needs
    labelled = wants == "labelled rows"
    source = asked.calibration_rows
    columns = load_options(asked, template, field_columns(asked, template))
    rows = load(source, split=train_split(source), require_labels=labelled, **columns)
    if labelled:
        labels = template.task.labels
        known = template.declared or labels
        return apply_labels(rows, known, asked.label_map, keep=labels)[0]
    return replace(rows, examples=tuple(Example(row.id, row.fields) for row in rows))
