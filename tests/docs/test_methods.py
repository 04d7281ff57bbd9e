"""Every registered name has a page, and pages name nothing that is not there."""

import re
from pathlib import Path

import pytest

from promptkit.runs.plugins import REGISTRIES
from promptkit.transferability import SCORES

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {path: path.read_text(encoding="utf-8") for path in (DOCS / "methods").rglob("*.md")}
TOLD = re.findall(r"^:::\{part\} (\w+) (\w+)$", "\n".join(PAGES.values()), re.M)
NAMES = [(registry.kind, name) for registry in REGISTRIES for name in registry.built_in]
#: Ways that are no registered name, and their pages.
OTHERS = (
    "strategies/ensembles",
    "strategies/soft_prompt",
    "nli",
    "features-scores",
    "deciding/conformal",
    "deciding/abstain",
    "deciding/out_of_scope",
    "deciding/label_next",
    "deciding/label_errors",
    "deciding/power_law",
    "deciding/robustness",
    "deciding/search",
    "deciding/verdict",
)


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_every_registered_name_has_its_options_on_one_page(kind, name):
    assert TOLD.count((kind, name)) == 1


def test_pages_name_registered_parts_alone():
    assert set(TOLD) <= set(NAMES)


def test_every_score_of_features_is_told():
    text = PAGES[DOCS / "methods" / "features-scores.md"]
    assert set(re.findall(r"^:::\{score\} (\w+)$", text, re.M)) == set(SCORES)


@pytest.mark.parametrize("name", OTHERS)
def test_ways_without_a_registered_name_have_a_page_too(name):
    assert len(PAGES[DOCS / "methods" / f"{name}.md"]) > 300


@pytest.mark.parametrize("path", list(PAGES), ids=lambda path: str(path.relative_to(DOCS)))
def test_a_page_is_short_and_says_what_was_measured(path):
    text = PAGES[path]
    assert len(text.splitlines()) <= 90
    one_way = len(re.findall(r"^:::\{part\}", text, re.M)) == 1
    if one_way:
        assert "**Measured" in text
        assert "**Helps**" in text or path.stem == "none"
