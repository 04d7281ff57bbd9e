"""Log-probabilities of whole labels by ``/v1/completions``, in one of three ways.

* ``steps``: token ids in, one generated token out, and with it the log-probabilities of the tokens
  that were named (``logprob_token_ids``, vLLM): a request for each inner node of the labels' tree,
  which for labels of one token is one request. The server's prefix cache is used.
* ``prompt_logprobs``: prompt and label in, the log-probabilities of their tokens back (vLLM).
* ``echo``: the same in the words of the first completions servers.

With a tokenizer the prompt is sent as token ids, and what comes back must be about exactly these
ids. Without one the server reads text, and its tokens are found from the end of what it echoes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from promptkit.backends.openai_client import Client
from promptkit.backends.tokens import Request
from promptkit.backends.vllm_steps import nodes
from promptkit.errors import DataError

Ids = tuple[int, ...]

#: Named tokens of a request: vLLM takes at least as many.
MOST_NAMED = 128


class Completions:
    """Asks one server for log-probabilities.

    Args:
        client: The server.
        model: The model's name there.
        left_out: Tokens at the start of a prompt that an echo leaves out: none, or BOS.
    """

    def __init__(self, client: Client, model: str, left_out: int = 0) -> None:
        self.client, self.model, self.left_out = client, model, left_out

    def score(self, request: Request, way: str) -> list[float]:
        """(c,) log-probabilities of the answers of a row.

        Raises:
            DataError: What came back is not about these tokens.
            Fault: There was no answer.
        """
        if way == "steps":
            return self._by_steps(request)
        totals: dict[Ids, float] = {}
        # an answer that another one begins with is read off that one: the longest first
        for answer in sorted(set(request.answers), key=len, reverse=True):
            if answer not in totals:
                values = self.of_ids((*request.context, *answer), way)[len(request.context) :]
                for end in range(1, len(answer) + 1):
                    totals.setdefault(answer[:end], sum(values[:end]))
        return [totals[answer] for answer in request.answers]

    def of_ids(self, ids: Ids, way: str) -> list[float]:
        """(t,) log-probability of each token; the first one's, which nothing precedes, is 0."""
        if way == "prompt_logprobs":
            found = self._ask(list(ids), prompt_logprobs=0)
            return _of_prompt_logprobs(found, ids)
        _, values = self.echoed(list(ids), len(ids))
        return values

    def echoed(
        self, prompt: list[int] | str, n: int | None = None
    ) -> tuple[list[str], list[float]]:
        """(t,) tokens of a prompt and their log-probabilities.

        Args:
            prompt: Token ids or text.
            n: How many tokens there must be; None where only the server knows.

        Raises:
            DataError: The server does not echo, or counts other tokens than were sent.
        """
        tokens, values, read, ended = self._echo(prompt, n)
        told = read - self.left_out
        # with the generated token, or without it where that one ends the text
        if len(tokens) != told + 1 and not (ended and len(tokens) == told):
            raise DataError(f"the server echoes {len(tokens)} tokens of a prompt of {read}")
        numbers = [0.0, *(_number(value) for value in values[1:told])]
        return [""] * self.left_out + tokens[:told], [0.0] * self.left_out + numbers

    def learn_echo(self, prompt: list[int] | str, ending: str, n: int | None = None) -> str:
        """Find out with which token of a prompt an echo begins; gives what it spells.

        llama-cpp-python leaves BOS out. Where there is none it tells each token the number that
        belongs to the one after it, and no token of its own: that is no echo.

        Args:
            prompt: Token ids or text.
            ending: The prompt's last word.
            n: How many tokens there must be; None where only the server knows.

        Raises:
            DataError: The server does not echo, or not such that each number has its token.
        """
        tokens, _, read, _ = self._echo(prompt, n)
        self.left_out = read + 1 - len(tokens)
        whole = "".join(tokens[:-1])
        if self.left_out not in (0, 1) or (self.left_out and not whole.endswith(ending)):
            raise DataError(f"the server echoes {len(tokens)} tokens of a prompt of {read}")
        return whole

    def score_text(self, prompt: str, answers: Sequence[str]) -> tuple[list[float], list[int]]:
        """(c,) log-probabilities and numbers of tokens of answers that the server tokenizes.

        What is scored begins, for all answers alike, at the first token that holds a character of
        one of them, as `Tokens.requests` has it.

        Raises:
            DataError: The server's tokens cannot be told apart, or differ before the answers.
        """
        found, starts = [], []
        for answer in answers:
            tokens, values = self.echoed(prompt + answer)
            if not "".join(tokens).endswith(answer):
                raise DataError(
                    f"the server's tokens do not spell {answer!r}; give the model's tokenizer "
                    "(--tokenizer)"
                )
            found.append((tokens, values))
            starts.append(_tokens_before(tokens, len(answer)))
        start = min(starts)
        if len({tuple(tokens[:start]) for tokens, _ in found}) > 1:
            raise DataError(
                "the server splits the end of the prompt otherwise for each label; give the "
                "model's tokenizer (--tokenizer)"
            )
        return (
            [sum(values[start:]) for _, values in found],
            [len(values) - start for _, values in found],
        )

    def named(self, ids: Ids, tokens: Sequence[int]) -> dict[int, float]:
        """Log-probabilities of these tokens behind these ids.

        Raises:
            DataError: The server leaves one out.
        """
        found = self._ask(
            list(ids),
            logprobs=1,
            logprob_token_ids=list(tokens),
            return_tokens_as_token_ids=True,
        )
        read = int((found.get("usage") or {}).get("prompt_tokens") or 0)
        if read != len(ids):
            raise DataError(f"the server counts {read} tokens where {len(ids)} were sent")
        steps = (_only_choice(found).get("logprobs") or {}).get("top_logprobs") or [{}]
        told = steps[0] if isinstance(steps[0], Mapping) else {}
        missing = [token for token in tokens if f"token_id:{token}" not in told]
        if missing:
            raise DataError(f"the server tells no log-probability of token {missing[0]}")
        return {token: _number(told[f"token_id:{token}"]) for token in tokens}

    def _by_steps(self, request: Request) -> list[float]:
        totals = [0.0] * len(request.answers)
        for path, children in nodes(request.answers).items():
            named = list(children)
            for start in range(0, len(named), MOST_NAMED):
                found = self.named(request.context + path, named[start : start + MOST_NAMED])
                for token, value in found.items():
                    for which in children[token]:
                        totals[which] += value
        return totals

    def _echo(
        self, prompt: list[int] | str, n: int | None
    ) -> tuple[list[str], list[Any], int, bool]:
        """Tokens, their numbers, how many tokens were read, and whether the text ended there."""
        # one token is generated beside: some servers hold that none means any number
        found = self._ask(prompt, echo=True, logprobs=1)
        choice = _only_choice(found)
        said = choice.get("logprobs") or {}
        tokens, values = said.get("tokens") or [], said.get("token_logprobs") or []
        read = int((found.get("usage") or {}).get("prompt_tokens") or 0)
        if n is not None and read != n:
            raise DataError(f"the server counts {read} tokens where {n} were sent")
        if not read or len(values) != len(tokens):
            raise DataError(f"the server echoes {len(tokens)} tokens of a prompt of {read}")
        return [str(token) for token in tokens], values, read, choice.get("finish_reason") == "stop"

    def _ask(self, prompt: list[int] | str, **how: Any) -> dict[str, Any]:
        body = {"model": self.model, "prompt": prompt, "max_tokens": 1, "temperature": 0, **how}
        return self.client.post("/completions", body)


