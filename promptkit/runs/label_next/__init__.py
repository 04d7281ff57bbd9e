"""From an unlabelled file, the rows whose labels are worth most, in order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from promptkit.row_text import text_of
from promptkit.runs.label_next.models import Asked, OnProgress, ask, embedded
from promptkit.runs.label_next.nouns import WAYS, Request, Round, Suggestion, ToLabel
from promptkit.runs.label_next.reading import read_round, round_of
from promptkit.runs.label_next.reasons import reasons
from promptkit.runs.label_next.ways import looked_at, pick, resolved
from promptkit.runs.spec import EvalSpec
from promptkit.types import Cost, Value

__all__ = [
    "WAYS", "Request", "Round", "Suggestion", "ToLabel", "label_next_of", "read_round", "round_of",
    "suggest",
]  # fmt: skip


def label_next_of(
    asked: EvalSpec,
    request: Request,
    labelled: str | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> ToLabel:
    """The rows of a file to label next.

    Args:
        asked: The pool, and how rows are read.
        request: How rows are chosen.
        labelled: A file of rows with labels.
        on_progress: Told how far it is.

    Raises:
        DataError: Rows that cannot be used, or none without a label.
        SpecError: What was asked for does not go together.
        CapabilityError: Rows that do not have one label each.
        BackendError: The model cannot be read.
    """
    return suggest(read_round(asked, labelled), request, on_progress=on_progress)


def suggest(
    round_: Round,
    request: Request,
    called: Callable[[Value | None], str] = str,
    on_progress: OnProgress = lambda done, total: None,
) -> ToLabel:
    """The rows of a round to label next, the most valuable first.

    Args:
        round_: Where the labelling stands.
        request: How rows are chosen.
        called: What a label is called in reasons.
        on_progress: Told how far it is.
    """
    model = ask(round_, request, on_progress)
    by = resolved(request, model)
    found = pick(by, model, round_, request)
    labels = tuple(round_.template.task.labels) if round_.known else ()
    why = ["drawn"] * len(found.places)
    if by == "balanced" and model is not None:
        said = model.pool.argmax(axis=1)
        why = [f"drawn among rows taken for {called(labels[said[one]])}" for one in found.places]
    elif by != "random":
        whole = embedded([*round_.labelled, *round_.pool], round_, request)
        known, vectors = whole[: len(round_.labelled)], whole[len(round_.labelled) :]
        why = reasons(found.places, model, found.members, labels, called, vectors, known)
    notes = [*round_.notes]
    seen = len(looked_at(by, round_, request))
    if seen < len(round_.pool):
        notes.append(f"{seen:,} of {len(round_.pool):,} rows were looked at, drawn by their ids")
    if request.n > len(round_.pool):
        notes.append(f"{request.n:,} rows were asked for, and {len(round_.pool):,} are left")
    return ToLabel(
        data=round_.name,
        rows=tuple(
            _suggestion(round_, model, int(place), said)
            for place, said in zip(found.places, why, strict=True)
        ),
        by=by,
        model="" if model is None else f"{model.name}, {request.model}",
        n_labelled=len(round_.labelled),
        n_pool=len(round_.pool),
        labels=labels,
        columns=round_.columns,
        label_column=round_.label_column,
        notes=tuple(notes),
        cost=sum((one.cost for one in found.members), Cost()) if found.members else
        Cost() if model is None else model.cost,
    )  # fmt: skip


def _suggestion(round_: Round, model: Asked | None, place: int, why: str) -> Suggestion:
    row = round_.pool[place]
    label, probability = None, None
    if model is not None:
        best = int(np.argmax(model.pool[place]))
        label = round_.template.task.labels[best]
        probability = float(model.pool[place][best])
    return Suggestion(row.id, text_of(row), round_.rows[row.id], label, probability, why)
