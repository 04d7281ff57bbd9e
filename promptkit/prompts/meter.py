"""What a render may use up: loop steps, seconds of work, characters; and the filters that count.

A value never holds more than `MAX_CHARS` characters and items, each counted as often as it would
be printed: a list that holds itself twice, forty times over, is a few bytes and prints for years.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView
from collections.abc import ItemsView as Pairs
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from jinja2 import TemplateError
from jinja2.runtime import Undefined

MAX_CHARS = 1_000_000
MAX_MADE = 20 * MAX_CHARS
MAX_STEPS = 200_000
MAX_SECONDS = 1.0

_HOLDS_ITEMS = (list, tuple, set, range, KeysView, ValuesView, Pairs)
_PLAIN = (str, int, float, type(None), Undefined)


class TooMuch(TemplateError):
    """A render went past its limit of steps, seconds or characters."""


@dataclass
class Meter:
    """What one render has used; seconds are of this thread's work, so a busy machine costs none."""

    steps: int = 0
    made: int = 0
    started: float = field(default_factory=time.thread_time)

    def step(self) -> None:
        """Count one loop step, call or operation."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooMuch(f"it takes more than {MAX_STEPS:,} loop steps")
        if self.steps % 16 == 0 and time.thread_time() - self.started > MAX_SECONDS:
            raise TooMuch(f"it takes more than {MAX_SECONDS:g} seconds")

    def make(self, chars: int) -> None:
        """Count characters that are about to be made."""
        self.made += chars
        if max(chars, self.made / 20) > MAX_CHARS:
            raise TooMuch(f"it makes more than {MAX_CHARS:,} characters")


METER: ContextVar[Meter] = ContextVar("meter")


def room(chars: int) -> None:
    """Count characters that are about to be made.

    Raises:
        TooMuch: There is no room for them.
    """
    METER.get().make(chars)


def weigh(*values: Any, printed: bool = False) -> int:
    """Characters and items that values hold; those of shared parts count each time.

    Args:
        values: Strings, numbers, lists and so on.
        printed: Whether they become text, which is refused of what is no value: the text of a
            function or generator holds its address, and so would differ from run to run.

    Raises:
        TooMuch: They hold more than `MAX_CHARS`.
        TypeError: Something that cannot be printed.
    """
    left, total = list(values), 0
    while left:
        value = left.pop()
        total += _own_weight(value)
        if total > MAX_CHARS:
            raise TooMuch(f"it makes more than {MAX_CHARS:,} characters")
        if printed and isinstance(value, Undefined):
            str(value)  # raises, with the variable's name; in a list it would print "Undefined"
        inside = _inside(value)
        if inside is None:
            if printed and not isinstance(value, _PLAIN):
                raise TypeError(f"a {type(value).__name__} cannot be printed; add '| list' to a "
                                "filter that gives items, '()' to a function")  # fmt: skip
            continue
        for item in inside:
            METER.get().step()
            left.append(item)
    return total


def _own_weight(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return value.bit_length() // 3 if isinstance(value, int) else 1


def _inside(value: Any) -> Iterable[Any] | None:
    if isinstance(value, Mapping):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, _HOLDS_ITEMS):
        return value
    return None


def text_of(value: Any) -> str:
    """``str`` of a value that has been weighed."""
    weigh(value, printed=True)
    return str(value)


class _Steps:
    """A loop's items, each of which costs a step; sized, for ``loop.last``."""

    def __init__(self, items: Sequence[Any] | Mapping[Any, Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return stepping(self.items)


def counted(items: Iterable[Any]) -> Iterable[Any]:
    """The items of a loop, each of which costs a step."""
    if isinstance(items, Undefined):
        str(items)  # raises, with the variable's name
    return _Steps(items) if isinstance(items, Sequence | Mapping) else stepping(items)


def stepping(items: Iterable[Any]) -> Iterator[Any]:
    """The same items, each of which costs a step."""
    meter = METER.get()
    for item in items:
        meter.step()
        yield item


def joined(*parts: Any) -> str:
    """The operator ``~``."""
    METER.get().step()
    return concat([text_of(part) for part in parts])


def concat(parts: Iterable[str]) -> str:
    """How Jinja puts captured output together: macros, set and filter blocks."""
    texts = list(parts)
    if METER.get(None) is not None:
        room(sum(map(len, texts)))
    return "".join(texts)


def held(value: Any) -> Any:
    """A list, tuple or mapping that is written out in a template."""
    METER.get().step()
    weigh(value)
    return value


def replace_fits(text: str, old: Any, new: Any, *_: Any) -> None:
    """Count what ``replace`` would make."""
    old, new = text_of(old), text_of(new)
    room(len(text) + text.count(old) * len(new))


def join_fits(items: Any, between: str) -> list[Any]:
    """The items of a ``join``, its size counted."""
    kept = list(stepping(items))
    room(len(between) * len(kept) + weigh(kept, printed=True))
    return kept


def strip_fits(chars: Any = None) -> None:
    """``strip`` looks each character up in a row: a long row of characters takes minutes."""
    if chars is not None and len(chars) > 1_000:
        raise TooMuch("'trim' and 'strip' take at most 1,000 characters")


def json_text(value: Any, indent: int | None = None) -> str:
    """``tojson`` for prompts: as JSON is written, where Jinja's own escapes ``'`` for HTML."""
    weigh(value, printed=True)
    if indent is not None and not (isinstance(indent, int) and 0 <= indent <= 16):
        raise TooMuch("filter 'tojson' takes an indent of 0 to 16")
    return json.dumps(value, ensure_ascii=False, indent=indent)


def bounded(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that looks at its sizes first and at its result afterwards."""
    before = _BEFORE.get(name)

    @wraps(call)  # keeps the mark that tells Jinja to pass the context first
    def checked(*args: Any, **options: Any) -> Any:
        METER.get().step()
        skipped = 1 if hasattr(call, "jinja_pass_arg") else 0
        head, values = args[:skipped], args[skipped:]
        if any(isinstance(v, int) and v > 100_000 for v in (*values[1:], *options.values())):
            raise TooMuch(f"filter {name!r} is given a size above 100,000")
        weigh(*values, *options.values(), printed=name in _PRINTS)
        if before is not None:
            values = before(*values, **options)
        return made(call(*head, *values, **options))

    return checked


def made(result: Any) -> Any:
    """A result, its size counted."""
    if isinstance(result, str):
        room(len(result))
    else:
        weigh(result)
    return result


_PRINTS = frozenset("capitalize lower replace string title trim truncate upper wordcount".split())


def _before_replace(text: Any, old: Any = "", new: Any = "", *rest: Any, **_: Any) -> Any:
    replace_fits(str(text), old, new)
    return text, old, new, *rest


def _before_join(items: Any, *rest: Any, d: Any = "", **_: Any) -> Any:
    return join_fits(items, text_of(rest[0] if rest else d)), *rest


def _before_trim(text: Any, *rest: Any, chars: Any = None) -> Any:
    strip_fits(*rest or (chars,))
    return text, *rest


def _before_sum(items: Any, *rest: Any, start: Any = 0, **_: Any) -> Any:
    if not all(isinstance(value, int | float) for value in (*rest[1:], start)):
        raise TypeError("filter 'sum' adds numbers only")  # lists are copied for each addition
    return items, *rest


_BEFORE: Mapping[str, Callable[..., Any]] = {
    "join": _before_join,
    "replace": _before_replace,
    "sum": _before_sum,
    "trim": _before_trim,
}
