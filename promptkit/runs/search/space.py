"""Which ways of prompting a search chooses among, the simplest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from promptkit.calibration import CALIBRATORS
from promptkit.data import match_label
from promptkit.errors import CapabilityError, SpecError
from promptkit.prompts import Template, find_template
from promptkit.prompts.library import template_paths
from promptkit.protocols import Calibrator
from promptkit.runs.parts import selector_for
from promptkit.runs.search.nouns import Configuration, Part
from promptkit.runs.search.spec import SearchSpec
from promptkit.types import Scalar, Task
from promptkit.verbalizers import VERBALIZERS

WORDS, NONE = Part("words"), Part("none")
#: Numbers of demonstrations; fewer of them where many templates are tried.
MORE, FEW = (0, 4, 16), (0, 8)
#: Rows that choose anything at least, whatever the rule.
LEAST_ROWS = 20
#: Of the rows that score a configuration, the share that a calibration of labelled rows learns
#: from; see `promptkit.runs.search.bench`.
CROSSED = 5


def templates_for(
    fields: Sequence[str], labels: Sequence[Scalar], serves: Callable[[Template], bool]
) -> list[str]:
    """The in-box templates that fit rows: those of the same kind, fields and labels.

    Where none has the same labels, those that have more; where none has them all, those that
    leave their labels open. Of templates that say the same to a sentence encoder one is enough:
    see `space_of`.

    Args:
        fields: Fields of the rows.
        labels: Labels of the rows.
        serves: Whether the model can be asked with a template.
    """
    exact: list[str] = []
    wider: list[str] = []
    open_ones: list[str] = []
    for name in template_paths():
        template = find_template(name)
        if template.task.kind != "classify" or set(template.task.fields) != set(fields):
            continue
        if template.keys.chat or not serves(template):  # a chat has to be asked for
            continue
        own = template.declared
        if not own:
            open_ones.append(name)
        elif all(match_label(label, own) is not None for label in labels):
            (exact if len(own) == len(labels) else wider).append(name)
    return exact or wider or open_ones


def check_template(template: Template, name: str, task: Task) -> Template:
    """A template over the labels of a search.

    Raises:
        SpecError: It is of another kind, or reads other fields, or knows other labels.
    """
    for what in ("kind", "fields"):
        mine, theirs = getattr(template.task, what), getattr(task, what)
        if mine != theirs:
            raise SpecError(
                f"--templates: {name!r} has {what} {_told(mine)}, and {task.name!r} has "
                f"{_told(theirs)}; a search is among templates for the same rows"
            )
    return template.with_labels(task.labels)


def saying_the_same(templates: Sequence[Template], reads: str) -> list[int]:
    """Places of templates that say to this model what an earlier one says; a prompt tells all.

    A sentence encoder reads statements, a text and a temperature, and no instruction.
    """
    if reads != "statements":
        return []
    seen: list[object] = []
    doubles = []
    for place, template in enumerate(templates):
        encoder = template.keys.encoder
        told = (template.statements(), encoder and encoder.model_dump())
        if template.statements() and told in seen:
            doubles.append(place)
        seen.append(told)
    return doubles


def space_of(
    asked: SearchSpec, names: Sequence[str], templates: Sequence[Template], reads: str, rows: int
) -> tuple[list[Configuration], list[str]]:
    """All configurations, the simplest first, and what was left out of the usual ones.

    Args:
        asked: What the user asked for.
        names: Templates as they were given.
        templates: They.
        reads: What the model reads: ``text`` or ``statements``.
        rows: Rows that score a configuration at first: some calibrations need more.

    Raises:
        PromptkitError: A part that does not exist, or that this model cannot have.
    """
    usual = FEW if len(names) > 2 else MORE
    shots = sorted(asked.shots if asked.shots is not None else usual)
    selectors = asked.selectors or [Part("balanced"), Part("nearest")]
    verbalizers = asked.verbalizers or _usual_verbalizers(templates, reads)
    calibrations = asked.calibrations or [NONE, Part("batch")]
    notes = []
    _check_parts(asked, shots, selectors, verbalizers)
    kept = []
    for calibration in calibrations:
        least = _least_rows(calibrator_of(calibration))
        if least <= rows:
            kept.append(calibration)
        elif asked.calibrations:
            raise SpecError(
                f"--calibrations: {calibration.name!r} needs {least} rows, and a configuration is "
                f"first tried on {rows}; give more rows, or leave it out"
            )
        else:
            notes.append(f"calibration {calibration.name!r} is left out: it needs {least} rows")
    ways = [
        (n, mended, said, name, selector if n else None)
        for n, mended, said, name, selector in product(shots, kept, verbalizers, names, selectors)
    ]
    return [
        Configuration(place, name, n, selector, said, mended)
        for place, (n, mended, said, name, selector) in enumerate(_distinct(ways))
    ], notes


def calibrator_of(part: Part) -> Calibrator:
    """The calibrator that a part names."""
    return CALIBRATORS.build(part.name, part.options)


def _least_rows(calibrator: Calibrator) -> int:
    """Rows that must be there so that enough of them can be learned from."""
    if calibrator.needs == "labelled rows":  # one part of them is left out each time
        return -(-calibrator.least_rows * CROSSED // (CROSSED - 1)) + 1
    return calibrator.least_rows


def _usual_verbalizers(templates: Sequence[Template], reads: str) -> list[Part]:
    """Lengths of answers matter where they differ, and where answers are written at all."""
    lengths = {
        len(word.split())
        for template in templates
        for own in (template.keys.labels.values() if template.keys.labels != "open" else ())
        for word in own.words
    }
    if reads == "statements" or len(lengths) == 1:
        return [WORDS]
    return [WORDS, Part("words", {"normalize": "tokens"})]


def _check_parts(
    asked: SearchSpec, shots: Sequence[int], selectors: Sequence[Part], verbalizers: Sequence[Part]
) -> None:
    for part in selectors:
        if part.name == "none":
            raise SpecError("--selectors none: prompts without demonstrations are --shots 0")
        one = asked.as_eval(selector=part.name, selector_options=dict(part.options))
        for n in shots:
            selector_for(one, n, True)
    for part in verbalizers:
        VERBALIZERS.build(part.name, part.options)


def _distinct(ways: Sequence[tuple[object, ...]]) -> list[tuple]:  # type: ignore[type-arg]
    kept: list[tuple] = []  # type: ignore[type-arg]
    for way in ways:
        if way not in kept:
            kept.append(way)
    return kept


def serves_with(asked: SearchSpec) -> Callable[[Template], bool]:
    """Whether the model can be asked with a template, told without loading it."""
    from promptkit.runs.models import backend_for_spec

    def serves(template: Template) -> bool:
        try:
            backend_for_spec(asked.as_eval(template=template.name), template)
        except CapabilityError:
            return False
        return True

    return serves


def _told(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
