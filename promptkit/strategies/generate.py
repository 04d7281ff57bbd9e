"""A frozen model writes its answer, and a parser reads it; or it may write a label and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.learners import LearnsOrder, LearnsShots
from promptkit.metrics.written import normal
from promptkit.parsers import PARSERS
from promptkit.prompts.form import GenerationKeys
from promptkit.prompts.template import Template
from promptkit.prompts.thinking import without_thinking
from promptkit.protocols import (
    NO_CONTEXT,
    Backend,
    CanGenerate,
    FitContext,
    Order,
    Selector,
)
from promptkit.strategies.demonstrated import Demonstrated
from promptkit.types import (
    Cost,
    Evidence,
    Example,
    Generation,
    Prediction,
    Prompt,
    Sampling,
    Scalar,
)

#: Tokens that an answer may take where nobody says: of a label, and of a text.
LABEL_TOKENS, TEXT_TOKENS = 16, 128
#: Tokens that thoughts may take before it, where the prompt is a chat.
CHAT_TOKENS = 512
#: What is drawn from where several samples are asked for and no temperature is given.
SAMPLED = 0.7


class Generate:
    """Lets a frozen model write.

    A reply is freed of thoughts (see `promptkit.prompts.thinking`) and read by a parser; one that
    the parser cannot read leaves its row unscored, its text kept. Of several samples the answer
    that most of them give counts (self-consistency, Wang et al. 2023); samples that cannot be read
    do not vote, and of answers with as many votes the first one counts, marked as tied.

    There are no probabilities: the share of votes is `Prediction.agreement`.

    Args:
        template: How the task is put; it may say how answers are written and read.
        backend: The model.
        selector: Chooses the demonstrations.
        shots: Demonstrations of a prompt.
        parser: Reads the answer: see `promptkit.parsers`. None is as the template says, else
            ``exact``.
        parser_options: Its options.
        samples: How often a row is answered.
        temperature: What logits are divided by; None is 0, the most probable token each time, and
            0.7 where there are several samples.
        top_p: The least share of the probability that is drawn from.
        top_k: The most tokens that are drawn from; 0 is all.
        max_new_tokens: Tokens of an answer; None is as the template says, else 16 for a label, 128
            for a text, and 512 in a chat, where thoughts may come first.
        stop: Texts that end an answer; None is as the template says, else the end of a line for a
            label, what stands between demonstrations for a text, and nothing in a chat.
        constrained: Whether nothing but a label can be written; needs no parser.
        seed: Seed of all draws.
        order: Arranges the demonstrations; None leaves them as they were selected.

    Raises:
        SpecError: Options that do not go together.
        CapabilityError: The backend cannot write, or a text is to be one of several labels.
    """

    def __init__(
        self,
        template: Template,
        backend: Backend,
        selector: Selector,
        shots: int = 0,
        parser: str | None = None,
        parser_options: Mapping[str, Any] | None = None,
        samples: int = 1,
        temperature: float | None = None,
        top_p: float = 1.0,
        top_k: int = 0,
        max_new_tokens: int | None = None,
        stop: Sequence[str] | str | None = None,
        constrained: bool = False,
        seed: int = 0,
        order: Order | None = None,
    ) -> None:
        self.template, self.backend, self.selector, self.shots = template, backend, selector, shots
        keys = template.keys.generation or GenerationKeys()
        if constrained and (parser or parser_options or stop or max_new_tokens is not None):
            raise SpecError(
                "strategy 'generate': what is constrained is a label as it stands; leave out "
                "parser, max_new_tokens and stop"
            )
        if constrained and template.writing:
            raise CapabilityError(
                f"template {template.name!r} is answered by a text: there are no labels to "
                "constrain it to; leave out constrained"
            )
        if isinstance(order, LearnsOrder):
            raise CapabilityError(
                "an order of demonstrations is learned from labels' probabilities, and strategy "
                "'generate' has none; use --order random"
            )
        if isinstance(selector, LearnsShots):
            raise CapabilityError(
                "demonstrations are searched by labels' probabilities, and strategy 'generate' has "
                "none; use --selector balanced"
            )
        if parser is None and parser_options and keys.parser is None:
            raise SpecError("strategy 'generate': parser_options without a parser")
        own = parser is None or parser == keys.parser
        self.parser = parser or keys.parser or "exact"
        self.parser_options = {**(keys.parser_options if own else {}), **(parser_options or {})}
        self._parser = PARSERS.build(self.parser, self.parser_options)
        if temperature is None:
            temperature = SAMPLED if samples > 1 else 0.0
        self.sampling = Sampling(
            max_new_tokens=(
                keys.max_new_tokens or _tokens(template)
                if max_new_tokens is None
                else max_new_tokens
            ),
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            samples=samples,
            stop=_stops(template, keys.stop if stop is None else stop),
            # where nothing is drawn, runs of another seed are the same run
            seed=seed if temperature else 0,
        )
        _check(self.sampling)
        self.constrained = constrained
        self._rows = Demonstrated(template, selector, shots, order)

    @property
    def cost(self) -> Cost:
        """What the model has done so far."""
        return self.backend.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Give the selector its pool; nothing is trained."""
        self._rows.take(train)
        return self

    def prompts(self, examples: Sequence[Example]) -> list[Prompt]:
        """What the model is asked about each row, demonstrations included, before it is cut."""
        return self._rows.prompts(examples)

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """What the model writes for each row.

        Raises:
            CapabilityError: The backend cannot write.
        """
        # a cache around a backend can do what that one can
        if not isinstance(getattr(self.backend, "backend", self.backend), CanGenerate):
            raise CapabilityError(
                f"backend {self.backend.name!r} reads and does not write; give a language model "
                "(--model) on --backend hf, vllm or openai"
            )
        prompts = self.prompts(examples)
        choices = None
        if self.constrained:
            choices = [self.template.candidates(example, "text") for example in examples]
        writing: Any = self.backend
        found: list[Evidence] = writing.generate(prompts, self.sampling, choices)
        return found

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """Answers out of stored texts alone."""
        return [self._concluded(*pair) for pair in zip(examples, evidence, strict=True)]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def describe(self) -> Mapping[str, Any]:
        """What of this enters a run's fingerprint; parts describe themselves elsewhere."""
        sampling = {**vars(self.sampling), "stop": list(self.sampling.stop)}
        read: dict[str, Any] = {"parser": self.parser, "parser_options": self.parser_options}
        if self.constrained:
            read = {"constrained": True}
            sampling = {key: sampling[key] for key in sampling if key not in _OF_FREE_TEXT}
        return {"name": "generate", "shots": self.shots, **read, **sampling}

    def save(self, folder: Path) -> None:
        """Keep the rows that demonstrations come from."""
        self._rows.save(folder)

    def restore(self, folder: Path) -> Self:
        """Take them up again."""
        self._rows.restore(folder)
        return self

    def _concluded(self, example: Example, evidence: Evidence) -> Prediction:
        read: list[tuple[Scalar, Generation]] = []
        problems: list[str] = []
        for one in evidence.generations:
            try:
                read.append((self._read(example, one), one))
            except DataError as error:
                problems.append(str(error))
        written = evidence.generations[0].text if evidence.generations else ""
        label, tied, agreement = None, False, None
        if read:
            label, tied, votes = self._elected([answer for answer, _ in read])
            written = next(one.text for answer, one in read if answer == label)
            if len(evidence.generations) > 1:
                agreement = votes / len(evidence.generations)
        reason = Counter(problems).most_common(1)[0][0] if problems else "the model wrote nothing"
        return Prediction(
            example_id=evidence.example_id,
            label=label,
            log_p=None,
            kind=evidence.kind,
            tied=tied,
            dropped_shots=evidence.dropped_shots,
            cut_chars=evidence.cut_chars,
            problem="" if read else evidence.problem or reason,
            text=written,
            agreement=agreement,
        )

    def _read(self, example: Example, written: Generation) -> Scalar:
        """The answer in a reply.

        Raises:
            DataError: There is none.
        """
        said = without_thinking(written.text)
        if said is None:
            raise DataError(
                f"the reply ended before its thoughts did, after {written.n_tokens} tokens; give "
                "max_new_tokens more, or let the model not think (--chat-template-kwargs)"
            )
        if self.template.writing:
            return self._parser.extract(said)
        words = self.template.words(example)
        texts = [word for word, _ in words]
        if self.constrained:
            # a word and nothing else; two labels may be said alike but for their case
            named = [place for place, text in enumerate(texts) if text.strip() == said.strip()]
            if not named:
                raise DataError("the reply is no label, though it was constrained to one")
            return words[named[0]][1]
        return words[self._parser.match(self._parser.extract(said), texts)][1]

    def _elected(self, answers: Sequence[Scalar]) -> tuple[Scalar, bool, int]:
        """The answer with most votes, whether another has as many, and how many it has.

        Texts that are alike in normal form are one answer, called as it was written first.
        """
        names: dict[object, Scalar] = {}
        votes: Counter[object] = Counter()
        for answer in answers:
            key = normal(str(answer)) if self.template.writing else (type(answer), answer)
            names.setdefault(key, answer)
            votes[key] += 1
        most = max(votes.values())
        first = next(key for key in names if votes[key] == most)
        return names[first], sum(n == most for n in votes.values()) > 1, most


