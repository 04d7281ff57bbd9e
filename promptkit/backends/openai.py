"""A model behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, hosted services.

This file is the door: it finds out what the server can do, chooses the best kind of evidence for
each row, and writes it down. Every row ends with evidence or with the reason why it has none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from promptkit.backends.asking import evidence_of, fitted
from promptkit.backends.meter import Meter
from promptkit.backends.openai_chat import Chat, alike
from promptkit.backends.openai_client import Client, Fault, Price
from promptkit.backends.openai_completions import Completions
from promptkit.backends.openai_messages import check_control, messages
from promptkit.backends.openai_probe import BY_IDS, WAYS, probe
from promptkit.backends.openai_tokenizer import load_tokens
from promptkit.backends.openai_writing import ServedWriting
from promptkit.backends.tokens import Request
from promptkit.errors import BackendError, CapabilityError, DataError, SpecError, nearest
from promptkit.prompts.flatten import answer_text, flatten
from promptkit.protocols import OnEvidence, unheard
from promptkit.types import Candidate, Cost, Evidence, Prompt, Sampling, flat, label_key


class OpenAIBackend:
    """Asks a server about label words.

    Args:
        model: The model's name on the server.
        base_url: Where the server is, such as ``http://localhost:8000/v1``.
        tokenizer: Folder or hub id of the model's tokenizer. With it prompts are sent as token ids
            where the server takes them, so that no row's text becomes a control token.
        evidence: ``auto`` is the best that the server can give; or ``steps``, ``prompt_logprobs``,
            ``echo``, ``first_token``, ``choice``, ``generation``.
        concurrency: Requests under way at once.
        timeout: Seconds to wait for an answer.
        retries: How often a request is tried again when the server is busy, slow or broken.
        backoff: Seconds before the first retry; later ones wait up to twice as long each time.
        max_requests: Requests that may be sent, retries among them; None is any number.
        max_tokens_budget: Tokens that may be read and written; None is any number.
        price: Price per million tokens: ``{prompt: 0.5, completion: 1.5}``.
        api_key_env: The environment variable that holds the key; a local server needs none.
        chat_template_kwargs: What the model's chat template is told beside the messages.

    Raises:
        MissingExtra: The openai client is not installed.
        SpecError: An option that cannot be.
        CapabilityError: The server cannot give the evidence that was asked for.
        BackendError: Nobody answers, or the model is not there.
    """

    name = "openai"
    reads: Literal["text", "statements"] = "text"

    def __init__(
        self,
        model: str,
        base_url: str,
        tokenizer: str | None = None,
        evidence: str = "auto",
        concurrency: int = 8,
        timeout: float = 60.0,
        retries: int = 6,
        backoff: float = 0.5,
        max_requests: int | None = None,
        max_tokens_budget: int | None = None,
        price: Mapping[str, float] | None = None,
        api_key_env: str = "OPENAI_API_KEY",
        chat_template_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if evidence != "auto" and evidence not in WAYS:
            raise SpecError(
                f"option 'evidence': no such value {evidence!r}; "
                f"{nearest(evidence, ['auto', *WAYS])}"
            )
        for option, least, value in (
            ("concurrency", 1, concurrency), ("retries", 0, retries), ("timeout", 0.001, timeout),
        ):  # fmt: skip
            if value < least:
                raise SpecError(f"option {option!r}: {value} is less than {least}")
        self.model, self.base_url, self.evidence = model, base_url, evidence
        self._client = Client(
            base_url,
            api_key_env=api_key_env,
            timeout=timeout,
            retries=retries,
            concurrency=concurrency,
            backoff=backoff,
            max_requests=max_requests,
            max_tokens=max_tokens_budget,
            price=_price(price),
        )
        self.tokens = load_tokens(tokenizer, chat_template_kwargs) if tokenizer else None
        extra: dict[str, Any] = {}
        if chat_template_kwargs:
            extra["chat_template_kwargs"] = dict(chat_template_kwargs)
        self._found = probe(self._client, model, self.tokens, extra)
        self.ways = self._found.ways
        if evidence != "auto":
            self.ways = (self._able(evidence),)
        extra |= self._found.plain
        self._completions = Completions(self._client, model, self._found.left_out)
        self._chat = Chat(self._client, model, extra, self._found.structured)
        self._writing = ServedWriting(self._client, model, self.tokens, extra, self._found)
        self._meter = Meter()

    @property
    def cost(self) -> Cost:
        """What was asked so far, tokens as the server counts them."""
        return self._meter.cost

    @property
    def identity(self) -> Mapping[str, Any]:
        """What the server says of its model, and what evidence is taken from it."""
        return {**self._found.identity, "evidence": list(self.ways)}

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """See `promptkit.protocols.Backend.score`."""
        return self.score_telling(prompts, candidates, unheard)

    def score_telling(
        self,
        prompts: Sequence[Prompt],
        candidates: Sequence[Sequence[Candidate]],
        on_evidence: OnEvidence,
    ) -> list[Evidence]:
        """See `promptkit.protocols.TellsEach`.

        Raises:
            BackendError: The server is gone, or a budget is used up.
            CapabilityError: No kind of evidence suits a prompt.
        """
        with self._meter.timed():
            jobs = [self._job(*one) for one in zip(prompts, candidates, strict=True)]
            return self._done(prompts, jobs, on_evidence)

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        choices: Sequence[Sequence[Candidate]] | None = None,
        on_evidence: OnEvidence = unheard,
    ) -> list[Evidence]:
        """See `promptkit.protocols.CanGenerate`.

        Raises:
            BackendError: The server is gone, or a budget is used up.
            CapabilityError: It does not hold a reply to one of several words.
        """
        with self._meter.timed():
            jobs = self._writing.jobs(prompts, sampling, choices)
            return self._done(prompts, jobs, on_evidence)

    def _done(
        self,
        prompts: Sequence[Prompt],
        jobs: Sequence[Callable[[], Evidence]],
        on_evidence: OnEvidence,
    ) -> list[Evidence]:
        """The evidence of each job, or why there is none; several run at once."""
        lock = threading.Lock()

        def told(place: int, job: Callable[[], Evidence]) -> Evidence:
            evidence = job()
            with lock:
                on_evidence(place, evidence)
            return evidence

        before, money = vars(self._client.spent).copy(), self._client.money
        try:
            found = self._client.each([partial(told, *one) for one in enumerate(jobs)])
        finally:
            spent = {key: n - before[key] for key, n in vars(self._client.spent).items()}
            self._meter.add(
                requests=spent["requests"],
                computed_tokens=spent["prompt_tokens"],
                new_tokens=spent["completion_tokens"],
            )
            self._meter.pay(self._client.money - money)
        self._meter.add(rows=len(prompts))
        faults = [one for one in found if isinstance(one, Fault)]
        self._check(faults, len(prompts))
        for place, one in enumerate(found):
            if isinstance(one, Fault):
                on_evidence(place, _without(prompts[place], one.reason))
        return [
            _without(prompt, one.reason) if isinstance(one, Fault) else one
            for prompt, one in zip(prompts, found, strict=True)
        ]

    def _check(self, faults: Sequence[Fault], n: int) -> None:
        """Faults that are not a row's own.

        Raises:
            BackendError: The model is gone, or no row of several got an answer.
        """
        for fault in faults:
            if fault.status == 404:
                raise BackendError(
                    f"server {self._client.url}, model {self.model!r}: {fault.reason}",
                    hint="check the model's name there, and that the address ends in /v1",
                )
        if len(faults) == n > 1 and all(fault.kind != "refused" for fault in faults):
            raise self._client.gone(faults[0]) from faults[0]

    def _job(self, prompt: Prompt, candidates: Sequence[Candidate]) -> Callable[[], Evidence]:
        """What has to be done for a row; a thread does it.

        Raises:
            CapabilityError: No kind of evidence suits the prompt.
        """
        words = [flat(candidate.text).strip() for candidate in candidates]
        labels = [label_key(candidate.label) for candidate in candidates]
        way = self._way(prompt, alike(words, labels))
        try:
            if self._found.by_ids and WAYS[way] == "log-probability":
                prompt, request = self._fitted(prompt, candidates)
                return partial(self._by_ids, way, prompt, candidates, request)
            check_control(prompt, candidates)
        except DataError as error:
            problem = _without(prompt, str(error))
            return lambda: problem
        if way == "echo":
            return partial(self._by_text, prompt, candidates)
        if prompt.prefill:
            raise CapabilityError(
                f"server {self._client.url}: a turn that is begun (prefill) cannot be sent as "
                "messages; give the model's tokenizer (--tokenizer), or take 'prefill' out"
            )
        return partial(self._by_chat, way, prompt, candidates, words, labels)

    def _way(self, prompt: Prompt, begin_alike: bool) -> str:
        """The best kind of evidence that a row can have.

        Raises:
            CapabilityError: None.
        """
        for way in self.ways:
            if way == "echo" and not self._found.by_ids and prompt.chat:
                continue
            if way == "first_token" and begin_alike and len(self.ways) > 1:
                continue
            return way
        raise CapabilityError(
            f"server {self._client.url}: a chat needs the model's own template before its tokens "
            "can be scored; give its tokenizer (--tokenizer), or set 'chat: false'"
        )

    def _fitted(self, prompt: Prompt, candidates: Sequence[Candidate]) -> tuple[Prompt, Request]:
        """Token ids, the prompt shortened where it is longer than the model reads.

        Raises:
            DataError: It cannot be made to fit.
        """
        tokens = self.tokens
        assert tokens is not None
        request, limit = tokens.request(prompt, candidates), self._found.max_tokens
        if limit is None:
            return prompt, request
        # one token is generated beside those that are read
        return fitted(prompt, candidates, request, tokens.requests, _length, limit - 1)

    def _by_ids(
        self, way: str, prompt: Prompt, candidates: Sequence[Candidate], request: Request
    ) -> Evidence:
        self._count(len(request.context))
        try:
            log_p = self._completions.score(request, way)
        except DataError as error:
            return _without(prompt, str(error))
        lengths = tuple(len(answer) for answer in request.answers)
        return _evidence(prompt, candidates, log_p, WAYS[way], lengths)

    def _by_text(self, prompt: Prompt, candidates: Sequence[Candidate]) -> Evidence:
        ground = flatten(prompt)
        answers = [flat(answer_text(ground, candidate.text)) for candidate in candidates]
        try:
            log_p, lengths = self._completions.score_text(flat(ground.text), answers)
        except DataError as error:
            return _without(prompt, str(error))
        kind = f"{WAYS['echo']}, tokenized by the server"
        return _evidence(prompt, candidates, log_p, kind, tuple(lengths))

    def _by_chat(
        self,
        way: str,
        prompt: Prompt,
        candidates: Sequence[Candidate],
        words: Sequence[str],
        labels: Sequence[object],
    ) -> Evidence:
        try:
            judged = self._chat.judge(way, messages(prompt), words, labels)
        except DataError as error:
            return _without(prompt, str(error), WAYS[way])
        if judged.decided:
            kind = f"{WAYS[way]}, decided by bounds" if way == "first_token" else WAYS[way]
            return _evidence(prompt, candidates, judged.log_p, kind, (), decided=True)
        return _evidence(prompt, candidates, judged.log_p, WAYS[way], (1,) * len(words))

    def _count(self, tokens: int) -> None:
        with _COUNTING:
            self._meter.add(prompt_tokens=tokens)

    def _able(self, evidence: str) -> str:
        if evidence in self._found.ways:
            return evidence
        why = self._found.refused.get(evidence, "")
        if evidence in BY_IDS and self.tokens is None:
            why = "it needs the model's tokenizer (--tokenizer)"
        raise CapabilityError(
            f"server {self._client.url} cannot give evidence={evidence} ({why}); it can give "
            f"{', '.join(self._found.ways)}"
        )


_COUNTING = threading.Lock()


def _length(request: Request) -> int:
    return len(request.context) + max(map(len, request.answers))


def _evidence(
    prompt: Prompt,
    candidates: Sequence[Candidate],
    log_p: Sequence[float],
    kind: str,
    lengths: tuple[int, ...],
    *,
    decided: bool = False,
) -> Evidence:
    return evidence_of(
        prompt,
        log_p=tuple(log_p),
        n_tokens=lengths,
        n_bytes=tuple(len(flat(candidate.text).encode()) for candidate in candidates),
        kind=kind,
        decided=decided,
    )


def _without(prompt: Prompt, problem: str, kind: str = "") -> Evidence:
    return evidence_of(prompt, log_p=(), kind=kind, problem=problem)


def _price(given: Mapping[str, float] | None) -> Price:
    for key in given or {}:
        if key not in ("prompt", "completion"):
            raise SpecError(f"option 'price': {key!r}; {nearest(key, ['prompt', 'completion'])}")
    try:
        return Price(**{key: float(value) for key, value in (given or {}).items()})
    except (TypeError, ValueError) as error:
        raise SpecError("option 'price': give numbers per million tokens") from error
