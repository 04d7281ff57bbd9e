"""A comparison for other programs: JSON, CSV, Markdown, HTML, LaTeX and data frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from math import isfinite
from typing import Any

from promptkit.errors import MissingExtra, SpecError, nearest
from promptkit.report.comparison_markdown import comparison_markdown
from promptkit.report.comparison_page import comparison_page
from promptkit.report.gaps import gaps_of
from promptkit.report.latex import comparison_latex
from promptkit.report.standing import final_lines
from promptkit.report.written import csv_text, finite, json_text
from promptkit.runs.compare.comparison import Comparison
from promptkit.runs.compare.growth import Advice, Growth
from promptkit.runs.compare.ledger import Account
from promptkit.runs.compare.nouns import Entry, Line, Verdict, size_name
from promptkit.types import Score

#: Columns of the CSV and of `as_frame`: one line per entry and size.
COLUMNS = (
    "entry",
    "strategy",
    "model",
    "size",
    "n_train",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "macro_f1",
    "macro_f1_low",
    "macro_f1_high",
    "difference",
    "p_value",
    "is_best",
    "is_recommended",
    "fit_seconds",
    "seconds_per_1000",
    "trained_parameters",
    "peak_bytes",
    "stored_bytes",
    "fit_flops",
    "fit_tokens",
    "fit_joules",
    "row_flops",
    "row_tokens",
    "row_joules",
    "fit_price",
    "price_per_1000",
    "break_even",
    "cells_done",
    "cells_planned",
    "facts",
    "problem",
)


def comparison_as(comparison: Comparison, format: str) -> str:
    """The comparison in the format of that name: json, csv, markdown, html or latex.

    Raises:
        SpecError: No such format; the message offers the nearest one.
    """
    formats: dict[str, Callable[[Comparison], str]] = {
        "json": comparison_json,
        "csv": comparison_csv,
        "markdown": comparison_markdown,
        "html": comparison_page,
        "latex": comparison_latex,
    }
    if format not in formats:
        raise SpecError(f"no format named {format!r}; {nearest(format, formats)}")
    return formats[format](comparison)


def comparison_json(comparison: Comparison, *, predictions: bool = False) -> str:
    """One JSON object: verdict, lines, plan and cells. A size that is null is all rows.

    Args:
        comparison: What was compared.
        predictions: Also the place of each predicted label in each cell, and the gold labels'.
    """
    plan = comparison.plan
    planned = [asdict(cell) | {"entry": cell.entry.name} for cell in plan.cells]
    cells = [asdict(cell) for cell in comparison.cells]
    if not predictions:
        for cell in cells:
            del cell["predicted"], cell["confidence"]
    told = {
        "fingerprint": comparison.fingerprint,
        "verdict": _verdict(comparison.recommendation),
        "lines": [asdict(line) | {"entry": line.entry.name} for line in comparison.lines],
        "plan": asdict(plan) | {"seconds": plan.seconds, "cells": planned},
        "ledger": [_account(one) for one in comparison.accounts.values()],
        "prices": comparison.prices.model_dump(),
        "learning_curves": [_growth(one, plan.n_rows) for one in comparison.growths.values()],
        "advice": _advice(comparison.advice),
        "firmness": asdict(comparison.firmness) if comparison.firmness else None,
        "command": comparison.command,
        "not_computed": [asdict(gap) for gap in gaps_of(comparison)],
        "cells": cells,
        "notes": comparison.notes,
        "packages": dict(comparison.packages),
        "seconds": comparison.seconds,
        "from_store": comparison.from_store,
        "origin": dict(comparison.origin),
    }
    return json_text(told | ({"golds": comparison.golds} if predictions else {}), indent=2)


def comparison_csv(comparison: Comparison) -> str:
    """One line per entry and size; an absent or infinite number is empty."""
    return csv_text(COLUMNS, comparison_rows(comparison))


def as_frame(comparison: Comparison) -> Any:
    """A pandas data frame with a row per entry and size, and the columns of the CSV.

    Raises:
        MissingExtra: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingExtra("data frames need pandas: pip install pandas") from error
    return pandas.DataFrame(comparison_rows(comparison), columns=list(COLUMNS))


def comparison_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """A mapping with the keys of `COLUMNS` per entry and size; what was not measured is None."""
    final, chosen = final_lines(comparison), comparison.recommendation.entry
    return [
        _row(
            line,
            chosen is not None and line is final.get(chosen.name),
            comparison.accounts.get(line.entry.name)
            if line is final.get(line.entry.name)
            else None,
        )
        for line in comparison.lines
    ]


def _row(line: Line, recommended: bool, account: Account | None) -> dict[str, Any]:
    row = {
        "entry": line.entry.name,
        "strategy": line.entry.strategy,
        "model": line.entry.model,
        "size": size_name(line.size),
        **_score("accuracy", line.accuracy),
        **_score("macro_f1", line.macro_f1),
        "is_recommended": recommended,
        **_costs(account),
    }
    unmeasured = {"n_train", "fit_seconds", "seconds_per_1000", "trained_parameters", "peak_bytes",
                  "stored_bytes"}  # fmt: skip
    for column in COLUMNS:
        if column not in row:
            known = line.accuracy is not None or column not in unmeasured
            row[column] = finite(getattr(line, column)) if known else None
    return row


def _costs(account: Account | None) -> dict[str, float | None]:
    """The columns of the ledger; with all rows alone, where costs are known."""
    fit = account.fit_work if account else None
    row = account.row_work if account else None
    return {
        "fit_flops": fit.flops if fit else None,
        "fit_tokens": fit.computed_tokens if fit else None,
        "fit_joules": account.fit_joules if account else None,
        "row_flops": row.flops if row else None,
        "row_tokens": row.prompt_tokens if row else None,
        "row_joules": account.row_joules if account else None,
        "fit_price": account.fit_price if account else None,
        "price_per_1000": account.price_per_1000 if account else None,
        "break_even": finite(account.break_even) if account else None,
    }


def _account(account: Account) -> dict[str, Any]:
    return asdict(account) | {
        "entry": account.entry.name,
        "break_even": finite(account.break_even),
        "never_pays": account.break_even is not None and not isfinite(account.break_even),
    }


def _growth(growth: Growth, n: int) -> dict[str, Any]:
    """What a curve foretells for one who has n rows."""
    return {
        "entry": growth.entry.name,
        "sizes": growth.sizes,
        "accuracies": growth.accuracies,
        "gain_of_twice_the_rows": asdict(growth.curve.gain(n, 2 * n)),
        "ceiling": asdict(growth.curve.ceiling()),
        "held_back": asdict(growth.held) if growth.held else None,
    }


def _advice(advice: Advice | None) -> dict[str, Any] | None:
    if advice is None:
        return None
    return asdict(advice) | {"entry": advice.entry.name, "other": _name(advice.other)}


def _score(name: str, score: Score | None) -> dict[str, float | None]:
    ends = (score.value, score.low, score.high) if score else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(finite, ends), strict=True))


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return asdict(verdict) | {"entry": _name(verdict.entry), "best": _name(verdict.best)}


def _name(entry: Entry | None) -> str | None:
    return entry.name if entry else None
