"""Jinja for strings that nobody vouches for: strict, sandboxed, metered, and aware of origins.

Three things are added to Jinja's own sandbox.

*Allow-lists.* Only the filters and methods below exist; nothing reaches a file, an import, a
module or a dunder, and ``include``, ``import``, ``extends`` are refused when a template is read.

*A meter.* A render may take so many loop steps, so many seconds and so many characters. Every
operation that can make a string or a number grow is checked before it runs, so that neither
``{{ "a" * 10 ** 10 }}`` nor a loop that doubles a string gets to use the memory first.

*Origins.* What an expression prints is fenced by two Unicode noncharacters, which are taken out of
every value beforehand. Literal template text stands outside the fences, so a rendered string falls
apart into pieces that know whether they came out of a row. ``[MASK]`` written in the template and
``[MASK]`` written by a user are different pieces.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from promptkit.errors import SpecError, nearest
from promptkit.types import Piece, Text

#: Fences around row text, and the slot of a cloze. Noncharacters: no text that is meant to be
#: exchanged holds them (Unicode 15, section 23.7).
OPEN, CLOSE, SLOT = "\ufdd0", "\ufdd1", "\ufdd2"
_FENCES = re.compile(f"[{OPEN}{CLOSE}{SLOT}]")

MAX_CHARS = 1_000_000
MAX_STEPS = 200_000
MAX_SECONDS = 5.0

FILTERS = frozenset(
    "abs batch capitalize count d default dictsort first float int items join last length list "
    "lower map max min reject rejectattr replace reverse round select selectattr sort string sum "
    "title tojson trim truncate unique upper wordcount".split()
)
METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        "capitalize casefold count endswith find index isalpha isdigit islower isspace isupper "
        "join lower lstrip partition removeprefix removesuffix replace rpartition rsplit rstrip "
        "split splitlines startswith strip title upper".split()
    ),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
}


class TooMuch(TemplateError):
    """A render went past its limit of steps, seconds or characters."""


@dataclass
class _Meter:
    steps: int = 0
    started: float = field(default_factory=time.monotonic)

    def step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooMuch(f"it takes more than {MAX_STEPS:,} loop steps")
        if self.steps % 256 == 0 and time.monotonic() - self.started > MAX_SECONDS:
            raise TooMuch(f"it takes more than {MAX_SECONDS:g} seconds")


_METER: ContextVar[_Meter] = ContextVar("meter")


def _room(chars: int) -> None:
    if chars > MAX_CHARS:
        raise TooMuch(f"it makes more than {MAX_CHARS:,} characters")


def _counted(items: Iterable[Any]) -> Iterable[Any]:
    """The items of a loop, each of which costs a step; sized ones stay sized for ``loop.last``."""
    if isinstance(items, Undefined):
        str(items)  # raises, with the variable's name
    if isinstance(items, Sequence | Mapping):
        meter = _METER.get()
        for _ in range(len(items)):
            meter.step()
        return items
    return _stepping(items)


def _stepping(items: Iterable[Any]) -> Iterator[Any]:
    meter = _METER.get()
    for item in items:
        meter.step()
        yield item


def _joined(*parts: Any) -> str:
    texts = [str(part) for part in parts]
    _METER.get().step()
    _room(sum(map(len, texts)))
    return "".join(texts)


def _replace_fits(text: str, old: Any, new: Any = "", *_: Any) -> None:
    _room(len(text) + text.count(str(old)) * len(str(new)))


def _join_fits(items: Any, between: str) -> list[Any]:
    kept = list(_stepping(items))
    _room(len(between) * len(kept) + sum(len(str(item)) for item in kept))
    return kept


def _bounded(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that looks at its sizes first and at its result afterwards."""

    @wraps(call)  # keeps the mark that tells Jinja to pass the context first
    def checked(*args: Any, **options: Any) -> Any:
        _METER.get().step()
        values = args[1:] if hasattr(call, "jinja_pass_arg") else args
        if any(isinstance(v, int) and v > 100_000 for v in (*values[1:], *options.values())):
            raise TooMuch(f"filter {name!r} is given a size above 100,000")
        if name == "replace":
            _replace_fits(str(values[0]), *values[1:])
        if name == "join":
            between = str(values[1] if len(values) > 1 else options.get("d", ""))
            head = args[: len(args) - len(values)]
            args = (*head, _join_fits(values[0], between), *values[1:])
        result = call(*args, **options)
        if isinstance(result, str):
            _room(len(result))
        return result

    return checked


