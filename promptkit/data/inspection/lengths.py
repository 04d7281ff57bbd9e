"""Texts that are empty, or longer than what is read of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from promptkit.data.inspection.nouns import Finding, Row, Settings, Spot

#: Words and characters of a text from which on an encoder of 256 tokens leaves something out;
#: characters, as Chinese and Japanese put no spaces between words.
WORDS, CHARACTERS = 180, 1200
_BATCH = 512


def empty(rows: Sequence[Row]) -> Iterator[Finding]:
    """Rows in which a text is missing, empty or white space."""
    spots = [
        Spot(place, "empty" if not any(row.texts) else "only white space")
        for place, row in enumerate(rows)
        if not all(map(str.strip, row.texts))
    ]
    if spots:
        yield Finding(
            "empty",
            "rows without text",
            "breaks",
            "fill the text in, or remove the rows",
            tuple(spots),
        )


def long(
    rows: Sequence[Row], settings: Settings, on_row: Callable[[int], None]
) -> Iterator[Finding]:
    """Rows whose text is longer than the model reads, or than the limit that was given."""
    if settings.count_tokens is not None:
        if settings.max_length is None:
            return
        spots = list(_by_tokens(rows, settings.count_tokens, settings.max_length, on_row))
        limit, unit = settings.max_length, "tokens"
    else:
        limit, unit = settings.max_length or WORDS, "words"
        characters = None if settings.max_length else CHARACTERS
        spots = list(_by_words(rows, limit, characters))
    if spots:
        reads = f"than {settings.model} reads" if settings.model else "than an encoder reads"
        yield Finding(
            "long",
            f"texts longer {reads} ({limit:,} {unit})",
            "misleads" if settings.model else "look",
            "shorten them, or take a model that reads more: the rest is cut off",
            tuple(spots),
        )


def limit_words(settings: Settings) -> str:
    """The limit that held, for people."""
    if settings.count_tokens is not None:
        limit = settings.max_length
        told = f"{limit:,} tokens of {settings.model}" if limit else f"none ({settings.model})"
        return f"length limit: {told}"
    if settings.max_length:
        return f"length limit: {settings.max_length:,} words"
    return f"length limit: {WORDS:,} words or {CHARACTERS:,} characters; --model counts tokens"


def _by_tokens(
    rows: Sequence[Row],
    count: Callable[[Sequence[str]], list[int]],
    limit: int,
    on_row: Callable[[int], None],
) -> Iterator[Spot]:
    for start in range(0, len(rows), _BATCH):
        on_row(start)
        # half a surrogate pair is a finding of its own, and no tokenizer takes it
        texts = [
            row.text.encode("utf-8", "replace").decode() for row in rows[start : start + _BATCH]
        ]
        for place, n in enumerate(count(texts), start=start):
            if n > limit:
                yield Spot(place, f"{n:,} tokens")


def _by_words(rows: Sequence[Row], limit: int, characters: int | None) -> Iterator[Spot]:
    for place, row in enumerate(rows):
        text = row.text
        if characters is not None and len(text) > characters:
            yield Spot(place, f"{len(text):,} characters")
        elif len(text) > limit and len(text.split()) > limit:
            yield Spot(place, f"{len(text.split()):,} words")
