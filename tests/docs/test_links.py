"""Every relative link and anchor in the project's Markdown leads somewhere; nothing is fetched."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
_SKIPPED = {"_build", "node_modules", "build", "dist"}
_LINK = re.compile(r"(?<!\!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)")
_ELSEWHERE = re.compile(r"^(?:https?|mailto):")


def _pages():
    for path in sorted(ROOT.rglob("*.md")):
        parts = path.relative_to(ROOT).parts
        if not any(part.startswith(".") or part in _SKIPPED for part in parts[:-1]):
            yield path


PAGES = list(_pages())


def prose(path):
    """A page without its code, whose brackets are no links."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^(```|~~~).*?^\1\s*$", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


@cache
def anchors(path):
    """The anchors of a page's headings, as GitHub and MyST make them."""
    found, seen = set(), {}
    text = re.sub(r"^(```|~~~).*?^\1\s*$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = seen.get(slug, 0)
        seen[slug] = number + 1
        found.add(f"{slug}-{number}" if number else slug)
    return found | set(re.findall(r'(?:id|name)="([^"]+)"', text))


def broken(path):
    """Links of a page that lead nowhere, and why."""
    for link in _LINK.findall(prose(path)):
        if _ELSEWHERE.match(link):
            continue
        target, _, anchor = unquote(link).partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists():
            yield f"{link}: there is no {target}"
        elif not file.is_relative_to(ROOT):
            yield f"{link}: leads out of the project"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield f"{link}: {file.name} has no heading {anchor!r}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path):
    assert list(broken(path)) == []


def test_links_are_found_at_all():
    assert len(PAGES) > 80
    assert sum(len(_LINK.findall(prose(path))) for path in PAGES) > 150


def test_a_link_that_leads_nowhere_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "other.md").write_text("# A `b` heading!\n\n## Twice\n\n## Twice\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#a-b-heading) [b](other.md#twice-1) [c](https://example.org/x)\n"
        "[d](absent.md) [e](other.md#absent) [f](#absent) `[g](absent.md)`\n"
        "```\n[h](absent.md)\n```\n"
    )
    assert [told.partition(":")[0] for told in broken(page)] == [
        "absent.md", "other.md#absent", "#absent",
    ]  # fmt: skip


def test_no_page_names_a_host_of_packages_or_a_path_of_one_machine():
    hosts = re.compile(r"py[p]i\.org|python[h]osted|/(?:wor[k]|roo[t]|tmp/[h])\b")
    assert [path for path in PAGES if hosts.search(path.read_text(encoding="utf-8"))] == []
