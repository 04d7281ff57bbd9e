"""A structured prompt as one text or as chat messages, every piece keeping its origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from promptkit.errors import BackendError
from promptkit.prompts.sandbox import fence, pieces_of
from promptkit.prompts.thinking import Closing, block_in
from promptkit.types import Piece, Prompt, Text, flat

Role = Literal["instruction", "demonstration", "query", "think block", "prefill", "frame"]
Message = Mapping[str, str]
#: Renders messages as one string that ends where the model's turn begins.
ChatRenderer = Callable[[Sequence[Message]], str]
#: Says what has to follow a generation prompt before an answer: see `promptkit.prompts.thinking`.
Closer = Callable[[str], Closing]


@dataclass(frozen=True)
class Flat:
    """A flat prompt.

    Args:
        text: All of it, up to where the answer begins.
        spans: (role, start, end) in characters, in order; what no span covers is ``frame``: chat
            template and separators.
        opens_turn: Whether the answer begins a turn, so that its leading white space is dropped.
        note: What a reader of the prompt should know about its end.
    """

    text: Text
    spans: tuple[tuple[Role, int, int], ...]
    opens_turn: bool = False
    note: str = ""


def flatten(prompt: Prompt, chat: ChatRenderer | None = None, close: Closer | None = None) -> Flat:
    """One text, through the model's chat template when the prompt asks for chat.

    Args:
        prompt: The prompt.
        chat: The model's chat template, None when it has none.
        close: What has to follow its generation prompt; None for nothing.

    Raises:
        BackendError: A chat prompt and no chat template, or one that mangles messages.
        CapabilityError: The model would think before it answers.
    """
    if not prompt.chat:
        return _joined(prompt)
    if chat is None:
        raise BackendError(
            "the template is a chat, and this model has no chat template",
            hint="set 'chat: false', or use an instruction-tuned model",
        )
    return _begun(prompt, _chatted(prompt, chat), close)


def answer_text(flat_prompt: Flat, answer: Text) -> Text:
    """The answer as it continues this prompt: at the head of a turn it has no leading blank."""
    if not flat_prompt.opens_turn:
        return answer
    kept: list[Piece] = []
    for piece in answer:
        text = piece.text if kept else piece.text.lstrip()
        if text:
            kept.append(Piece(text, piece.row))
    return tuple(kept)


def _parts(prompt: Prompt) -> list[tuple[Role, Text]]:
    head = [text for text in (prompt.system, prompt.instruction) if flat(text).strip()]
    return [
        *(("instruction", text) for text in head),
        *(("demonstration", (*shot.query, *shot.answer)) for shot in prompt.shots),
        ("query", prompt.query),
    ]


def _joined(prompt: Prompt) -> Flat:
    pieces: list[Piece] = []
    spans: list[tuple[Role, int, int]] = []
    size = 0
    between = ""
    for role, text in _parts(prompt):
        if pieces and between:
            pieces.append(Piece(between))
            size += len(between)
        between = _behind(role, prompt)
        end = size + len(flat(text))
        spans.append((role, size, end))
        pieces += text
        size = end
    return Flat(tuple(pieces), tuple(spans))


def _behind(role: Role, prompt: Prompt) -> str:
    """What stands between a part of the prompt and the next one."""
    joined = role == "instruction" and prompt.joint is not None
    return str(prompt.joint) if joined else prompt.separator


def messages_of(prompt: Prompt) -> list[dict[str, str]]:
    """Chat messages whose row text is fenced: the instruction opens the first user turn."""
    turns: list[tuple[str, Text]] = []
    behind = Piece(_behind("instruction", prompt))
    lead = (*prompt.instruction, behind) if prompt.instruction else ()
    for shot in prompt.shots:
        answer = stripped((*prompt.prefill, *shot.answer))
        turns += [("user", (*lead, *shot.query)), ("assistant", answer)]
        lead = ()
    turns.append(("user", (*lead, *prompt.query)))
    if flat(prompt.system).strip():
        turns.insert(0, ("system", prompt.system))
    return [{"role": role, "content": fence(text)} for role, text in turns]


def _chatted(prompt: Prompt, chat: ChatRenderer) -> Flat:
    messages = messages_of(prompt)
    try:
        text = pieces_of(chat(messages))
    except ValueError as error:
        raise BackendError(
            f"row {prompt.example_id!r}: the model's chat template takes row text apart ({error})",
            hint="set 'chat: false' in the template",
        ) from error
    whole, cursor = flat(text), 0
    spans: list[tuple[Role, int, int]] = []
    for role, part in _parts(prompt):
        # demonstrations are two turns with template text between them: find their first half
        needle = flat(part).strip()
        if role == "demonstration":
            shot = prompt.shots[sum(r == "demonstration" for r, _, _ in spans)]
            needle = flat(shot.query).strip()
        start = whole.find(needle, cursor)
        if start < 0:
            raise BackendError(
                f"row {prompt.example_id!r}: the model's chat template leaves out the {role}",
                hint="set 'chat: false' in the template",
            )
        cursor = start + len(needle)
        if role == "demonstration":
            answer = flat((*prompt.prefill, *shot.answer)).strip()
            found = whole.find(answer, cursor)
            if found < 0:
                raise BackendError(
                    f"row {prompt.example_id!r}: the model's chat template leaves out an answer",
                    hint="set 'chat: false' in the template",
                )
            cursor = found + len(answer)
        spans.append((role, start, cursor))
    return Flat(text, tuple(spans), opens_turn=True)


def _begun(prompt: Prompt, chatted: Flat, close: Closer | None) -> Flat:
    """A chat with the beginning of the model's turn: a closed think block, then the prefill."""
    text, spans = list(chatted.text), list(chatted.spans)
    whole = flat(chatted.text)
    # the last part is the query: all that follows it is the chat template's
    start = spans[-1][2]
    closing = close(whole[start:]) if close else Closing()
    if closing.text:
        text.append(Piece(closing.text))
        whole += closing.text
    block = block_in(whole[start:])
    if block:
        spans.append(("think block", start + block[0], start + block[1]))
    if prompt.prefill:
        spans.append(("prefill", len(whole), len(whole) + len(flat(prompt.prefill))))
        text += prompt.prefill
    return Flat(tuple(text), tuple(spans), opens_turn=not prompt.prefill, note=closing.note)


def stripped(text: Text) -> Text:
    """A text without white space at its two ends; the same text where there is nothing else."""
    whole = flat(text)
    first, last = len(whole) - len(whole.lstrip()), len(whole.rstrip())
    kept: list[Piece] = []
    start = 0
    for piece in text:
        inside = piece.text[max(0, first - start) : max(0, last - start)]
        start += len(piece.text)
        if inside:
            kept.append(Piece(inside, piece.row))
    return tuple(kept) or text


def merging_system(render: ChatRenderer) -> ChatRenderer:
    """A renderer for models without a system role: system text opens the first user turn.

    Whether the model has the role is found out by rendering: some templates raise an error,
    others leave the text out without a word.
    """
    probe = [{"role": "system", "content": "\x02probe"}, {"role": "user", "content": "u"}]
    try:
        knows_system = "\x02probe" in render(probe)
    except Exception:  # whatever a model's own Jinja raises
        knows_system = False

    def merged(messages: Sequence[Message]) -> str:
        if knows_system or messages[0]["role"] != "system":
            return render(messages)
        system, first, *rest = messages
        content = f"{system['content']}\n\n{first['content']}"
        return render([{"role": first["role"], "content": content}, *rest])

    return merged
