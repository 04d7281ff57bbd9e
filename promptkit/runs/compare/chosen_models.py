"""``--models auto``: the model that a comparison is of, chosen on its labelled rows beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.backends.weights import IN_BOX
from promptkit.runs.choose import Candidates, choose_among
from promptkit.runs.compare.rows import Rows
from promptkit.runs.compare.spec import CompareSpec
from promptkit.strategies.reading import Reading

AUTO = "auto"


def models_of(asked: CompareSpec, rows: Rows, device: str) -> tuple[list[str], list[str]]:
    """The models to compare with, and what is to be noted.

    ``auto`` stands for one of the others that are named, or of those in the box: the one whose
    layers tell the labelled rows best, as `promptkit choose` says.

    Args:
        asked: What is compared.
        rows: Its rows; held-out ones are not looked at.
        device: Where models run.
    """
    if AUTO not in asked.models:
        return list(asked.models), []
    named: Sequence[str] = [model for model in asked.models if model != AUTO] or list(IN_BOX)
    candidates = Candidates(tuple(named), seed=asked.seed, device=device, dtype=asked.dtype)
    made = choose_among(
        rows.labelled, rows.labels, Reading(rows.template.task.fields), candidates,
        origin=rows.origin,
    )  # fmt: skip
    notes = [f"models=auto: {made.reasons[0]}; the others were "
             f"{', '.join(m for m in named if m != made.chosen.model) or 'none'}"]  # fmt: skip
    if not rows.held:
        notes.append(
            "the model was chosen on rows that are cross-validated afterwards, which flatters all "
            "its figures a little; held-out rows (--test-data) would not"
        )
    return [made.chosen.model], notes
