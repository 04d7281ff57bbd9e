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
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import LoopContext, TemplateReference, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from promptkit.errors import SpecError, nearest
from promptkit.prompts.meter import (
    METER,
    Meter,
    TooMuch,
    bounded,
    concat,
    counted,
    held,
    join_fits,
    joined,
    json_text,
    made,
    replace_fits,
    room,
    strip_fits,
    text_of,
    weigh,
)
from promptkit.types import Piece, Text

#: Fences around row text, and the slot of a cloze. Noncharacters: no text that is meant to be
#: exchanged holds them (Unicode 15, section 23.7).
OPEN, CLOSE, SLOT = "\ufdd0", "\ufdd1", "\ufdd2"
_FENCES = re.compile(f"[{OPEN}{CLOSE}{SLOT}]")


class _Mask(str):
    """Told by identity, so that no row can bring it."""


#: The value of a cloze's ``mask``: printed as it stands, it becomes the slot.
MASK = _Mask(SLOT)

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


class _Metering(NodeTransformer):
    """Sends every loop, list and ``~`` past the meter; refuses what reaches other templates.

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

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return nodes.Filter(node, "a value", [], [], None, None, lineno=node.lineno)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        if node.ctx != "load":  # the names of ``for a, b in`` and ``set a, b =``
            return node
        return nodes.Filter(node, "a value", [], [], None, None, lineno=node.lineno)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return nodes.Filter(node, "a value", [], [], None, None, lineno=node.lineno)

    def _refuse(self, node: nodes.Node) -> nodes.Node:
        tag = type(node).__name__.lower()
        raise TemplateSyntaxError(f"{tag!r} is not allowed: a template is one file", node.lineno)

    visit_Include = visit_Import = visit_FromImport = visit_Extends = _refuse


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of every prompt template."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})
    concat = staticmethod(concat)

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined, keep_trailing_newline=True, finalize=_fenced, cache_size=0
        )
        self.globals = {"range": self.globals["range"], "namespace": self.globals["namespace"]}
        known = {**self.filters, "tojson": json_text}
        self.filters = {name: bounded(name, known[name]) for name in FILTERS}
        self.filters |= {"a loop": counted, "a join": joined, "a value": held}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Metering().visit(super()._parse(source, name, filename))
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only the methods of METHODS may be reached; plain values as Jinja allows them."""
        if not super().is_safe_attribute(obj, attr, value):
            return False
        if not callable(value) or isinstance(obj, Namespace | LoopContext | TemplateReference):
            return True
        return any(isinstance(obj, kind) and attr in METHODS[kind] for kind in METHODS)

    def wrap_str_format(self, value: Any) -> None:
        """No ``str.format``: its width would be read from the text."""

    def call(__self, __context: Any, __obj: Any, *args: Any, **options: Any) -> Any:
        """Call what a template calls, sizes looked at first."""
        METER.get().step()
        weigh(*args, *options.values())
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            replace_fits(owner, *args)
        if isinstance(owner, str) and name == "join":
            args = (join_fits(args[0], owner), *args[1:])
        if isinstance(owner, str) and name in {"strip", "lstrip", "rstrip"}:
            strip_fits(*args)
        return made(super().call(__context, __obj, *args, **options))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Run arithmetic when the result stays small."""
        METER.get().step()
        if operator == "**":
            raise TooMuch("the operator '**' is not allowed")
        if operator == "%" and isinstance(left, str):
            raise TooMuch("'%' on text is not allowed; write the value in {{ }}")
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if numbers and max(abs(left), abs(right)) > 1e15:
            raise TooMuch("a number grows past 1e15")
        if not numbers and operator == "*":
            times = next((v for v in (left, right) if isinstance(v, int)), 1)
            room(weigh(right if isinstance(left, int) else left) * max(0, times))
        if not numbers and operator == "+":
            room(weigh(left, right))
        return super().call_binop(context, operator, left, right)


def _fenced(value: Any) -> Any:
    """Jinja's ``finalize``: marks what an expression prints as row text."""
    if isinstance(value, Undefined):
        return str(value)  # raises, with the variable's name
    if value is MASK:
        return SLOT
    text = _FENCES.sub("", str(value) if METER.get(None) is None else text_of(value))
    if METER.get(None) is not None:  # Jinja prints constants when it compiles
        room(len(text))
    return f"{OPEN}{text}{CLOSE}"


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
        # a slot and an opening fence stand outside of row text, a closing one ends it
        if (mark != CLOSE) == row:
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
        except (RecursionError, SyntaxError, ValueError, MemoryError) as error:
            raise SpecError(f"{where}: nested too deeply, or a number too long") from error
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
        token = METER.set(Meter())
        chunks: list[str] = []
        try:
            for chunk in self._template.generate({k: _value(v) for k, v in values.items()}):
                room(len(chunk))
                chunks.append(chunk)
            return pieces_of("".join(chunks))
        except (TemplateError, ValueError, TypeError, ArithmeticError, RecursionError, LookupError,
                AttributeError, MemoryError) as error:  # fmt: skip
            at = f" (row {row!r})" if row else ""
            why = str(error).partition("\n")[0]
            raise SpecError(f"{self.where}: cannot be rendered{at}: {why}") from error
        finally:
            METER.reset(token)


def _value(value: Any) -> Any:
    return value if value is MASK else plain(value)
