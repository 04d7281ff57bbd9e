"""A score over ways of asking, for other programs: JSON, CSV and Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from promptkit.errors import SpecError, nearest
from promptkit.report.facts import SHOWN_DIGITS, facts_of
from promptkit.report.figures import SHORT_NAMES, decimal, metric_name, span
from promptkit.report.markdown import escaped, table
from promptkit.report.robustness import (
    PART_HEADS,
    RANGE_HEADS,
    level_cells,
    part_cells,
    range_cells,
    readings,
    robustness_facts,
    shown_ways,
)
from promptkit.report.written import csv_text, finite, json_text
from promptkit.runs.robustness import Robustness

#: Columns of the CSV before and behind those of the factors: a line per run and metric.
BEFORE = ("fingerprint", "model", "strategy", "data", "split")
BEHIND = ("metric", "value", "low", "high", "n", "n_unscored")


def robustness_as(found: Robustness, format: str) -> str:
    """The runs in the format of that name: json, csv or markdown.

    Raises:
        SpecError: No such format; the message offers the nearest one.
    """
    formats: dict[str, Callable[[Robustness], str]] = {
        "json": robustness_json,
        "csv": robustness_csv,
        "markdown": robustness_markdown,
    }
    if format not in formats:
        raise SpecError(f"no format named {format!r}; {nearest(format, formats)}")
    return formats[format](found)


def robustness_json(found: Robustness) -> str:
    """One JSON object: ranges, factors with their shares, and every run; no predictions."""
    facts = facts_of(found.record)
    told: dict[str, Any] = {
        "template": facts.template,
        "model": facts.model,
        "backend": facts.backend,
        "data": facts.data,
        "split": facts.split,
        "n": found.record.report.n,
        "strategy": found.record.spec.strategy,
        "metric": found.metric,
        "ranges": {metric: asdict(one) for metric, one in found.ranges.items()},
        "factors": [
            {
                "key": factor.key,
                "name": factor.word,
                "share": effect.share,
                "share_by_chance": effect.by_chance,
                "range": effect.reach,
                "answers_changed": moved,
                "levels": [
                    {"name": name, "value": value, "mean": mean}
                    for name, value, mean in zip(
                        factor.names, factor.levels, effect.means, strict=True
                    )
                ],
            }
            for factor, effect, moved in zip(
                found.factors, found.parts.effects, found.changed, strict=True
            )
        ],
        "interaction": found.parts.together,
        "row_error": found.row_error,
        "sd_by_chance": found.chance_sd,
        "agreement": found.agreement,
        "unanimous": found.unanimous,
        "not_varied": found.left_out,
        "baselines": [asdict(one) for one in found.record.report.baselines],
        "runs": [asdict(way) | {"levels": _levels(found, way.levels)} for way in found.ways],
        "notes": found.notes,
    }
    return json_text(told, indent=2)


def robustness_csv(found: Robustness) -> str:
    """One line per run and metric, with a column for each factor that was varied."""
    facts = facts_of(found.record)
    named = {column: getattr(facts, column) for column in BEFORE[1:]}
    keys = tuple(factor.key for factor in found.factors)
    lines = [
        {"fingerprint": way.fingerprint, **named, **_levels(found, way.levels)}
        | finite(asdict(score))
        for way in found.ways
        for score in way.scores
    ]
    return csv_text((*BEFORE, *keys, *BEHIND), lines)


def robustness_markdown(found: Robustness) -> str:
    """A section with everything that the terminal shows."""
    name = metric_name(found.metric)
    facts = robustness_facts(found)
    runs = [
        [
            label,
            escaped(", ".join(way.levels)),
            decimal(way.scores[0].value),
            span(way.scores[0]),
            way.fingerprint[:SHOWN_DIGITS],
        ]
        for label, way in shown_ways(found)
    ]
    heads = ["", "asked with", SHORT_NAMES.get(found.metric, found.metric), "95% interval", "run"]
    levels = [[word, escaped(level), decimal(mean)] for word, level, mean in level_cells(found)]
    parts = [
        f"## Robustness of {escaped(name)} over {len(found.ways)} runs\n",
        "".join(f"- {key}: {escaped(value)}\n" for key, value in facts),
        table(["metric", *RANGE_HEADS], list(range_cells(found))),
        table(heads, runs, words=2),
        f"### What moves {escaped(name)}\n",
        table(
            ["varied", "levels", *(head.replace("\n", " ") for head in PART_HEADS)],
            list(part_cells(found)),
        ),
        _list(readings(found)),
        table(["varied", "level", "mean"], levels, words=2),
    ]
    if found.left_out:
        parts += ["### Not varied\n", _list(found.left_out)]
    if found.notes:
        parts += ["### Notes\n", _list(found.notes)]
    return "\n".join(parts)


def _levels(found: Robustness, names: tuple[str, ...]) -> dict[str, Any]:
    """By key of an eval spec, the value that a run had there."""
    return {
        factor.key: factor.levels[factor.names.index(name)]
        for factor, name in zip(found.factors, names, strict=True)
    }


def _list(lines: list[str] | tuple[str, ...]) -> str:
    return "".join(f"- {escaped(line)}\n" for line in lines)
