"""Text of rows and labels, made fit to print: it is data, and never steers the terminal."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.text import Text

from promptkit.types import Scalar, Value

ESCAPED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

#: Format characters that are part of what is written: the joiners of Persian and of emoji, and
#: the tags in the flags of England, Scotland and Wales.
KEPT = frozenset({"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))})

#: Cells of a label in a table; a label may be a sentence.
LABEL_WIDTH = 40


def plain(text: str) -> str:
    r"""The text on one line, with everything that cannot be seen written out.

    Control characters (an ESC starts a terminal command), format characters (U+202E turns the
    rest of the line around), line separators and lone surrogates (which no file can hold) become
    escapes such as ``\x1b``.
    """
    return "".join(_seen(character) for character in text)


def shorten(text: str, cells: int) -> str:
    """The text in at most so many terminal cells, with … where it was cut.

    Cells, not characters: a Chinese character and most emoji take two.
    """
    if cell_len(text) <= cells:
        return text
    cut = Text(text)
    cut.truncate(max(cells - 1, 0))
    # Half of a wide character is a space; without it the … follows what it stands for.
    return (cut.plain.rstrip() + "…") if cells > 0 else ""


def shorten_middle(text: str, cells: int) -> str:
    """The text in at most so many terminal cells; … stands for what was cut out of its middle.

    >>> shorten_middle("paraphrase-multilingual-MiniLM-L12-v2", 19)
    'paraphras…LM-L12-v2'
    """
    if cell_len(text) <= cells:
        return text
    start = shorten(text, cells // 2 + 1).removesuffix("…")
    end = ""
    while cell_len(text[-len(end) - 1 :]) <= cells - cell_len(start) - 1:
        end = text[-len(end) - 1 :]
    return f"{start}…{end}"


def cell(text: str, style: str = "") -> Text:
    """What goes into a table: a `Text`, which unlike a string is not read for [markup]."""
    return Text(plain(text), style=style)


def naming(labels: Sequence[Scalar]) -> Callable[[Value | None], str]:
    """How labels are called in tables and column names.

    By their text, except where that is not enough to tell them apart or to see them: of 0 and
    "0" the second keeps its quotation marks, and so does "".
    """
    texts = Counter(plain(str(label)) for label in labels)

    def name(value: Value | None) -> str:
        if value is None:
            return "–"
        if isinstance(value, tuple):
            return ", ".join(name(one) for one in value) or "none"
        text = plain(str(value))
        if texts[text] > 1 or text != text.strip() or not text:
            return json.dumps(value, ensure_ascii=False)
        return text

    return name


def _seen(character: str) -> str:
    if character in ESCAPED:
        return ESCAPED[character]
    if character in KEPT or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return character
    code = ord(character)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
