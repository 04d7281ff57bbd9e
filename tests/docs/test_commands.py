"""The commands of the pages are commands: those that are marked run on in-box rows, in order."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import promptkit  # noqa: F401
from tests.docs.user_files import write

DOCS = Path(__file__).parents[2] / "docs"
_MARKED = re.compile(
    r"<!-- (?P<mark>run|rows: (?P<rows>\w+) ?(?P<file>\S*)) -->\n```bash\n(?P<lines>.*?)```", re.S
)
PAGES = [
    path
    for path in sorted([*DOCS.glob("*.md"), *(DOCS / "how-to").glob("*.md")])
    if _MARKED.search(path.read_text(encoding="utf-8"))
]
#: Whose commands run every time; those of the others with the slow tests.
QUICK = ("getting-started", "topics", "writing", "tagging")


def _page(path):
    return pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow)


def test_every_task_has_a_page_with_commands():
    found = {path.stem for path in PAGES}
    tasks = "sentiment intents topics entailment multilabel ratings tagging choices writing"
    assert found >= {"getting-started", *tasks.split()}


@pytest.mark.parametrize("path", [_page(path) for path in PAGES])
def test_they_run(promptkit, home, path):  # noqa: F811
    ran = 0
    for block in _MARKED.finditer(path.read_text(encoding="utf-8")):
        if block["rows"]:
            write(home, block["rows"], block["file"] or "reviews.csv")
        for line in block["lines"].strip().splitlines():
            program, *arguments = shlex.split(line)
            assert program == "promptkit", line
            status, _, err = promptkit(*arguments)
            assert status == 0, f"{line}\n{err}"
            ran += 1
    assert ran
