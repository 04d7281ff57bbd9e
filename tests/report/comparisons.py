"""Made-up comparisons for the tests of reports: numbers hang together, nothing was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.nouns import Cell, Entry, Line, Plan, Planned, Size, Verdict
from promptkit.types import Scalar, Score

#: Name, accuracy with all rows, gain per size, seconds a fit, seconds per 1,000, parameters.
WAYS: Mapping[str, tuple[float, float, float, float, int]] = {
    "majority": (0.333, 0.0, 0.0, 0.0001, 0),
    "random": (0.331, 0.0, 0.0, 0.0002, 0),
    "zero-shot": (0.558, 0.0, 0.0, 14.2, 0),
    "zero-shot-batch": (0.583, 0.0, 0.0, 14.3, 0),
    "tfidf": (0.617, 0.08, 0.02, 0.031, 2_310),
    "nearest-neighbour": (0.683, 0.05, 1.31, 13.4, 0),
    "features": (0.742, 0.05, 1.42, 13.1, 11_264),
    "few-shot": (0.6, 0.01, 0.4, 88.0, 0),
    "head": (0.738, 0.06, 4.1, 13.5, 147_843),
    "contrastive": (0.767, 0.06, 48.2, 13.6, 22_713_216),
    "lora": (0.771, 0.09, 171.0, 15.1, 384_771),
    "full": (0.763, 0.1, 254.0, 13.3, 22_713_216),
}
NOT_FITTED = {"random", "zero-shot", "zero-shot-batch"}
COMMAND = "promptkit adapt --data customer_reviews --strategy features --model minilm --out model"


def verdict(entry: Entry | None, best: Entry | None = None, **changes: Any) -> Verdict:
    """A verdict with all its parts."""
    said = Verdict(
        entry=entry,
        best=best or entry,
        headline=f"Use {entry.name}: as good as the best, and simpler." if entry else "None fits.",
        reasons=(
            "lora has the highest accuracy (0.771), but features (0.742) cannot be told apart from "
            "it: these rows show differences from 0.052 on.",
            "features is the simplest of those, and adapts in 1.4 s instead of 2.9 min.",
        ),
        would_change=(
            "With 500 labelled rows and more, lora may well win: its curve still rises.",
        ),
        command=COMMAND if entry else "",
        expected_loss=0.011,
        rules=("cannot-be-told-apart", "simplest"),
    )
    return replace(said, **changes)


def comparison(
    names: Sequence[str] = tuple(WAYS),
    *,
    models: Sequence[str] = ("minilm",),
    sizes: Sequence[Size] = (0, 8, 32, None),
    design: str = "cv",
    labels: Sequence[Scalar] = ("negative", "neutral", "positive"),
    n_rows: int = 120,
    dropped: Sequence[tuple[str, Size]] = (),
    failed: Mapping[tuple[str, Size], str] | None = None,
    recommended: str = "features",
    budget: float | None = None,
    **changes: Any,
) -> Comparison:
    """A comparison of these ways.

    Args:
        names: Keys of `WAYS`.
        models: With several, each way that uses a model stands once for each.
        sizes: Labelled rows.
        design: ``cv``: 5 folds, 3 times; ``test``: 240 rows, 3 draws.
        labels: The labels.
        n_rows: Labelled rows.
        dropped: Entry and size of cells that the budget left out.
        failed: Entry and size of cells that failed, and why.
        recommended: Name of the recommended entry.
        budget: Seconds.
        changes: Fields of the comparison to replace.
    """
    failed = failed or {}
    entries = entries_of(names, models)
    folds = 5 if design == "cv" else 1
    train = n_rows * 4 // 5 if design == "cv" else n_rows
    held = n_rows // 5 if design == "cv" else 240
    cells = []
    for entry in entries:
        way = WAYS[entry.name.split(" ")[0]]
        for size in entry_sizes(entry, sizes):
            for draw in range(folds * 3 if entry.fits else 1):
                n = train if size is None else size
                seconds = way[2] * n / train + way[3] * held / 1000
                out = (entry.name, size) in dropped
                cells.append(Planned(entry, size, draw, n, held, seconds, out))
    plan = Plan(
        data="customer_reviews",
        design=design,  # type: ignore[arg-type]
        n_rows=n_rows,
        n_held=n_rows if design == "cv" else 240,
        labels=tuple(labels),
        folds=folds,
        repeats=3,
        entries=tuple(entries),
        sizes=tuple(sizes),
        cells=tuple(cells),
        budget_seconds=budget,
        detectable=0.052,
    )
    lines = [
        _line(plan, entry, size, (entry.name, size) in dropped, failed.get((entry.name, size), ""))
        for entry in entries
        for size in entry_sizes(entry, sizes)
    ]
    chosen = next((entry for entry in entries if entry.name == recommended), None)
    values: dict[str, Any] = {
        "plan": plan,
        "lines": tuple(tested(lines)),
        "recommendation": verdict(chosen),
        "cells": tuple(_cell(one, failed) for one in cells if not one.dropped),
        "golds": (0, 1, 2),
        "fingerprint": "3f2a9c1b7e0d4455",
        "packages": {"numpy": "2.3.5"},
        "seconds": 754.3,
        "from_store": 4,
        "origin": {"data": "in the box"},
    }
    return Comparison(**(values | changes))


def entries_of(names: Sequence[str], models: Sequence[str]) -> list[Entry]:
    """Entries as the engine names them."""
    entries = []
    for rank, name in enumerate(names):
        bare = name in {"majority", "random", "tfidf"}
        for model in [""] if bare else models:
            full = f"{name} ({model})" if model and len(models) > 1 else name
            strategy = name.replace("-", "_")
            entries.append(Entry(full, strategy, {}, model, rank, name not in NOT_FITTED))
    return entries


def entry_sizes(entry: Entry, sizes: Sequence[Size]) -> list[Size]:
    """The sizes at which it stands."""
    return [size for size in sizes if size != 0] if entry.fits else [0]


def _line(plan: Plan, entry: Entry, size: Size, dropped: bool, problem: str) -> Line:
    value, gain, fit, predict, parameters = WAYS[entry.name.split(" ")[0]]
    # Models after the first are a little worse, so that there is one best entry.
    value -= 0.013 * [one.model for one in plan.entries if one.rank == entry.rank].index(
        entry.model
    )
    planned = [cell for cell in plan.cells if cell.entry is entry and cell.size == size]
    if dropped or problem:
        said = problem or "not computed"
        return Line(entry, size, 0.0, None, None, cells_planned=len(planned), problem=said)
    steps = 0 if size is None or not entry.fits else {8: 2}.get(size, 1)  # type: ignore[arg-type]
    value -= gain * steps
    n = plan.n_held
    return Line(
        entry=entry,
        size=size,
        n_train=planned[0].n_train,
        accuracy=Score("accuracy", value, value - 0.061, min(value + 0.058, 1.0), n),
        macro_f1=Score("macro_f1", value - 0.012, value - 0.08, min(value + 0.05, 1.0), n),
        fit_seconds=fit * (1 if size is None else 0.2),
        seconds_per_1000=predict,
        trained_parameters=parameters,
        peak_bytes=1_610_612_736 if entry.model else 212_860_928,
        cells_done=len(planned),
        cells_planned=len(planned),
    )


def tested(lines: Sequence[Line]) -> list[Line]:
    """With differences to the best line at the largest size, as the engine takes them."""
    final = [x for x in lines if x.accuracy and (x.size is None or not x.entry.fits)]
    best = max(final, key=lambda line: line.accuracy.value, default=None)  # type: ignore[union-attr]
    found = []
    for line in lines:
        if best is None or line.accuracy is None or line is best or line not in final:
            found.append(replace(line, is_best=line is best))
            continue
        difference = line.accuracy.value - best.accuracy.value  # type: ignore[union-attr]
        p_value = min(1.0, 10 ** (difference * 20))
        found.append(replace(line, difference=difference, p_value=p_value))
    return found


def _cell(planned: Planned, failed: Mapping[tuple[str, Size], str]) -> Cell:
    problem = failed.get((planned.entry.name, planned.size), "")
    return Cell(
        entry=planned.entry.name,
        size=planned.size,
        draw=planned.draw,
        n_train=planned.n_train,
        predicted=() if problem else (0, 1, 2),
        fit_seconds=planned.seconds,
        predict_seconds=0.3,
        problem=problem,
    )


def crowded() -> Comparison:
    """Two models with long names, 77 labels in brackets, failures and dropped cells."""
    far = "/srv/models/sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
    return comparison(
        models=("minilm", far),
        labels=[f"[bold]label[/bold] {place}" for place in range(77)],
        n_rows=1540,
        dropped=[(f"full ({far})", size) for size in (8, 32, None)] + [("full (minilm)", 8)],
        failed={
            (f"lora ({far})", 32): "out of memory: [cuda:0] has 8.0 GiB; give a smaller --model",
            (f"lora ({far})", None): "out of memory: [cuda:0] has 8.0 GiB; give a smaller --model",
        },
        recommended="features (minilm)",
        budget=1800.0,
        notes=("12 labelled rows are copies of test rows and are not learned from",),
    )
