"""Jinja as other tools render it, inside promptkit's sandbox.

The rules of two tools are known: promptsource (an undefined variable prints nothing, lists may be
changed, a last line break is dropped) and lm-evaluation-harness (undefined variables are errors,
line breaks stay). What a template can reach, and how much work it may make, is bounded as for any
other template: see `promptkit.prompts.sandbox` and `promptkit.prompts.meter`.

Every form is rendered twice: once as it is, which gives the text to the letter, and once with
fences around what came out of the row. Where both say the same, the text's origins are known piece
by piece; where a template looked at the fences (it took the length of a captured block, say), all
of it counts as a row's.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Literal

import regex
from jinja2 import TemplateError, Undefined, nodes
from jinja2.meta import find_undeclared_variables

from promptkit.errors import DataError, SpecError
from promptkit.prompts.meter import METER, Meter, TooMuch, made, room, text_of, weigh
from promptkit.prompts.sandbox import CLOSE, OPEN, SLOT, Sandbox, pieces_of, plain
from promptkit.types import Piece, Text, flat

Rules = Literal["promptsource", "lm_eval"]
_FENCES = re.compile(f"[{OPEN}{CLOSE}{SLOT}]")
#: Seconds that a regular expression of a template may take.
PATTERN_SECONDS = 1.0
#: Methods that change a value; rows are copied for each rendering.
CHANGING: Mapping[type, frozenset[str]] = {
    list: frozenset({"append", "insert", "pop", "reverse", "sort"}),
    dict: frozenset({"pop", "setdefault", "update"}),
}
_RANDOM: ContextVar[random.Random] = ContextVar("random")


class PeerSandbox(Sandbox):
    """The environment of another tool's templates.

    Args:
        rules: Whose.
        fenced: Whether what expressions print is marked as a row's.
    """

    def __init__(self, rules: Rules, *, fenced: bool) -> None:
        super().__init__()
        if not fenced:
            self.finalize = _printed
        if rules == "promptsource":
            self.undefined = Undefined
            self.keep_trailing_newline = False
            self.globals["zip"] = _zipped
            self.filters |= {
                "choice": _choice,
                "random": _choice,
                "most_frequent": _most_frequent,
                "highlight": _highlight,
                "format": _formatted,
            }
        else:
            self.filters |= {"regex_replace": _regex_replace, "format": _formatted}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As in any template, and lists and mappings may be changed."""
        if any(isinstance(obj, kind) and attr in names for kind, names in CHANGING.items()):
            return True
        return super().is_safe_attribute(obj, attr, value)

    def call(__self, __context: Any, __obj: Any, *args: Any, **options: Any) -> Any:
        """Call, and look at the size of what was changed."""
        result = super().call(__context, __obj, *args, **options)
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, list | dict):
            weigh(owner)
        return result


class PeerForm:
    """One template string of another tool, compiled.

    Args:
        source: Jinja text.
        where: File, line and key, for messages.
        rules: Whose rules it is rendered by.

    Attributes:
        uses: The variables that it may read.
        tree: Its syntax.

    Raises:
        SpecError: Broken syntax, or a tag or filter that is not allowed.
    """

    def __init__(self, source: str, where: str, rules: Rules) -> None:
        self.source, self.where, self.rules = source, where, rules
        if _FENCES.search(source):
            raise SpecError(f"{where}: holds a Unicode noncharacter; remove it")
        plainly, fenced = _SANDBOXES[rules, False], _SANDBOXES[rules, True]
        try:
            self.tree = plainly.parse(source)
            # looking for variables folds constants, so that it gets a tree of its own
            found = find_undeclared_variables(plainly.parse(source))
            self.uses = frozenset(found - set(plainly.globals))
            self._plain = plainly.from_string(source)
            self._fenced = fenced.from_string(source)
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            at = f" (line {line} of it)" if line else ""
            raise SpecError(f"{where}: {error.message}{at}") from error
        except (RecursionError, SyntaxError, ValueError, MemoryError) as error:
            raise SpecError(f"{where}: nested too deeply, or a number too long") from error

    @property
    def constants(self) -> list[str]:
        """The texts that it names in its expressions, in their order: labels, perhaps."""
        found = [one.value for one in self.tree.find_all(nodes.Const)]
        return list(dict.fromkeys(one for one in found if isinstance(one, str)))

    def plain(self, values: Mapping[str, Any], row: str) -> str:
        """The text, to the letter.

        Args:
            values: Variables by name.
            row: The row's id: for messages, and the seed of what is drawn at random.

        Raises:
            DataError: It cannot be rendered for these values.
        """
        return self._rendered(values, row, fenced=False)

    def text(self, values: Mapping[str, Any], row: str) -> Text:
        """The text in pieces that know whether they came out of the row."""
        whole = self.plain(values, row)
        try:
            pieces = pieces_of(self._rendered(values, row, fenced=True))
        except (DataError, ValueError):
            pieces = ()
        return pieces if flat(pieces) == whole else (Piece(whole, row=True),)

    def _rendered(self, values: Mapping[str, Any], row: str, *, fenced: bool) -> str:
        seed = hashlib.sha256(f"{self.source}\0{row}".encode("utf-8", "replace")).digest()
        meter, drawn = METER.set(Meter()), _RANDOM.set(random.Random(seed))
        chunks: list[str] = []
        try:
            compiled = self._fenced if fenced else self._plain
            for chunk in compiled.generate({k: plain(v) for k, v in values.items()}):
                room(len(chunk))
                chunks.append(chunk)
            return "".join(chunks)
        except (TemplateError, ValueError, TypeError, ArithmeticError, RecursionError, LookupError,
                AttributeError, MemoryError) as error:  # fmt: skip
            why = str(error).partition("\n")[0] or type(error).__name__
            raise DataError(f"row {row!r}: {self.where} cannot be rendered: {why}") from error
        finally:
            METER.reset(meter)
            _RANDOM.reset(drawn)


