"""A page in HTML that needs nothing but itself: headings, lists and tables, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from promptkit.report.plain import plain

STYLE = """
:root { color-scheme: light dark; --line: #d0d0d0; --faint: #606060; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --faint: #a8a8a8; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; }
thead th { border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, .words td, .words th { text-align: left; }
.heat td { min-width: 2.6rem; } .marked { font-weight: bold; text-decoration: underline; }
code { overflow-wrap: anywhere; } .faint { color: var(--faint); }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; }
summary { cursor: pointer; } summary:focus-visible, a:focus-visible, .wide:focus-visible {
  outline: 2px solid currentColor; outline-offset: 2px; }
@media print { body { margin: 0; max-width: none; } nav { display: none; }
  .wide { overflow: visible; } tr, svg { break-inside: avoid; }
  details::details-content { content-visibility: visible; display: block; } }
"""


def page(title: str, parts: Iterable[str], *, style: str = "") -> str:
    """The whole page.

    Args:
        title: Its heading.
        parts: HTML, escaped already.
        style: Rules beside the usual ones.
    """
    head = f"<meta charset=utf-8><title>{_safe(title)}</title>"
    head += "<meta name=viewport content='width=device-width, initial-scale=1'>"
    body = f"<h1>{_safe(title)}</h1>\n" + "\n".join(parts)
    return f"<!doctype html>\n<html lang=en><head>{head}<style>{STYLE}{style}</style></head>\n" + (
        f"<body><main>{body}</main></body></html>\n"
    )


def section(title: str, *parts: str, name: str = "", scrolls: bool = True) -> str:
    """A heading and what stands below it.

    Args:
        title: The heading.
        parts: HTML, escaped already.
        name: What links lead to it by.
        scrolls: Whether it is one part that scrolls by itself where it is too wide.
    """
    anchor = f' id="{_safe(name)}"' if name else ""
    return f"<h2{anchor}>{_safe(title)}</h2>\n" + (
        wide(*parts, title=title) if scrolls else "".join(parts)
    )


def wide(*parts: str, title: str) -> str:
    """What scrolls by itself where it is wider than the page; the arrow keys move it.

    Args:
        parts: HTML, escaped already.
        title: What it is, for screen readers.
    """
    region = f'role=region aria-label="{_safe(title)}"'
    return f"<div class=wide tabindex=0 {region}>{''.join(parts)}</div>"


def contents(sections: Iterable[tuple[str, str]]) -> str:
    """Links to sections, by their names."""
    links = "".join(
        f'<li><a href="#{_safe(name)}">{_safe(title)}</a></li>' for name, title in sections
    )
    return f"<nav aria-label=contents><ul>{links}</ul></nav>"


def folded(title: str, *parts: str) -> str:
    """What is shown when its title is opened."""
    return f"<details><summary>{_safe(title)}</summary>{''.join(parts)}</details>"


def listed(lines: Iterable[str]) -> str:
    """Sentences."""
    return "<ul>" + "".join(f"<li>{_safe(line)}</li>" for line in lines) + "</ul>"


def tabled(
    heads: Sequence[str],
    lines: Iterable[Sequence[str]],
    *,
    words: bool = False,
    kind: str = "",
) -> str:
    """A table of plain cells; the first column names, the others are numbers, or ``words``.

    Args:
        heads: Heads of the columns.
        lines: Lines of cells.
        words: Whether all columns are words.
        kind: A class of the table, where the page has rules for one.
    """
    top = "".join(f"<th scope=col>{_safe(one)}</th>" for one in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{_safe(one)}</td>" for one in line) + "</tr>" for line in lines
    )
    named = f" class={kind}" if kind else " class=words" if words else ""
    return f"<table{named}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def command(text: str) -> str:
    """A command to be copied."""
    return f"<p><code>{_safe(text)}</code></p>"


def _safe(text: str) -> str:
    return escape(plain(text))