def _of_prompt_logprobs(found: Mapping[str, Any], ids: Ids) -> list[float]:
    """The server must tell of these very ids."""
    told = _only_choice(found).get("prompt_logprobs") or found.get("prompt_logprobs") or []
    if len(told) != len(ids):
        raise DataError(f"the server tells of {len(told)} tokens where {len(ids)} were sent")
    values = [0.0]
    for token, entry in zip(ids[1:], told[1:], strict=True):
        one = (entry or {}).get(str(token))
        if one is None:
            raise DataError(f"the server tells no log-probability of token {token}")
        values.append(_number(one["logprob"] if isinstance(one, Mapping) else one))
    return values


def _only_choice(found: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = found.get("choices") or []
    if len(choices) != 1 or not isinstance(choices[0], Mapping):
        raise DataError(f"the server answers {len(choices)} choices where 1 was asked for")
    return choices[0]


def _tokens_before(tokens: Sequence[str], chars: int) -> int:
    """How many tokens hold none of the last so many characters."""
    left = chars
    for place in range(len(tokens) - 1, -1, -1):
        if left <= 0:
            return place + 1
        left -= len(tokens[place])
    return 0


def _number(value: Any) -> float:
    """A log-probability; -9999 is how some servers write minus infinity in JSON."""
    if not isinstance(value, int | float) or value != value or value > 1e-3:
        raise DataError(f"the server answers {value!r} where a log-probability should be")
    return -float("inf") if value <= -9999 else float(min(value, 0.0))
