"""What a model goes on from when it writes: token ids, shortened so that an answer has room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from promptkit.backends.asking import evidence_of
from promptkit.backends.tokens import Tokens
from promptkit.errors import DataError
from promptkit.prompts.budget import fit
from promptkit.prompts.flatten import Flat, answer_text
from promptkit.prompts.thinking import opened_in
from promptkit.types import Candidate, Evidence, Generation, Piece, Prompt, Text, flat

#: What a table calls texts that a model wrote freely, and those that it had to choose from.
FREE, CONSTRAINED = "generated text", "generated text, constrained to the labels"


@dataclass(frozen=True)
class Beginning:
    """A prompt as a model that writes reads it.

    Args:
        prompt: The prompt, perhaps shortened.
        ids: Token ids; empty where there is a problem.
        opened: What opens a think block that the prompt leaves open; empty where it does not.
        choices: What alone can be written, its leading white space included; empty for anything.
        answers: Token ids of the choices, where tokens alone can be written.
        problem: Why nothing can be written.
    """

    prompt: Prompt
    ids: tuple[int, ...] = ()
    opened: str = ""
    choices: tuple[str, ...] = ()
    answers: tuple[tuple[int, ...], ...] = ()
    problem: str = ""


def beginnings(
    tokens: Tokens,
    prompts: Sequence[Prompt],
    choices: Sequence[Sequence[Candidate]] | None,
    *,
    room: int,
    max_tokens: int,
    read: Callable[[Sequence[Text]], list[tuple[int, ...]]],
) -> list[Beginning]:
    """Prompts as the model reads them.

    Where a choice has to follow, a think block is closed first, as when labels are scored; a free
    answer is left to the chat template.

    Args:
        tokens: The model's tokenizer.
        prompts: What is asked.
        choices: For each prompt what alone can be written; None for anything.
        room: Tokens that a free answer needs.
        max_tokens: Most tokens that the model reads at once.
        read: Ids of texts, with what the model wants around them.

    Raises:
        CapabilityError: The model would think before it chooses.
    """
    own = choices or [()] * len(prompts)
    flats = [tokens.flat(prompt, answering=choices is not None) for prompt in prompts]
    grounds = [without_blank(one) for one in flats]
    found = []
    for prompt, one, (text, blank), words, ids in zip(
        prompts, flats, grounds, own, read([text for text, _ in grounds]), strict=True
    ):
        said = tuple(blank + flat(answer_text(one, word.text)) for word in words)
        needed = room if choices is None else 1 + max(map(len, _encoded(tokens, said)))
        if len(ids) + needed > max_tokens:
            found.append(_shortened(tokens, prompt, said, needed, max_tokens, read))
        else:
            found.append(Beginning(prompt, ids, _opened(one, text), said))
    return found


def without_blank(prompt: Flat) -> tuple[Text, str]:
    """A prompt without the blanks at its end, and these.

    Most vocabularies hold `` positive`` and not ``positive``: behind ``Sentiment: `` a model that
    was shown ``Sentiment: positive`` is at a loss. The end of a turn is as its template has it.
    """
    text, blank = list(prompt.text), ""
    while text and not prompt.opens_turn:
        last = text.pop()
        kept = last.text.rstrip(" ")
        blank = last.text[len(kept) :] + blank
        if kept:
            text.append(Piece(kept, last.row))
            break
    return (tuple(text), blank) if text else (prompt.text, "")


def evidence_for(
    beginning: Beginning, written: Sequence[Generation], *, constrained: bool
) -> Evidence:
    """What a row's samples are stored as."""
    whole = [
        Generation(f"{beginning.opened}\n{one.text}", one.finish, one.n_tokens)
        if beginning.opened
        else one
        for one in written
    ]
    return evidence_of(
        beginning.prompt,
        log_p=(),
        kind=CONSTRAINED if constrained else FREE,
        problem=beginning.problem,
        generations=tuple(whole),
    )


def _shortened(
    tokens: Tokens,
    prompt: Prompt,
    choices: tuple[str, ...],
    room: int,
    max_tokens: int,
    read: Callable[[Sequence[Text]], list[tuple[int, ...]]],
) -> Beginning:
    def of(shorter: Prompt) -> tuple[Flat, Text, tuple[int, ...]]:
        one = tokens.flat(shorter, answering=bool(choices))
        text, _ = without_blank(one)
        return one, text, read([text])[0]

    try:
        keep = {choice.strip() for choice in choices}
        prompt = fit(prompt, lambda p: len(of(p)[2]) + room, max_tokens, keep)
    except DataError as error:
        return Beginning(prompt, problem=f"{error}, with {room} tokens of them for the answer")
    one, text, ids = of(prompt)
    return Beginning(prompt, ids, _opened(one, text), choices)


def _opened(prompt: Flat, text: Text) -> str:
    """What opens the think block that a chat's generation prompt leaves open."""
    query = [end for role, _, end in prompt.spans if role == "query"]
    return opened_in(flat(text)[query[-1] :]) if prompt.opens_turn and query else ""


def _encoded(tokens: Tokens, texts: Sequence[str]) -> list[tuple[int, ...]]:
    return [one.ids for one in tokens.encode([(Piece(text),) for text in texts])]
