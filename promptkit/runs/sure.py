"""How sure a predictor must be to answer, learned from labelled rows that it did not learn from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from promptkit.data import Dataset, apply_labels, columns_of, load
from promptkit.data.ids import canonical
from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.metrics.conformal import Conformal, conformal, draws_of
from promptkit.metrics.rows import positions
from promptkit.metrics.selective import Threshold, abstain_threshold, confidences
from promptkit.runs.acting import check_probabilities
from promptkit.runs.adapt import is_learned
from promptkit.runs.columns import train_split
from promptkit.runs.held_out import MOST_ASKED, drawn
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.manifest import is_saved, read_manifest
from promptkit.runs.predictor import Predictor
from promptkit.runs.saved_trial import columns_for
from promptkit.runs.spec import EvalSpec
from promptkit.runs.wishes import Wishes, wishes_of
from promptkit.types import Prediction, label_key

ABSTAINED, LABEL_SET = "abstained", "label_set"


@dataclass(frozen=True)
class Sure:
    """What is said of an answer beside the answer.

    Args:
        names: What the labels are called.
        threshold: Decides whether a row is answered at all; None where nothing does.
        rule: Decides which labels belong to a row's set; None where none does.
    """

    names: tuple[str, ...]
    threshold: Threshold | None
    rule: Conformal | None

    @property
    def kinds(self) -> dict[str, type]:
        """The added columns, and what their values are."""
        kinds: dict[str, type] = {ABSTAINED: bool} if self.threshold else {}
        return kinds | ({LABEL_SET: tuple} if self.rule else {})

    @property
    def key(self) -> str:
        """Names it: two with one key say the same."""
        told = [one and asdict(one) for one in (self.threshold, self.rule)]
        return hashlib.sha256(canonical([str(told), self.names]).encode()).hexdigest()

    def of(self, prediction: Prediction | None) -> list[Any]:
        """The values of one row; one that has no prediction is not answered and has no set."""
        values: list[Any] = []
        scored = prediction is not None and prediction.label is not None
        if prediction is not None:
            check_probabilities([prediction], "the rows")
        if self.threshold:
            sure = confidences([prediction]) if prediction is not None and scored else None
            values.append(sure is None or not bool(self.threshold.answers(sure)[0]))
        if self.rule:
            log_p = prediction.log_p if prediction is not None and scored else None
            values.append(None if prediction is None or log_p is None else self._set(prediction))
        return values

    def _set(self, prediction: Prediction) -> list[str]:
        assert self.rule is not None
        p = np.exp(np.array([prediction.log_p], np.float64))
        (held,) = self.rule.sets(p, draws_of([prediction.example_id]))
        return [name for name, inside in zip(self.names, held, strict=True) if inside]


def sure_for(
    asked: EvalSpec, predictor: Predictor, names: Sequence[str]
) -> tuple[Sure | None, tuple[str, ...]]:
    """What was asked for, and what a user must know of it; None where nothing was.

    Raises:
        SpecError: Wishes without labelled rows, or such rows without a wish.
        DataError: Rows that the model learned from, too few, or no threshold that does.
        CapabilityError: A model that gives no probabilities; sets of labels that rows do not share.
    """
    wishes = wishes_of(asked)
    if bool(wishes) != (asked.train_data is not None):
        raise SpecError(
            "--abstain and --conformal choose on labelled rows, and --train-data is for these: "
            "give both, or neither"
        )
    if not wishes or asked.train_data is None:
        return None, ()
    need_single_labels(predictor.template, "--abstain or --conformal")
    if wishes.conformal and predictor.template.choosing:
        raise CapabilityError(
            "--conformal: sets are of labels that all rows share, and here each row brings its own "
            "choices; leave it out"
        )
    if predictor.writes:
        raise CapabilityError("a model that writes gives no probabilities; leave --abstain out")
    rows, notes = _rows(asked, predictor)
    predictions = predictor.strategy.predict(rows.examples)
    check_probabilities(predictions, asked.train_data)
    return _chosen(wishes, predictor, rows, predictions, tuple(names)), notes


def _chosen(
    wishes: Wishes,
    predictor: Predictor,
    rows: Dataset,
    predictions: Sequence[Prediction],
    names: tuple[str, ...],
) -> Sure:
    template = predictor.template
    golds = [template.target(row) for row in rows]
    threshold = rule = None
    if wishes.abstain:
        right = [p.label is not None and label_key(p.label) == label_key(gold)
                 for p, gold in zip(predictions, golds, strict=True)]  # fmt: skip
        threshold = abstain_threshold(confidences(predictions), right, *wishes.abstain)
        if threshold.problem:
            wanted, goal = wishes.abstain
            raise DataError(
                f"--abstain '{wanted:g} {goal}': nothing would be answered, as {threshold.problem}"
            )
    if wishes.conformal:
        index, level = positions(template.task.labels), wishes.conformal
        pairs = [(p, gold) for p, gold in zip(predictions, golds, strict=True) if p.log_p]
        rule = conformal(
            np.exp(np.array([p.log_p for p, _ in pairs], np.float64).reshape(len(pairs), -1)),
            np.array([index[label_key(gold)] for _, gold in pairs], np.int64),
            level[0],
            draws_of([p.example_id for p, _ in pairs]),
            level[1],
        )
    return Sure(names, threshold, rule)


def _rows(asked: EvalSpec, predictor: Predictor) -> tuple[Dataset, tuple[str, ...]]:
    """Labelled rows that the model did not learn from."""
    source, template = str(asked.train_data), predictor.template
    split = train_split(source)
    columns = columns_for(
        template,
        predictor.columns,
        columns_of(source, split=split),
        text_field=asked.text_field,
        fields=asked.fields,
    )
    rows = load(
        source,
        split=split,
        fields=template.task.fields,
        columns=columns,
        label_field=asked.label_field,
    )
    if template.task.labels:
        rows, _ = apply_labels(rows, template.task.labels, asked.label_map)
    if is_saved(asked.model):
        meta = read_manifest(asked.model)
        learned = is_learned(str(meta["strategy"]["described"]["name"]))
        if learned and rows.content_hash() == meta["trained_on"]["hash"]:
            raise DataError(
                f"{source}: the model learned from these rows, and is surer of them than of "
                "others; give labelled rows that it has not seen with --train-data"
            )
        told = "must be none that the model learned from, which cannot be seen" if learned else ""
        return rows, (f"--train-data: the rows {told}",) if told else ()
    if len(rows) <= MOST_ASKED:
        return rows, ()
    kept = {row.id for row in drawn(rows.examples, MOST_ASKED)}
    some = rows.taking(place for place, row in enumerate(rows) if row.id in kept)
    return some, (f"{MOST_ASKED:,} of {len(rows):,} rows of {source} are asked about",)
