"""One look over a data set, check after check."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from promptkit.data.inspection.characters import characters
from promptkit.data.inspection.classes import classes
from promptkit.data.inspection.copies import (
    COPY_STEP,
    LEAK_STEP,
    Keys,
    contradicting,
    copies,
    keys_of,
)
from promptkit.data.inspection.gather import Gathered, Roles, located
from promptkit.data.inspection.identity import columns, ids
from promptkit.data.inspection.language import CONFIDENCE, check_language, languages
from promptkit.data.inspection.lengths import empty, limit_words, long
from promptkit.data.inspection.near import check_near, near_pairs
from promptkit.data.inspection.nouns import (
    SEVERITIES,
    Finding,
    Inspection,
    OnStep,
    Row,
    Settings,
    Severity,
    Spot,
)
from promptkit.types import Value

_EXTRA = "pip install 'promptkit[check]'"


@dataclass(frozen=True)
class Asked:
    """What is looked over: the rows, how they were read, and what is asked.

    Args:
        name: What tables call the data.
        roles: Which columns were read.
        gathered: The rows and what was met while they were read.
        settings: What is looked for.
    """

    name: str
    roles: Roles
    gathered: Gathered
    settings: Settings


def inspect(asked: Asked, on_step: OnStep = lambda what, done, total: None) -> Inspection:
    """Look rows over.

    Args:
        asked: The rows and what is looked for.
        on_step: Called while it runs.

    Raises:
        SpecError: A threshold or a language that cannot be.
        MissingExtra: A language or a threshold was asked for whose package is not installed.
    """
    began = time.perf_counter()
    rows, settings = asked.gathered.rows, asked.settings
    splits = list(asked.gathered.columns)
    looks, notes = _looks(asked, splits, on_step)
    findings = [*asked.gathered.findings]
    if rows:
        for look in looks:
            findings += look()
    ranked = sorted(findings, key=lambda one: SEVERITIES.index(one.severity))
    return Inspection(
        data=asked.name,
        rows=rows,
        findings=tuple(located(one, rows) for one in ranked),
        counts=_counts(rows, splits),
        text_columns=asked.roles.texts,
        label_column=asked.roles.label,
        notes=(*asked.roles.notes, limit_words(settings), *notes),
        seconds=time.perf_counter() - began,
    )


def _looks(
    asked: Asked, splits: Sequence[str], on_step: OnStep
) -> tuple[list[Callable[[], Iterator[Finding]]], list[str]]:
    """The checks in their order, and what is left out of them."""
    rows, settings, gathered = asked.gathered.rows, asked.settings, asked.gathered
    total = len(rows)

    def told(what: str) -> Callable[[int], None]:
        return lambda done: on_step(what, done, total)

    on_step("folding texts", 0, total)
    keys = keys_of(rows)
    looks: list[Callable[[], Iterator[Finding]]] = [
        partial(empty, rows),
        partial(ids, rows),
        partial(classes, rows, splits, gathered.declared),
        partial(copies, rows, keys),
    ]
    notes: list[str] = []
    if settings.near is None:
        notes.append("not looked for: near-duplicates (--near none)")
    elif find_spec("datasketch") is None:
        notes.append(f"not looked for: near-duplicates ({_EXTRA})")
    else:
        check_near(settings.near)
        looks.append(partial(_near, rows, keys, settings, on_step))
        notes.append(
            f"near-duplicates: Jaccard of character 5-grams from {settings.near:g} on, "
            f"seed {settings.seed}"
        )
    looks += [
        partial(long, rows, settings, told("counting tokens")),
        partial(characters, rows, told("looking at characters")),
    ]
    if settings.language == "any":
        notes.append("not looked at: languages (--language any)")
    elif settings.language is None and find_spec("lingua") is None:
        notes.append(f"not looked at: languages ({_EXTRA})")
    else:
        if settings.language is not None:
            check_language(settings.language)
        looks.append(partial(languages, rows, settings.language, told("telling languages")))
        notes.append(
            f"languages: told from a confidence of {CONFIDENCE:g} on; short texts are not looked at"
        )
    looks.append(partial(columns, gathered.columns, rows))
    return looks, notes


def _near(
    rows: Sequence[Row], keys: Keys, settings: Settings, on_step: OnStep
) -> Iterator[Finding]:
    """Near-duplicates among the first rows of each text: of copies it is told elsewhere."""
    assert settings.near is not None
    first: dict[str, int] = {}
    for place, key in enumerate(keys.bare):
        if key:
            first.setdefault(key, place)
    texts, places = list(first), list(first.values())
    leaks: dict[int, tuple[float, int]] = {}
    own: dict[int, tuple[float, int]] = {}
    for pair in near_pairs(
        texts,
        settings.near,
        seed=settings.seed,
        on_text=lambda done: on_step("comparing texts", done, len(texts)),
    ):
        place, other = places[pair.text], places[pair.other]
        best = own if rows[place].split == rows[other].split else leaks
        best[place] = max(best.get(place, (0.0, 0)), (pair.similarity, other))
    own = {place: best for place, best in own.items() if place not in leaks}
    if leaks:
        yield _near_finding(
            "leak-near", "texts nearly as in an earlier split", "misleads", LEAK_STEP, rows, leaks
        )
    if own:
        title = "texts nearly as in an earlier row of the split"
        yield _near_finding("copy-near", title, "look", COPY_STEP, rows, own)


def _near_finding(
    kind: str,
    title: str,
    severity: Severity,
    step: str,
    rows: Sequence[Row],
    best: Mapping[int, tuple[float, int]],
) -> Finding:
    spots = tuple(
        Spot(place, f"{similarity:.2f} like {rows[other].where}", other)
        for place, (similarity, other) in best.items()
    )
    return Finding(kind, title, severity, step, spots, contradicting(rows, spots))


def _counts(rows: Sequence[Row], splits: Sequence[str]) -> Mapping[str, Mapping[Value | None, int]]:
    found: dict[str, dict[Value | None, int]] = {split: {} for split in splits}
    for row in rows:
        own = found[row.split]
        own[row.label] = own.get(row.label, 0) + 1
    return found
