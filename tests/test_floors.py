"""The house: imports only point down, and siblings on a floor never import each other."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "promptkit"
FLOORS = [
    {
        "errors",
        "types",
        "protocols",
        "learners",
        "registry",
        "plugins",
        "box",
        "chance",
        "row_text",
    },
    {
        "data",
        "prompts",
        "selectors",
        "orders",
        "verbalizers",
        "parsers",
        "calibration",
        "metrics",
        "transferability",
        "backends",
    },
    {"strategies"},
    {"runs"},
    {"report", "estimators"},
    {"choosing", "labelling", "probing", "serving", "testing"},
    {"cli", "__init__"},
    {"__main__"},
]
FLOOR = {part: height for height, parts in enumerate(FLOORS) for part in parts}
# A backend is what turns a structured prompt into text, and shortens it with its own tokenizer;
# the code for both stands with the prompts. See docs/decisions/0001.
EXCEPTIONS = {("backends", "prompts")}
FILES = sorted(ROOT.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path):
    """The parts of promptkit that a file imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write absolute imports"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            first, _, rest = name.partition(".")
            if first == "promptkit":
                part = rest.partition(".")[0]
                yield part if part in FLOOR else "__init__"


def by_path(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=by_path)
def test_imports_only_point_down(path):
    here = part_of(path)
    for there in set(imports(path)) - {here}:
        on_the_ground = FLOOR[here] == FLOOR[there] == 0
        down = FLOOR[there] < FLOOR[here]
        assert down or on_the_ground or (here, there) in EXCEPTIONS, f"{here} -> {there}"


def test_every_exception_is_needed():
    found = {(part_of(path), there) for path in FILES for there in imports(path)}
    assert found >= EXCEPTIONS


def test_no_two_parts_need_each_other():
    needs: dict[str, set[str]] = {}
    for path in FILES:
        needs.setdefault(part_of(path), set()).update(set(imports(path)) - {part_of(path)})
    for here, theirs in needs.items():
        for there in theirs:
            assert here not in needs[there], f"{here} <-> {there}"


@pytest.mark.parametrize("path", FILES, ids=by_path)
def test_a_file_holds_one_idea_and_is_named_for_it(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, "past 400 it is two ideas"
    assert path.stem not in {"util", "utils", "helper", "helpers", "common", "misc"}