class _Metering(NodeTransformer):
    """Sends every loop and every ``~`` past the meter; refuses what reaches other templates.

    The filters that it puts in have a space in their name, so no template can call them.
    """

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "a loop", [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        first, *rest = node.nodes
        return nodes.Filter(first, "a join", rest, [], None, None, lineno=node.lineno)

    def _refuse(self, node: nodes.Node) -> nodes.Node:
        tag = type(node).__name__.lower()
        raise TemplateSyntaxError(f"{tag!r} is not allowed: a template is one file", node.lineno)

    visit_Include = visit_Import = visit_FromImport = visit_Extends = _refuse


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of every prompt template."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined, keep_trailing_newline=True, finalize=_fenced, cache_size=0
        )
        self.globals = {"range": self.globals["range"], "namespace": self.globals["namespace"]}
        self.filters = {name: _bounded(name, self.filters[name]) for name in FILTERS}
        self.filters |= {"a loop": _counted, "a join": _joined}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Metering().visit(super()._parse(source, name, filename))
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only the methods of METHODS may be reached; plain values as Jinja allows them."""
        for kind, allowed in METHODS.items():
            if isinstance(obj, kind) and callable(value):
                return attr in allowed
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """No ``str.format``: its width would be read from the text."""

    def call(__self, __context: Any, __obj: Any, *args: Any, **options: Any) -> Any:
        """Call what a template calls, sizes looked at first."""
        _METER.get().step()
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            _replace_fits(owner, *args)
        if isinstance(owner, str) and name == "join":
            args = (_join_fits(args[0], owner), *args[1:])
        return super().call(__context, __obj, *args, **options)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Run ``+ * ** %`` when the result stays small."""
        _METER.get().step()
        if operator == "**":
            raise TooMuch("the operator '**' is not allowed")
        if operator == "%" and isinstance(left, str):
            raise TooMuch("'%' on text is not allowed; write the value in {{ }}")
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if numbers and max(abs(left), abs(right)) > 1e15:
            raise TooMuch("a number grows past 1e15")
        if not numbers and operator == "*":
            size = len(left) if hasattr(left, "__len__") else len(right)
            _room(size * (left if isinstance(left, int) else right))
        if not numbers and operator == "+" and hasattr(left, "__len__"):
            _room(len(left) + len(right))
        return super().call_binop(context, operator, left, right)


def _fenced(value: Any) -> Any:
    """Jinja's ``finalize``: marks what an expression prints as row text."""
    if isinstance(value, Undefined):
        return str(value)  # raises, with the variable's name
    if value is SLOT:
        return value
    return f"{OPEN}{_FENCES.sub('', str(value))}{CLOSE}"


def plain(value: Any) -> Any:
    """A row's value without fences, and with nothing in it but JSON."""
    if isinstance(value, str):
        return _FENCES.sub("\ufffd", value) if _FENCES.search(value) else str(value)
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return plain(str(value))


def pieces_of(fenced: str) -> Text:
    """Take a fenced string apart; a slot is a piece of its own.

    Raises:
        ValueError: The fences do not pair: something cut or turned around a fenced text.
    """
    pieces: list[Piece] = []
    row, start = False, 0
    for match in _FENCES.finditer(fenced):
        mark = match.group()
        if mark == SLOT and row:
            raise ValueError("the mask stands inside row text")
        if (mark == OPEN) == row:
            raise ValueError("row text is cut or turned around after it was printed")
        if match.start() > start:
            pieces.append(Piece(fenced[start : match.start()], row))
        if mark == SLOT:
            pieces.append(Piece(SLOT))
        row, start = mark == OPEN, match.end()
    if row:
        raise ValueError("row text is cut after it was printed")
    if start < len(fenced):
        pieces.append(Piece(fenced[start:]))
    return tuple(pieces)


def fence(text: Text) -> str:
    """The inverse of `pieces_of`, with white space at a row's edges outside the fence.

    Chat templates strip messages; a fence in front of a blank would keep it from being stripped.
    """
    out = []
    for piece in text:
        core = piece.text.strip()
        if not piece.row or not core:
            out.append(piece.text)
            continue
        lead = len(piece.text) - len(piece.text.lstrip())
        tail = piece.text[lead + len(core) :]
        out.append(f"{piece.text[:lead]}{OPEN}{core}{CLOSE}{tail}")
    return "".join(out)


_SANDBOX = Sandbox()


class Form:
    """One compiled template string.

    Args:
        source: Jinja text.
        where: File, line and key, for messages.
        known: The variables that it may use.

    Raises:
        SpecError: Broken syntax, a forbidden tag, filter or operator, an unknown variable.
    """

    def __init__(self, source: str, where: str, known: Iterable[str]) -> None:
        self.source, self.where = source, where
        known = sorted(set(known))
        if _FENCES.search(source):
            raise SpecError(f"{where}: holds a Unicode noncharacter (U+FDD0 to U+FDD2); remove it")
        try:
            tree = _SANDBOX.parse(source)
            self.uses = find_undeclared_variables(tree) - set(_SANDBOX.globals)
            self._template = _SANDBOX.from_string(source)
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            at = f" (line {line} of it)" if line else ""
            raise SpecError(f"{where}: {error.message}{at}") from error
        for name in sorted(self.uses - set(known)):
            raise SpecError(f"{where}: no field or variable {name!r}; {nearest(name, known)}")

    def render(self, values: Mapping[str, Any], row: str = "") -> Text:
        """Render with these values, which pass through `plain` first.

        Args:
            values: Variables by name.
            row: Id of the row, for messages.

        Raises:
            SpecError: A value is missing, a limit is passed, or row text is mangled.
        """
        token = _METER.set(_Meter())
        chunks: list[str] = []
        try:
            size = 0
            for chunk in self._template.generate({k: _value(v) for k, v in values.items()}):
                chunks.append(chunk)
                size += len(chunk)
                _room(size)
            return pieces_of("".join(chunks))
        except (TemplateError, ValueError, TypeError, ArithmeticError, RecursionError, LookupError,
                AttributeError, MemoryError) as error:  # fmt: skip
            at = f" (row {row!r})" if row else ""
            why = str(error).partition("\n")[0]
            raise SpecError(f"{self.where}: cannot be rendered{at}: {why}") from error
        finally:
            _METER.reset(token)


def _value(value: Any) -> Any:
    return value if value is SLOT else plain(value)
