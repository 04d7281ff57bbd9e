"""Texts in another language than the others, told only where the detector is sure.

lingua (the extra ``check``) is asked twice: its quick detector of all rows, the slow one of those
that the quick one takes for another language. Short texts are left out: "Where is Amsterdam ?"
is taken for Dutch. What is told stands from a confidence of 0.85 on, which on English sets of
short texts left about one row in ten thousand told in error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from promptkit.data.inspection.nouns import Finding, Row, Spot
from promptkit.errors import MissingExtra, SpecError, nearest

#: Languages that are told apart: with all 75 of lingua a row takes ten times as long.
CODES = (
    "ar", "bg", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id",
    "it", "ja", "ko", "nb", "nl", "pl", "pt", "ro", "ru", "sv", "sw", "ta", "th", "tl", "tr", "uk",
    "ur", "vi", "zh",
)  # fmt: skip
CONFIDENCE = 0.85
#: Letters and words that a text needs; in scripts without spaces, letters alone.
LETTERS, WORDS = 25, 5
READ = 400
#: Share of words in ASCII from which on the others are left out.
USUAL = 0.9
_NOISE = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+|\S+@\S+|&\w+;|<[^<>]*>")
_SPACED = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")


def check_language(code: str) -> None:
    """Refuse a language that cannot be told, and say what to install.

    Raises:
        SpecError: No code, or one of a language that is not looked for.
        MissingExtra: lingua is not installed.
    """
    if code not in CODES:
        raise SpecError(f"--language {code!r}: give en, de or another code; {nearest(code, CODES)}")
    if find_spec("lingua") is None:
        raise MissingExtra(
            "telling languages needs lingua; pip install 'promptkit[check]', or say --language any"
        )


def languages(
    rows: Sequence[Row], wanted: str | None, on_row: Callable[[int], None]
) -> Iterator[Finding]:
    """Rows that are surely in another language.

    Args:
        rows: All rows.
        wanted: The language's code; None takes the one that most rows have.
        on_row: Called with the number of rows done.
    """
    quick: list[tuple[int, str, str]] = []
    for place, row in enumerate(rows):
        if place % 200 == 0:
            on_row(place)
        text = _readable(row.text)
        if text is not None:
            quick.append((place, text, _quick(text)))
    if not quick:
        return
    usual = wanted or Counter(code for _, _, code in quick).most_common(1)[0][0]
    spots = []
    for place, text, code in quick:
        if code == usual:
            continue
        sure, confidence = _sure(text)
        if sure != usual and confidence >= CONFIDENCE:
            spots.append(Spot(place, f"{sure} ({confidence:.2f})"))
    if spots:
        whose = "than asked for" if wanted else "than most rows"
        found = Counter(spot.note.split()[0] for spot in spots)
        yield Finding(
            "language",
            f"texts in another language {whose} ({usual})",
            "look",
            "remove or translate them, or take a model that reads these languages",
            tuple(spots),
            ", ".join(f"{code} {n:,}" for code, n in found.most_common(6)),
        )


def _readable(text: str) -> str | None:
    """The words of a text that say something of its language; None where they are too few."""
    text = _NOISE.sub(" ", text[: 4 * READ])[:READ]
    letters = sum(map(str.isalpha, text))
    if letters < LETTERS:
        return None
    words = text.split()
    if _SPACED.search(text) and len(words) < WORDS:
        return None
    # one name with a letter of its own decides for the detector: "petter næss" makes an English
    # sentence Tagalog, with a confidence of 1
    usual = [word for word in words if word.isascii()]
    return " ".join(usual) if len(usual) >= USUAL * len(words) else text


def _code(found: Any) -> str:
    return str(found.iso_code_639_1.name).lower()


def _quick(text: str) -> str:
    found = _detector(False).detect_language_of(text)
    return "" if found is None else _code(found)


def _sure(text: str) -> tuple[str, float]:
    best = _detector(True).compute_language_confidence_values(text)[0]
    return _code(best.language), float(best.value)


@lru_cache(maxsize=2)
def _detector(slow: bool) -> Any:
    from lingua import IsoCode639_1, Language, LanguageDetectorBuilder

    known = [Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper())) for code in CODES]
    builder = LanguageDetectorBuilder.from_languages(*known)
    return (builder if slow else builder.with_low_accuracy_mode()).build()