#: What a constrained answer does not depend on.
_OF_FREE_TEXT = ("max_new_tokens", "stop")


def _tokens(template: Template) -> int:
    if template.keys.chat:
        return CHAT_TOKENS
    return TEXT_TOKENS if template.writing else LABEL_TOKENS


def _stops(template: Template, given: Sequence[str] | str | None) -> tuple[str, ...]:
    """Texts that end an answer.

    A base model goes on with a next row of its own after it, as demonstrations taught it to.
    """
    if given is not None:
        texts = (given,) if isinstance(given, str) else tuple(given)
        if not all(isinstance(text, str) and text for text in texts):
            raise SpecError(f"strategy 'generate': stop {given!r}: give texts that are not empty")
        return texts
    if template.keys.chat:
        return ()
    if not template.writing:
        return ("\n",)
    return (template.keys.separator,) if template.keys.separator.strip(" ") else ("\n\n",)


def _check(sampling: Sampling) -> None:
    """Refuse numbers that mean nothing.

    Raises:
        SpecError: One of them.
    """
    limits = {
        "samples": sampling.samples >= 1,
        "max_new_tokens": sampling.max_new_tokens >= 1,
        "temperature": sampling.temperature >= 0,
        "top_p": 0 < sampling.top_p <= 1,
        "top_k": sampling.top_k >= 0,
    }
    for name, holds in limits.items():
        if not holds:
            raise SpecError(f"strategy 'generate': {name} cannot be {getattr(sampling, name)}")
    if sampling.samples > 1 and sampling.temperature == 0:
        raise SpecError(
            "strategy 'generate': several samples at temperature 0 are one and the same; give "
            "temperature a number above 0"
        )
