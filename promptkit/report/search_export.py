"""A search for other programs: JSON, CSV, Markdown, and the eval spec of what was chosen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import yaml
from rich.console import Console

from promptkit.report.figures import decimal
from promptkit.report.markdown import escaped, table
from promptkit.report.search import (
    WORDS,
    columns_of,
    facts,
    line_of,
    notes,
    ranked,
    said,
    search_table,
    worth,
)
from promptkit.report.written import csv_text, json_text
from promptkit.runs.search.nouns import Configuration, Part, Search

COLUMNS = (
    "template", "shots", "selector", "verbalizer", "calibration", "fate", "accuracy", "low", "high",
    "rows", "tokens_per_row", "folds", "problem",
)  # fmt: skip


def search_as(found: Search, format: str) -> str:
    """The search as ``json``, ``csv``, ``markdown``, ``yaml`` (the eval spec) or ``table``."""
    made = {
        "json": search_json,
        "csv": search_csv,
        "markdown": search_markdown,
        "yaml": search_yaml,
        "table": _text,
    }
    return made[format](found)


def search_json(found: Search) -> str:
    """One JSON object."""
    content: dict[str, Any] = asdict(found)
    content["tried"] = [
        asdict(one) | {"configuration": _flat(one.configuration)} for one in found.tried
    ]
    content["chosen"] = asdict(found.chosen) | {"configuration": _flat(found.chosen.configuration)}
    content["folds"] = [
        asdict(fold) | {"chosen": _flat(fold.chosen) if fold.chosen else None}
        for fold in found.folds
    ]
    return json_text(content | {"notes": notes(found)}, indent=2)


def search_csv(found: Search) -> str:
    """A line for each configuration."""
    lines = []
    for one in ranked(found):
        way, inner = one.configuration, one.inner
        lines.append(
            {
                "template": way.template,
                "shots": way.shots,
                "selector": way.selector,
                "verbalizer": way.verbalizer,
                "calibration": way.calibration,
                "fate": one.fate,
                "accuracy": inner.value if inner else None,
                "low": inner.low if inner else None,
                "high": inner.high if inner else None,
                "rows": inner.n if inner else 0,
                "tokens_per_row": round(one.tokens, 2),
                "folds": one.folds,
                "problem": one.problem,
            }
        )
    return csv_text(COLUMNS, lines)


def search_markdown(found: Search) -> str:
    """For a README or a pull request."""
    lines = [list(map(escaped, line_of(one))) for one in ranked(found)]
    folds = [
        [
            str(fold.index + 1),
            escaped(said(fold.chosen)) if fold.chosen else "nothing",
            decimal(fold.inner),
            decimal(fold.outer),
        ]
        for fold in found.folds
    ]
    fence = "```" if "```" not in found.command else "`" * 8
    return "\n".join(
        [
            "## Search\n",
            *_list([f"{key}: {value}" for key, value in facts(found)]),
            table(columns_of(found), lines, words=WORDS),
            table(["fold", "chosen without it", "inner", "outer"], folds, words=2),
            f"**Chosen: {escaped(said(found.chosen.configuration))}**\n",
            *_list([f"{key}: {value}" for key, value in worth(found)]),
            *_list(notes(found)),
            f"{fence}bash\n{found.command}\n{fence}\n",
        ]
    )


def search_yaml(found: Search) -> str:
    """The eval spec of the chosen configuration, to be run on new rows."""
    head = (
        "# Chosen by 'promptkit search'; outer accuracy of the search: "
        f"{decimal(found.outer.value if found.outer else None)}\n"
    )
    return head + yaml.safe_dump(dict(found.options), sort_keys=False, allow_unicode=True)


def _list(lines: list[str]) -> list[str]:
    return ["".join(f"- {escaped(line)}\n" for line in lines)] if lines else []


def _flat(one: Configuration) -> dict[str, Any]:
    def plain(part: Part | None) -> dict[str, Any] | None:
        return {"name": part.name, **part.options} if part else None

    return {
        "place": one.place,
        "template": one.template,
        "shots": one.shots,
        "selector": plain(one.selector),
        "verbalizer": plain(one.verbalizer),
        "calibration": plain(one.calibration),
    }


def _text(found: Search) -> str:
    """The table as a file holds it: wide, and without colours."""
    console = Console(width=140, force_terminal=False, no_color=True)
    with console.capture() as captured:
        console.print(search_table(found))
    return "".join(line.rstrip() + "\n" for line in captured.get().splitlines())
