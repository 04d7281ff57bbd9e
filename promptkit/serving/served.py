"""What is served: a predictor with its model loaded, and all that is told about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from promptkit.errors import CapabilityError
from promptkit.protocols import Strategy
from promptkit.report.plain import naming
from promptkit.runs.manifest import is_saved, read_manifest
from promptkit.runs.predictor import Predictor, predictor_of
from promptkit.runs.saved_trial import columns_for
from promptkit.runs.spec import EvalSpec
from promptkit.runs.sure import sure_for
from promptkit.serving.answers import Answers
from promptkit.serving.rows import Reader
from promptkit.strategies.calibrated import Calibration
from promptkit.strategies.reading import Reading

#: What stands in rows that are made up, to warm a model and as examples.
SAMPLE = "An example of {}."


@dataclass(frozen=True)
class Served:
    """A model that is ready to answer.

    Args:
        name: What it is called: the folder of a saved model, or a template and its model.
        predictor: Who answers.
        reader: How rows get to it.
        reading: How a strategy that learned from text reads a row.
        answers: How its predictions are told.
        notes: What whoever started the server must know.
    """

    name: str
    predictor: Predictor
    reader: Reader
    reading: Reading
    answers: Answers
    notes: tuple[str, ...] = ()

    @property
    def card(self) -> dict[str, Any]:
        """What it is, for programs."""
        task, sure = self.predictor.template.task, self.answers.sure
        named = {"kind": task.kind, "fields": list(task.fields), "labels": list(task.labels)}
        line = None if sure is None or sure.threshold is None else asdict(sure.threshold)
        rule = None if sure is None or sure.rule is None else sure.rule
        return {
            "model": self.name,
            "hash": self.predictor.key[:16],
            "promptkit": version("promptkit"),
            "strategy": self.predictor.strategy.describe()["name"],
            "template": self.predictor.template.name,
            "task": {**named, "choices": task.choices, "words": task.words},
            "columns": {k: v for k, v in self.reader.columns.items() if k != v},
            "abstains": None if line is None else _finite(line),
            "label_sets": None if rule is None else {"level": rule.level, "method": rule.method},
        }

    @property
    def sample(self) -> dict[str, Any]:
        """A row that it can read, made up of its own fields."""
        task, names = self.predictor.template.task, self.reader.columns
        row: dict[str, Any] = {names[name]: SAMPLE.format(names[name]) for name in task.fields}
        if task.choices:
            row[names[task.choices]] = ["this one", "another one"]
        if task.words:
            row[names[task.words]] = ["An", "example"]
        return row


def load(asked: EvalSpec) -> Served:
    """Load the model, and choose on labelled rows where it may abstain.

    Raises:
        PromptkitError: No model, one that cannot be used, or one whose answers depend on what else
            is asked.
    """
    predictor = predictor_of(asked)
    for part in _parts(predictor.strategy):
        _check_alone(part, asked.model)
    template = predictor.template
    columns = columns_for(
        template, predictor.columns, (), text_field=asked.text_field, fields=asked.fields
    )
    own = template.task.labels
    names = tuple(map(naming(own), own))
    sure, notes = sure_for(asked, predictor, names)
    return Served(
        name=_name(asked),
        predictor=predictor,
        reader=Reader(template, columns),
        reading=_reading(asked, predictor),
        answers=Answers(template, names, sure, predictor.writes),
        notes=notes,
    )


def _name(asked: EvalSpec) -> str:
    model = Path(asked.model).expanduser().resolve().name if _is_folder(asked) else asked.model
    return model if asked.template is None else f"{asked.template} on {model}"


def _is_folder(asked: EvalSpec) -> bool:
    return Path(asked.model).expanduser().is_dir()


def _reading(asked: EvalSpec, predictor: Predictor) -> Reading:
    template = predictor.template
    by_prompt = is_saved(asked.model) and "template" in read_manifest(asked.model)["reading"]
    return Reading(template.task.fields, template if by_prompt else None)


def _parts(strategy: Any) -> Iterator[Strategy]:
    """A strategy and all that it is made of."""
    yield strategy
    members = getattr(strategy, "members", ())
    inner = getattr(strategy, "inner", None)
    own = list(members.values()) if isinstance(members, dict) else list(members)
    for part in [*own, *([] if inner is None else [inner])]:
        if hasattr(part, "predict"):
            yield from _parts(part)


def _check_alone(part: Any, model: str) -> None:
    """Refuse what learns from the rows that are predicted together: on a server these are others'.

    Raises:
        CapabilityError: It does.
    """
    calibration = getattr(part, "calibration", None)
    if isinstance(calibration, Calibration) and getattr(part, "learned_", None) is None:
        raise CapabilityError(
            f"--model {model}: its {calibration.name} calibration learns from the rows that are "
            "predicted together, and on a server these are of different people; tune it with "
            "--option calibration_rows=train, or use promptkit predict"
        )


def _finite(line: dict[str, Any]) -> dict[str, Any]:
    """A threshold in JSON, which has no word for minus infinity: that one answers every row."""
    return {**line, "above": None if line["above"] == float("-inf") else line["above"]}
