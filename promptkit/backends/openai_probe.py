"""What a server can do, found out by asking: what it says of itself is not relied on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from promptkit.backends.openai_chat import CHOOSING, Chat
from promptkit.backends.openai_client import Client, Fault
from promptkit.backends.openai_completions import Completions
from promptkit.backends.tokens import Tokens
from promptkit.errors import BackendError, DataError
from promptkit.types import Piece

#: Tries a kind of evidence by name, and says whether it can be had.
Works = Callable[[str, Callable[[], Any]], bool]

#: Kinds of evidence by their option's value, the best first, and what tables call them.
WAYS = {
    "steps": "log-probability",
    "prompt_logprobs": "log-probability",
    "echo": "log-probability",
    "first_token": "log-probability of the first token among the top k",
    "choice": "choice",
    "generation": "generated text",
}
#: What needs token ids, and so a tokenizer.
BY_IDS = ("steps", "prompt_logprobs")
#: Words that nobody says unless he must.
ODD = ("zorvex", "quilbat")
#: Text that is sent to see what comes back of it.
TEXT = "The cat sat on the mat, and the dog"
WORD = "dog"
HELLO = ({"role": "user", "content": "Say hello."},)
#: What servers do to a model's own probabilities before they draw, undone: llama-cpp-python by
#: itself, vLLM where the model's folder says so.
PLAIN = {"repeat_penalty": 1.0, "repetition_penalty": 1.0, "min_p": 0.0, "top_k": 0}


@dataclass(frozen=True)
class Abilities:
    """What was found out.

    Args:
        ways: Kinds of evidence that can be had, the best first.
        structured: How a choice is asked for, if it is obeyed.
        by_ids: Whether prompts are sent as token ids.
        left_out: Tokens at the start of a prompt that an echo leaves out.
        plain: Entries of a request to write that leave the model's probabilities as they are, if
            the server takes them.
        max_tokens: Tokens that the model reads at once; None where the server does not say.
        identity: What the server says of its model.
        refused: Why a kind of evidence cannot be had.
    """

    ways: tuple[str, ...]
    structured: str | None
    by_ids: bool
    left_out: int
    plain: Mapping[str, float]
    max_tokens: int | None
    identity: Mapping[str, Any]
    refused: Mapping[str, str] = field(default_factory=dict)


def probe(client: Client, model: str, tokens: Tokens | None, extra: Mapping[str, Any]) -> Abilities:
    """Ask the server for each kind of evidence once.

    Raises:
        BackendError: Nobody answers, the model is not there, or the tokenizer is not the model's.
    """
    entry = _entry(client, model)
    refused: dict[str, str] = {}
    ways: list[str] = []
    broken: list[Fault] = []
    completions = Completions(client, model)

    def works(way: str, ask: Callable[[], Any]) -> bool:
        try:
            with client.exploring():
                ask()
        except (DataError, Fault) as error:
            if isinstance(error, Fault) and error.kind != "refused":
                raise client.gone(error) from error
            if isinstance(error, Fault) and error.status == 500:
                broken.append(error)
            refused[way] = str(error)
            return False
        ways.append(way)
        return True

    by_ids = tokens is not None and _takes_ids(works, completions, tokens)
    if not by_ids:
        works("echo", lambda: _spelled(completions.learn_echo(TEXT, WORD)))

    def writes(plain: Mapping[str, float]) -> str:
        return Chat(client, model, {**extra, **plain}).written(HELLO, 4)

    plain = next((one for one in (PLAIN, {}) if works("generation", partial(writes, one))), {})
    chat = Chat(client, model, {**extra, **plain})
    works("first_token", lambda: _several(chat.top(HELLO)))
    structured = next(
        (how for how in CHOOSING if works("choice", partial(_obeyed, chat, how))), None
    )
    if not ways:
        if broken:
            raise client.gone(broken[0]) from broken[0]
        why = next(iter(refused.values()))
        raise BackendError(
            f"server {client.url}: model {model!r} gives no evidence of any kind; {why}",
            hint="check the model's name there, and that the address ends in /v1",
        )
    limit = entry.get("max_model_len")
    return Abilities(
        ways=tuple(way for way in WAYS if way in ways),
        structured=structured,
        by_ids=by_ids,
        left_out=completions.left_out,
        plain=plain,
        max_tokens=int(limit) if isinstance(limit, int) else None,
        identity=_identity(entry),
        refused={way: why for way, why in refused.items() if way not in ways},
    )


def _takes_ids(works: Works, completions: Completions, tokens: Tokens) -> bool:
    ids = (*tokens.wrapping[0], *tokens.encode([(Piece(TEXT),)])[0].ids)
    found = [
        works("steps", lambda: completions.named(ids[:-1], sorted(set(ids)))),
        works("prompt_logprobs", lambda: completions.of_ids(ids, "prompt_logprobs")),
        works("echo", lambda: _check_tokenizer(completions.learn_echo(list(ids), WORD, len(ids)))),
    ]
    return any(found)


def _entry(client: Client, model: str) -> Mapping[str, Any]:
    """What ``/v1/models`` says of a model; empty where the server has no such list.

    Raises:
        BackendError: Nobody answers, or the model is not in the list.
    """
    try:
        listed = client.get("/models").get("data")
    except Fault as fault:
        if fault.kind != "refused":
            raise client.gone(fault) from fault
        return {}
    entries = [one for one in listed or () if isinstance(one, Mapping)]
    found = [one for one in entries if one.get("id") == model]
    if entries and not found:
        names = ", ".join(str(one.get("id")) for one in entries[:8])
        raise BackendError(
            f"server {client.url} serves no model {model!r}", hint=f"it serves {names}"
        )
    return found[0] if found else {}


def _identity(entry: Mapping[str, Any]) -> dict[str, str]:
    """What names the model; where its folder lies on the server, and since when, does not."""
    found = {key: str(entry[key]) for key in ("id", "root", "owned_by") if entry.get(key)}
    return {
        key: value.rstrip("/").rpartition("/")[2] if value.startswith("/") else value
        for key, value in found.items()
    }


def _spelled(echoed: str) -> None:
    if not echoed.endswith(TEXT):
        raise DataError(f"the server echoes {echoed!r} where it was sent {TEXT!r}")


def _several(top: Mapping[str, float]) -> None:
    if len(top) < 2:
        raise DataError("the server tells one first token of a reply, and no others")


def _obeyed(chat: Chat, how: str) -> None:
    said = chat.chosen(HELLO, ODD, how)
    if said.strip() not in ODD:
        raise DataError("asked for one of two words, the server lets the model write another")


def _check_tokenizer(echoed: str) -> None:
    """The ids that were sent must be this text to the server as well.

    Raises:
        BackendError: They are another text there.
    """
    spelled = echoed.replace("▁", " ").replace("Ġ", " ")
    if "".join(TEXT.split()) not in "".join(spelled.split()):
        raise BackendError(
            f"the tokenizer is not the model's: {TEXT!r} comes back as {spelled.strip()!r}",
            hint="give the folder or the hub id of the model that is served (--tokenizer)",
        )
