"""What chat completions tell of labels, where log-probabilities of whole labels are not to be had.

* ``first_token``: log-probabilities of the most probable first tokens of the reply. A label whose
  first token is not among them has an upper bound: the least of those that are. Where the bounds
  decide nothing the row is unscored; where they leave one winner it is a decision, not a number.
* ``choice``: the server lets the model write a label and nothing else.
* ``generation``: the model writes what it likes, and the reply behind its thoughts must be a label.

A reply that was chosen or written has no probability, and none is made up: see `Evidence.decided`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.backends.openai_client import Client, Fault
from promptkit.errors import DataError
from promptkit.prompts.thinking import without_thinking

Messages = Sequence[Mapping[str, str]]

#: First tokens of a reply that are asked for: the most that the API allows.
TOP = 20
#: Tokens of a reply beside those of the longest label.
ROOM = 16
#: Characters of a reply that is no label which a reason repeats.
_TOLD = 120


@dataclass(frozen=True)
class Judged:
    """What was found out about a row's words.

    Args:
        log_p: (c,) of each word.
        decided: See `promptkit.types.Evidence`.
    """

    log_p: tuple[float, ...]
    decided: bool


class Chat:
    """Asks one server for replies.

    Args:
        client: The server.
        model: The model's name there.
        extra: Further entries of each request.
        structured: How a choice is asked for there; see `CHOOSING`.
    """

    def __init__(
        self,
        client: Client,
        model: str,
        extra: Mapping[str, Any] | None = None,
        structured: str | None = None,
    ) -> None:
        self.client, self.model, self.extra = client, model, dict(extra or {})
        self.structured = structured
        self._limit = "max_tokens"

    def judge(
        self, way: str, messages: Messages, words: Sequence[str], labels: Sequence[object]
    ) -> Judged:
        """What the model says of the words.

        Args:
            way: ``first_token``, ``choice`` or ``generation``.
            messages: The chat.
            words: What it may say, white space at their ends aside.
            labels: (c,) what names the label of each word.

        Raises:
            DataError: Nothing can be concluded; the message says why.
            Fault: There was no answer.
        """
        if way == "first_token":
            return first_token(self.top(messages), words, labels)
        if way == "choice":
            said = self.chosen(messages, words)
        else:
            answer = without_thinking(self.written(messages, max(map(len, words)) + ROOM))
            if answer is None:
                raise DataError(
                    "the reply ended before its thoughts did; tell the model not to think "
                    "(--chat-template-kwargs)"
                )
            said = answer
        return _decision(_which(said, words), labels)

    def top(self, messages: Messages) -> dict[str, float]:
        """The most probable first tokens of the reply.

        Raises:
            DataError: The server tells none.
        """
        choice = self._ask(messages, 1, logprobs=True, top_logprobs=TOP)
        steps = (choice.get("logprobs") or {}).get("content") or []
        listed = steps[0].get("top_logprobs") if steps else None
        if not listed:
            raise DataError("the server tells no log-probabilities of the reply")
        found: dict[str, float] = {}
        for one in listed:
            value = float(one["logprob"])
            found[one["token"]] = max(value, found.get(one["token"], -math.inf))
        return found

    def chosen(
        self, messages: Messages, words: Sequence[str], how: str | None = None, **more: Any
    ) -> str:
        """The word that the model writes when it may write no other.

        Args:
            messages: The chat.
            words: What it may write.
            how: One of `CHOOSING`; None for what the server obeys.
            more: Further entries of the request.
        """
        how = how or self.structured or ""
        room = max(map(len, words)) + ROOM
        reply = self.text(self._ask(messages, room, **CHOOSING[how](list(words)), **more))
        if how != "response_format":
            return reply
        try:
            return str(json.loads(reply)["answer"])
        except (ValueError, KeyError, TypeError):
            return reply

    def written(self, messages: Messages, room: int) -> str:
        """What the model writes."""
        return self.text(self._ask(messages, room))

    def replies(self, messages: Messages, room: int, **how: Any) -> list[Mapping[str, Any]]:
        """The choices of one request; there is one at least.

        Raises:
            DataError: None.
        """
        body = {"model": self.model, "messages": list(messages), "temperature": 0}
        try:
            found = self._posted(body, room, how)
        except Fault as fault:
            # the newer name is the only one that some servers take, and others do not know it
            if self._limit != "max_tokens" or "max_completion_tokens" not in fault.reason:
                raise
            self._limit = "max_completion_tokens"
            found = self._posted(body, room, how)
        choices = [one for one in found.get("choices") or () if isinstance(one, Mapping)]
        if not choices:
            raise DataError("the server answers no choice")
        return choices

    def _ask(self, messages: Messages, room: int, **how: Any) -> Mapping[str, Any]:
        return self.replies(messages, room, **how)[0]

    def _posted(self, body: Mapping[str, Any], room: int, how: Mapping[str, Any]) -> dict[str, Any]:
        return self.client.post(
            "/chat/completions", {**body, self._limit: room, **self.extra, **how}
        )

    @staticmethod
    def text(choice: Mapping[str, Any]) -> str:
        """What a reply says; of one that ended in its thoughts, these in a block left open."""
        message = choice.get("message") or {}
        thoughts = message.get("reasoning_content") or message.get("reasoning")
        if thoughts and not message.get("content"):
            return f"<think>\n{thoughts}"
        return str(message.get("content") or "")


def _schema(words: list[str]) -> dict[str, Any]:
    answer = {"type": "string", "enum": words}
    schema = {
        "type": "object",
        "properties": {"answer": answer},
        "required": ["answer"],
        "additionalProperties": False,
    }
    named = {"name": "answer", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


#: Ways to ask for one of several words, by the name of the request's entry.
CHOOSING = {
    "structured_outputs": lambda words: {"structured_outputs": {"choice": words}},
    "guided_choice": lambda words: {"guided_choice": words},
    "response_format": _schema,
}


def first_token(top: Mapping[str, float], words: Sequence[str], labels: Sequence[object]) -> Judged:
    """Evidence from the log-probabilities of the first tokens of a reply.

    A word counts what the tokens have that it alone begins with: after ``po`` the reply may go on
    to ``positive``, and to no other label. A word with no token in the list has at most the
    probability of the least token in it.

    Args:
        top: The most probable tokens.
        words: (c,) what may be said.
        labels: (c,) what names the label of each word.

    Raises:
        DataError: The list does not decide.
    """
    own: list[list[float]] = [[] for _ in words]
    shared: list[list[float]] = [[] for _ in words]
    for token, value in top.items():
        begun = [place for place, word in enumerate(words) if token and word.startswith(token)]
        if len({labels[place] for place in begun}) > 1:
            for place in begun:
                shared[place].append(value)
        elif begun:
            own[begun[0]].append(value)
    log_p = tuple(_log_sum(values) if values else -math.inf for values in own)
    if all(own):
        return Judged(log_p, False)
    # a token that several labels begin with may be the whole of what one of them has
    bound = min(top.values())
    upper: dict[object, list[float]] = {}
    lower: dict[object, float] = {}
    for label, value, values, alike in zip(labels, log_p, own, shared, strict=True):
        upper.setdefault(label, []).append(value if values else _log_sum([bound, *alike]))
        lower[label] = max(value, lower.get(label, -math.inf))
    best = max(lower, key=lambda label: lower[label])
    if lower[best] == -math.inf:
        raise DataError(f"no label is among the {len(top)} most probable tokens of the reply")
    rivals = [_log_sum(values) for label, values in upper.items() if label != best]
    if rivals and max(rivals) >= lower[best]:
        raise DataError(
            f"the {len(top)} most probable tokens of the reply do not decide between the labels"
        )
    return Judged(tuple(0.0 if label == best else -math.inf for label in labels), True)


def alike(words: Sequence[str], labels: Sequence[object]) -> bool:
    """Whether words of different labels begin alike, so that a first token may not tell them apart.

    >>> alike(["very good", "very bad"], [1, 2]), alike(["good", "bad"], [1, 2])
    (True, False)
    """
    pairs = list(zip(words, labels, strict=True))
    return any(
        one.split()[:1] == other.split()[:1] or one.startswith(other) or other.startswith(one)
        for place, (one, label) in enumerate(pairs)
        for other, its in pairs[:place]
        if its != label
    )


def _which(said: str, words: Sequence[str]) -> int:
    """The place of the word that was said, case and white space aside.

    Raises:
        DataError: It is none of them; its text is kept in the message.
    """
    plain = _plain(said)
    exact = [place for place, word in enumerate(words) if word == said.strip()]
    found = exact or [place for place, word in enumerate(words) if _plain(word) == plain]
    if len(found) == 1:
        return found[0]
    reply = " ".join(said.split())
    shown = reply if len(reply) <= _TOLD else reply[:_TOLD] + "..."
    raise DataError(f"the reply is {'no' if not found else 'more than one'} label: {shown!r}")


def _decision(place: int, labels: Sequence[object]) -> Judged:
    """All words of the chosen label alike, so that no pooling of words turns the decision."""
    chosen = labels[place]
    return Judged(tuple(0.0 if label == chosen else -math.inf for label in labels), True)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _log_sum(values: Sequence[float]) -> float:
    highest = max(values)
    if highest == -math.inf:
        return highest
    return min(0.0, highest + math.log(sum(math.exp(value - highest) for value in values)))
