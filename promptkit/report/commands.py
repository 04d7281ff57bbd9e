"""Shell commands that survive a narrow terminal: what is copied out of it is the same command."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

INDENT = "  "


class Command:
    r"""A command on one line where it fits, else broken as a shell lets it be broken.

    Lines end in a backslash, which a shell takes for no break at all; a word that is too long for
    a line is broken inside itself, without an indent.

    Args:
        command: What a shell would run.
    """

    def __init__(self, command: str) -> None:
        self.command = command

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in broken(self.command, options.max_width):
            yield Text(line, "bold", no_wrap=True, overflow="ignore")


def broken(command: str, width: int) -> list[str]:
    r"""The command in lines of at most so many cells, as far as its words allow.

    >>> broken("promptkit adapt --data rows.csv", 24)
    ['promptkit adapt \\', '  --data rows.csv']
    """
    if cell_len(command) <= width and "\n" not in command:
        return [command]
    try:
        words = shlex.split(command)
    except ValueError:  # an open quotation mark: better too long than broken in two
        return [command]
    lines = [""]
    for word in words:
        text = shlex.quote(word)
        longer = f"{lines[-1]} {text}" if lines[-1].strip() else lines[-1] + text
        if cell_len(longer) <= width - 2:
            lines[-1] = longer
        elif cell_len(INDENT + text) <= width - 2:
            lines += [INDENT + text]
        else:
            first, *rest = _pieces(word, max(width - 2 - len(INDENT), 8))
            lines += [INDENT + first, *rest]
    kept = [line for line in lines if line.strip()]
    return [line + _end(line, after) for line, after in zip(kept, [*kept[1:], ""], strict=True)]


def _end(line: str, after: str) -> str:
    r"""`` \`` between words, ``\`` inside one, nothing at the end."""
    if not after:
        return ""
    return " \\" if after.startswith(INDENT) else "\\"


def _pieces(word: str, width: int) -> Iterator[str]:
    """A long word, quoted piece by piece: a shell joins pieces that touch."""
    while word:
        cells = len(word)
        while cells > 1 and cell_len(shlex.quote(word[:cells])) > width:
            cells -= 1
        yield shlex.quote(word[:cells])
        word = word[cells:]
