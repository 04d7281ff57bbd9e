from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from promptkit.errors import SpecError
from promptkit.prompts import find_template
from promptkit.report.robustness import percent, robustness_table, shown_ways
from promptkit.report.robustness_export import robustness_as
from promptkit.runs import EvalSpec
from promptkit.runs.robustness import Robustness, concluded
from promptkit.runs.ways import Factor, Ways
from tests.report.samples import printed, record

TEMPLATES = ("sentiment_zero_shot", "a_template_whose_name_is_long_enough_to_be_in_the_way")


def made(**changes: Any) -> Robustness:
    factors = (
        Factor("template", "template", TEMPLATES, TEMPLATES),
        Factor("seed", "draw of demonstrations", (0, 1, 2), ("seed 0", "seed 1", "seed 2")),
    )
    ways = Ways(
        EvalSpec(),
        find_template("sentiment_zero_shot"),
        factors,
        ("label order: template sentiment_zero_shot lists no labels",),
        ("3 of 4 templates",),
    )
    first = record(n=100, seed=0, shots=4)
    runs = [record(n=100, seed=0, accuracy=0.9 - place / 10, shots=4) for place in range(6)]
    runs = [replace(one, golds=first.golds) for one in runs]
    names = [(template, f"seed {seed}") for template in TEMPLATES for seed in range(3)]
    return replace(concluded(ways, names, runs), **changes)


@pytest.mark.parametrize("width", [80, 140])
def test_best_median_and_worst_stand_together_whatever_the_width(width: int) -> None:
    found = made()
    text = printed(robustness_table(found), width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    told = found.ranges["accuracy"]
    line = next(line for line in text.splitlines() if line.startswith("accuracy "))
    numbers = (told.best, told.median, told.worst, told.mean, told.sd, told.iqr)
    assert line.split()[1:] == [f"{number:.3f}" for number in numbers]
    for start in ("best ", "below median ", "worst ", "as asked (1 of 6)"):
        assert any(line.startswith(start) for line in text.splitlines())


def test_of_two_runs_in_the_middle_the_lower_one_is_shown() -> None:
    found = made()
    values = sorted(way.scores[0].value for way in found.ways)
    assert [(name, way.scores[0].value) for name, way in shown_ways(found)[:3]] == [
        ("best", values[5]),
        ("below median", values[2]),
        ("worst", values[0]),
    ]


def test_each_factor_has_its_share_and_what_chance_makes() -> None:
    found = made()
    text = printed(robustness_table(found), 140)
    draw = next(line for line in text.splitlines() if line.startswith("draw of demonstrations  "))
    effect = found.parts.effects[1]
    assert draw.split()[3:] == [
        "3",
        percent(effect.share),
        "40.0%",
        f"{effect.reach:.3f}",
        percent(found.changed[1]),
    ]
    assert "together (interaction)" in text


def test_what_is_not_varied_and_what_to_hold_it_against_are_said() -> None:
    found = made()
    text = " ".join(printed(robustness_table(found), 140).split())
    assert "label order: template sentiment_zero_shot lists no labels" in text
    assert "3 of 4 templates" in text
    assert f"these rows alone would make {found.chance_sd:.3f}" in text
    assert "standard error of one run on 100 rows" in text
    assert "report the median and the range" in text
    assert "4 demonstrations by nearest" in text
    assert "by nearest, seed" not in text
    assert "6 = 2 (template) x 3 (draw of demonstrations)" in text


def test_shares_that_are_not_there_are_dashes() -> None:
    found = made()
    effects = tuple(replace(effect, share=None) for effect in found.parts.effects)
    text = printed(
        robustness_table(replace(found, parts=replace(found.parts, effects=effects, together=None)))
    )
    draw = next(line for line in text.splitlines() if line.startswith("draw of demonstrations  "))
    assert draw.split()[4:6] == ["–", "–"]
    assert "nan" not in text
    assert "interaction" not in text


def test_json_has_every_run_and_can_be_read_strictly() -> None:
    found = made()

    def refuse(name: str) -> None:
        raise AssertionError(name)

    told = json.loads(robustness_as(found, "json"), parse_constant=refuse)
    assert told["ranges"]["accuracy"]["worst"] == found.ranges["accuracy"].worst
    assert [factor["key"] for factor in told["factors"]] == ["template", "seed"]
    assert told["factors"][1]["levels"][2]["value"] == 2
    assert len(told["runs"]) == 6
    assert told["runs"][4]["levels"] == {"template": TEMPLATES[1], "seed": 1}
    assert told["runs"][4]["fingerprint"] == found.ways[4].fingerprint
    assert told["interaction"] == found.parts.together
    assert told["not_varied"] == list(found.left_out)


def test_csv_has_a_line_per_run_and_metric() -> None:
    found = made()
    lines = list(csv.DictReader(io.StringIO(robustness_as(found, "csv"))))
    assert len(lines) == sum(len(way.scores) for way in found.ways)
    accuracies = [line for line in lines if line["metric"] == "accuracy"]
    assert [(line["template"], line["seed"]) for line in accuracies[3:5]] == [
        (TEMPLATES[1], "0"),
        (TEMPLATES[1], "1"),
    ]
    assert float(accuracies[5]["value"]) == found.ways[5].scores[0].value


def test_markdown_has_the_tables_and_escapes_names() -> None:
    text = robustness_as(made(), "markdown")
    assert text.startswith("## Robustness of accuracy over 6 runs")
    assert "| metric | best | median | worst | mean | SD | IQR |" in text
    assert "| together (interaction) |" in text
    assert "sentiment\\_zero\\_shot, seed 0" in text
    assert "### Not varied" in text


def test_another_format_is_refused() -> None:
    with pytest.raises(SpecError, match="no format named 'jsn'; did you mean 'json'"):
        robustness_as(made(), "jsn")
