"""What characters of a text say that it went wrong on its way: mojibake, controls, HTML remains.

Plain rules, each of which names what it saw; none changes a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from unicodedata import bidirectional

from promptkit.data.inspection.nouns import Finding, Row, Severity, Spot
from promptkit.data.values import is_whole_text

_HALF = "half a character (a lone surrogate)"


@dataclass(frozen=True)
class Sign:
    """A kind of trouble that single texts show.

    Args:
        kind, title, severity, step: As of a `Finding`.
        seen: What is seen in a text, in words; "" where nothing is.
        in_ascii: Whether a text of ASCII alone may show it.
    """

    kind: str
    title: str
    severity: Severity
    step: str
    seen: Callable[[str], str]
    in_ascii: bool = False


def _continuation() -> str:
    """The characters that UTF-8's bytes 80 to BF become where they are read as Windows-1252."""
    made = [bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xC0)]
    return "".join(dict.fromkeys([*made, *map(chr, range(0x80, 0xA0))]))


_NEXT = f"[{re.escape(_continuation())}]"
_SIGN = "[…‚„“”‘’–—‹›«»]"
#: UTF-8 read as Windows-1252 or Latin-1. Letters of Western languages, quotation marks and emoji
#: are told by one character; Greek, Cyrillic, Hebrew, Arabic and CJK by two in a row, as one alone
#: may be meant. So may a capital before a mark, at the end of a word in capitals: AMANHÃ…
_MOJIBAKE = re.compile(
    rf"(?<![A-ZÀ-Þ])[ÂÃÄÅ]{_NEXT}|[ÂÃÄÅ](?!{_SIGN}){_NEXT}|â[€\x80-\x84‚„]{_NEXT}|ï[»¿]{_NEXT}"
    rf"|ð{_NEXT}{{3}}|(?:[ÎÏÐÑ×ØÙ]{_NEXT}){{2}}"
    rf"|(?:[ã-éà]{_NEXT}{{2}}){{2}}"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u180e\u200b\u2060-\u2064\ufeff\u3164\uffa0\U000e0000-\U000e0fff]"
)
_TAG = re.compile(
    r"</?(?:a|abbr|article|b|blockquote|br|button|center|code|div|em|font|form|h[1-6]|head|hr|html|"
    r"i|iframe|img|input|li|link|meta|ol|p|pre|q|s|script|section|small|span|strong|style|sub|sup|"
    r"table|tbody|td|th|tr|u|ul|video)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|hellip|mdash|ndash|[lr][sd]quo|copy|reg|euro|#\d{2,6}|"
    r"#x[0-9a-f]{2,5});",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?://|www\.)\S+\Z", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2})")
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")


def mojibake(text: str) -> str:
    """The first characters that are UTF-8 read as something else, and what they were meant to be.

    >>> mojibake("CafÃ© au lait"), mojibake("Café à Paris, FIANCÉ…")
    ("'Ã©' for 'é'", '')
    """
    for found in _MOJIBAKE.finditer(text):
        meant = _meant(found.group())
        if meant:
            return f"{found.group()!r} for {meant!r}"
    return ""


def _meant(text: str) -> str:
    content = bytearray()
    for character in text:
        try:
            content += character.encode("cp1252")
        except UnicodeEncodeError:
            if ord(character) > 0xFF:
                return ""
            content.append(ord(character))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _half(text: str) -> str:
    return "" if is_whole_text(text) else _HALF


def _lost(text: str) -> str:
    n = text.count("\ufffd")
    return f"{n} × U+FFFD" if n else ""


def _named(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def seen(text: str) -> str:
        found = pattern.search(text)
        return f"U+{ord(found.group()[0]):04X}" if found else ""

    return seen


def _bidi(text: str) -> str:
    """Direction controls where nothing is written from right to left."""
    found = _BIDI.search(text)
    if not found or any(bidirectional(one) in ("R", "AL") for one in text):
        return ""
    return f"U+{ord(found.group()):04X}"


def _invisible(text: str) -> str:
    # the flags of England, Scotland and Wales are written with tags
    found = _INVISIBLE.search(_FLAG.sub("", text) if "\U0001f3f4" in text else text)
    return f"U+{ord(found.group()):04X}" if found else ""


def _escape(text: str) -> str:
    found = _ESCAPE.search(text) if "\\" in text else None
    return found.group() if found else ""


def _html(text: str) -> str:
    found = _TAG.search(text) if "<" in text else None
    if found is None and "&" in text:
        found = _ENTITY.search(text)
    return found.group()[:40] if found else ""


def _only_urls(text: str) -> str:
    words = text.split()
    return "nothing but addresses" if words and all(map(_URL.match, words)) else ""


def _wordless(text: str) -> str:
    said = text.strip()
    # emoji and other signs say something, punctuation hardly does
    if said and not any(one.isalnum() or ord(one) > 0x2000 for one in said):
        return "no letter and no digit"
    return ""


SIGNS = (
    Sign("half-character", "half a character, which no tokenizer takes", "breaks",
         "write the text again from its source", _half),
    Sign("mojibake", "letters read in the wrong encoding", "misleads",
         "export the text again as UTF-8; where there is no source, ftfy mends most of it",
         mojibake),
    Sign("lost-characters", "characters lost for good (U+FFFD)", "misleads",
         "export the text again as UTF-8: what stood there cannot be told", _lost),
    Sign("controls", "control characters", "look",
         "remove them; NUL and C1 controls come of a wrong encoding", _named(_CONTROL), True),
    Sign("direction", "characters that turn the direction of writing", "look",
         "remove them: what is read is not what is seen", _bidi),
    Sign("invisible", "characters that cannot be seen", "look",
         "remove them: they part words into other tokens", _invisible),
    Sign("escapes", "characters spelled out as escapes", "look",
         "read the source with a JSON reader, which turns them into what they stand for",
         _escape, True),
    Sign("html", "remains of HTML", "look",
         "take the text out of the HTML (tags away, entities resolved)", _html, True),
    Sign("only-address", "nothing but web addresses", "look",
         "remove the rows, or put what the pages say", _only_urls, True),
    Sign("no-words", "neither letter nor digit", "look",
         "look whether a label can be told from it", _wordless, True),
)  # fmt: skip


def characters(rows: Sequence[Row], on_row: Callable[[int], None]) -> Iterator[Finding]:
    """Each sign with the rows that show it."""
    found: dict[str, list[Spot]] = {sign.kind: [] for sign in SIGNS}
    plain = tuple(sign for sign in SIGNS if sign.in_ascii)
    for place, row in enumerate(rows):
        if place % 1000 == 0:
            on_row(place)
        text = row.text
        for sign in plain if text.isascii() else SIGNS:
            note = sign.seen(text)
            if note:
                found[sign.kind].append(Spot(place, note))
    for sign in SIGNS:
        if found[sign.kind]:
            yield Finding(sign.kind, sign.title, sign.severity, sign.step, tuple(found[sign.kind]))
