"""Think blocks: where a chat template leaves the model before its answer, and what it wrote there.

Thinking models write ``<think>...</think>`` before they answer. Which of three states a rendered
prompt is in is read from its end, the *generation prompt*: all that follows the last user's text.

* ``closed``: a block is there and closed, mostly an empty one (Qwen3 with thinking off). The answer
  comes next.
* ``open``: a block is begun (QwQ, DeepSeek-R1). What comes next is thinking.
* ``none``: there is no block. The answer comes next, or the model begins one itself (Qwen3 with
  thinking on); only the template's source can tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from jinja2 import Environment, TemplateError, nodes
from jinja2.meta import find_undeclared_variables

from promptkit.errors import CapabilityError

State = Literal["closed", "open", "none"]


class Markers(NamedTuple):
    """What begins and what ends a think block."""

    opens: str
    closes: str

    @property
    def empty(self) -> str:
        """A closed block with nothing in it, as Qwen3 was trained to read it."""
        return f"{self.opens}\n\n{self.closes}\n\n"


#: Ways to write a block; which of them a model uses is read from its chat template.
KNOWN = (
    Markers("<think>", "</think>"),
    Markers("<thinking>", "</thinking>"),
    Markers("<thought>", "</thought>"),
    Markers("<reasoning>", "</reasoning>"),
    Markers("[THINK]", "[/THINK]"),
    Markers("<|START_THINKING|>", "<|END_THINKING|>"),
)
#: Variables of chat templates that turn thinking on and off: enable_thinking, thinking...
_SWITCH = re.compile(r"think|reason", re.IGNORECASE)
_NO_CHAT = "use --no-chat, or a model that can answer without thinking first"


def state_of(generation: str) -> State:
    r"""The state in which a generation prompt leaves the model.

    >>> state_of("<|im_start|>assistant\n<think>\n")
    'open'
    >>> state_of("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    'closed'
    """
    last = _last(generation)
    return "none" if last is None else last[0]


def opened_in(generation: str) -> str:
    r"""The marker of a block that a generation prompt begins and leaves open; empty for none.

    >>> opened_in("<|im_start|>assistant\n<think>\n")
    '<think>'
    """
    last = _last(generation)
    return last[2].opens if last is not None and last[0] == "open" else ""


def block_in(generation: str) -> tuple[int, int] | None:
    """First and last character of its closed block, the last excluded; None where there is none.

    A closing marker without an opening one is a block too: DeepSeek-V3.1 turns thinking off so.
    """
    last = _last(generation)
    if last is None or last[0] == "open":
        return None
    _, at, pair = last
    start = generation.rfind(pair.opens, 0, at)
    return (at if start < 0 else start), at + len(pair.closes)


def _last(text: str) -> tuple[State, int, Markers] | None:
    """State, place and pair of the last marker."""
    found: list[tuple[int, State, Markers]] = []
    for pair in KNOWN:
        found.append((text.rfind(pair.opens), "open", pair))
        found.append((text.rfind(pair.closes), "closed", pair))
    at, state, pair = max(found, key=lambda one: one[0])
    return None if at < 0 else (state, at, pair)


def without_thinking(text: str) -> str | None:
    r"""What a model answered, its thinking left out; None where it never came to an answer.

    The answer follows the last closing marker. Where the block was begun by the prompt, there is a
    closing marker only. A text without markers is returned as it is.

    >>> without_thinking("<think>\nLooks kind.\n</think>\n\npositive")
    'positive'
    >>> without_thinking("<think>\nLooks ki") is None
    True
    """
    last = _last(text)
    if last is None:
        return text
    state, at, pair = last
    return None if state == "open" else text[at + len(pair.closes) :].lstrip()


class Source:
    """What the source of a chat template says about thinking.

    Args:
        text: The template's Jinja source.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.markers = next((pair for pair in KNOWN if pair.opens in text), None) or next(
            (pair for pair in KNOWN if pair.closes in text), None
        )
        try:
            # transformers' own statement, such as {% generation %}, means nothing here
            tree = Environment(extensions=["jinja2.ext.loopcontrols"]).parse(
                re.sub(r"\{%-?\s*(?:end)?generation\s*-?%\}", "", text)
            )
        except TemplateError:  # transformers will say so when it renders it
            tree = None
        #: Names of its arguments; None where they cannot be told.
        self.variables = None if tree is None else find_undeclared_variables(tree)
        #: Those that turn thinking on and off.
        self.switches = sorted(name for name in self.variables or () if _SWITCH.search(name))
        #: Whether a block may stand in the generation prompt.
        self.generates = self.markers is not None and any(
            self.markers.opens in said
            for branch in (_generation(tree) if tree else [])
            for said in _strings(branch)
        )


def _generation(tree: nodes.Node) -> list[nodes.Node]:
    """The parts of a template that are written when a generation prompt is asked for."""
    return [
        part
        for branch in tree.find_all(nodes.If)
        if any(name.name == "add_generation_prompt" for name in branch.test.find_all(nodes.Name))
        or getattr(branch.test, "name", "") == "add_generation_prompt"
        for part in branch.body
    ]


def _strings(part: nodes.Node) -> list[str]:
    written = [str(one.data) for one in part.find_all(nodes.TemplateData)]
    return written + [str(one.value) for one in part.find_all(nodes.Const)]


class Closing(NamedTuple):
    """What follows a generation prompt, and what a reader of it should know."""

    text: str = ""
    note: str = ""


def closing(
    generation: str,
    source: Source,
    given: Mapping[str, Any],
    render: Callable[[Mapping[str, Any]], str],
) -> Closing:
    """What has to follow a generation prompt so that an answer comes next; mostly nothing.

    Args:
        generation: The generation prompt as it was rendered.
        source: The template's source.
        given: The arguments of the template.
        render: A generation prompt with other arguments.

    Raises:
        CapabilityError: The model would think first, so that labels cannot be scored here.
    """
    state = state_of(generation)
    if state == "closed" or (state == "none" and source.markers is None):
        return Closing()
    if state == "open":
        raise CapabilityError(
            "labels cannot be scored: the chat template leaves a think block open "
            f"({generation.strip()[-24:]!r}), so that thinking comes next and not the answer; "
            + _advice(source, given, render)
        )
    assert source.markers is not None
    asked = [name for name in source.switches if given.get(name) is True]
    closes = _leading_to("closed", source, given, render)
    if asked or closes:
        why = f"{asked[0]}=true was asked for" if asked else f"{closes} is not off"
        raise CapabilityError(
            f"labels cannot be scored: {why}, and the chat template renders no think block, so "
            f"that the model's answer would begin with {source.markers.opens!r}; "
            + _advice(source, given, render)
        )
    if source.switches or not source.generates:
        # a switch that is off and leaves no block is what the model was trained to answer after
        return Closing(
            note=f"the chat template knows {source.markers.opens!r} and renders no think block here"
        )
    return Closing(
        source.markers.empty,
        "the chat template cannot close a think block: an empty one was put behind it",
    )


def _advice(
    source: Source, given: Mapping[str, Any], render: Callable[[Mapping[str, Any]], str]
) -> str:
    switch = _leading_to("closed", source, given, render) or _leading_to(
        "none", source, given, render
    )
    return f"give --chat-template-kwargs {switch}=false" if switch else _NO_CHAT


def _leading_to(
    wanted: State,
    source: Source,
    given: Mapping[str, Any],
    render: Callable[[Mapping[str, Any]], str],
) -> str | None:
    """The first switch that leaves the block in this state when it is turned off."""
    for name in source.switches:
        if given.get(name) is not False and state_of(render({**given, name: False})) == wanted:
            return name
    return None