def sliced(text: Text, start: int, end: int) -> Text:
    """The characters from ``start`` to ``end``, each piece keeping its origin."""
    found, at = [], 0
    for piece in text:
        inside = piece.text[max(0, start - at) : max(0, end - at)]
        at += len(piece.text)
        if inside:
            found.append(Piece(inside, piece.row))
    return tuple(found)


def split_text(text: Text, separator: str) -> list[Text]:
    """A text at each separator, each part without the white space at its two ends."""
    whole, found, start = flat(text), [], 0
    for part in whole.split(separator):
        head = len(part) - len(part.lstrip())
        found.append(sliced(text, start + head, start + head + len(part.strip())))
        start += len(part) + len(separator)
    return found


def _printed(value: Any) -> Any:
    """Jinja's ``finalize`` where nothing is marked."""
    if METER.get(None) is None:  # Jinja prints constants when it compiles
        return str(value)
    text = text_of(value)
    room(len(text))
    return text


def _zipped(*lists: Any) -> list[tuple[Any, ...]]:
    weigh(*lists)
    return list(zip(*lists, strict=False))


def _choice(items: Any) -> Any:
    """``random.choice``, its draw seeded by the row: promptsource draws anew each time."""
    METER.get().step()
    weigh(items)
    return _RANDOM.get().choice(list(items) if not isinstance(items, Sequence) else items)


def _most_frequent(items: Any) -> list[Any] | None:
    """The items that stand in a list most often, in the order in which they first stand there."""
    weigh(items)
    if not items:
        return None
    counts = Counter(items)
    return [item for item, n in counts.items() if n == max(counts.values())]


def _highlight(text: Any) -> Any:
    return made(f"<span style='color: #F08080'>{text_of(text)}</span>")


def _formatted(text: Any, *args: Any, **named: Any) -> Any:
    """``%`` formatting, its widths bounded."""
    form = text_of(text)
    if re.search(r"%[^%a-zA-Z]*(\*|\d{4})", form):
        raise TooMuch("filter 'format' takes widths of at most three digits")
    weigh(*args, *named.values())
    return made(form % (named or args))


def _regex_replace(text: Any, pattern: Any, repl: Any, count: int = 0) -> Any:
    """``re.sub`` that gives up where a pattern takes too long."""
    weigh(text, pattern, repl)
    try:
        found = regex.sub(str(pattern), str(repl), str(text), count=count, timeout=PATTERN_SECONDS)
    except TimeoutError as error:
        raise TooMuch(f"a regular expression takes more than {PATTERN_SECONDS:g} second") from error
    except regex.error as error:
        raise ValueError(f"regular expression {pattern!r}: {error}") from error
    return made(found)


_SANDBOXES = {
    (rules, fenced): PeerSandbox(rules, fenced=fenced)
    for rules in ("promptsource", "lm_eval")
    for fenced in (False, True)
}
