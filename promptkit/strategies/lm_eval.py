"""Rows asked as lm-evaluation-harness asks them: its prompts, its demonstrations, its tokens."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from promptkit.errors import CapabilityError, DataError
from promptkit.prompts.imported import ImportedTemplate
from promptkit.prompts.lm_eval import LmEvalTask
from promptkit.protocols import NO_CONTEXT, Backend, FitContext
from promptkit.types import Candidate, Cost, Evidence, Example, Prediction, Prompt

#: The version whose rules these are, and the seed that it draws demonstrations with.
VERSION, FEWSHOT_SEED = "0.4.13", 1234
Asked = tuple[Prompt, tuple[Candidate, ...]]


class LmEvalScoring:
    """Scores each row's choices by the harness's rules.

    Args:
        template: A task of the harness.
        task: The same task.
        backend: Scores token ids as the harness makes them (``encoding=lm_eval``).
        shots: Demonstrations of a prompt.
        shown: Each row's demonstrations, by the row's id.
        unconditional: Whether choices are scored behind nothing as well, for ``acc_mutual_info``.
        seed: Seed of the draws.
    """

    def __init__(
        self,
        template: ImportedTemplate,
        task: LmEvalTask,
        backend: Backend,
        shots: int,
        shown: Callable[[], Mapping[str, Sequence[Example]]],
        unconditional: bool = False,
        seed: int = FEWSHOT_SEED,
    ) -> None:
        self.template, self.task, self.backend = template, task, backend
        self.shots, self.shown, self.seed = shots, shown, seed
        self.unconditional = unconditional
        self._drawn: Mapping[str, Sequence[Example]] | None = None

    @property
    def cost(self) -> Cost:
        """What the model has done so far."""
        return self.backend.cost

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Nothing is learned; demonstrations are drawn."""
        self._drawn = self.shown()
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """The log-probability of each row's choices, in the order of the task's list."""
        asked = [self.asked(example) for example in examples]
        pairs = [pair for own in asked for pair in own]
        found = iter(self.backend.score([p for p, _ in pairs], [list(c) for _, c in pairs]))
        return [self._together(example, [next(found) for _ in own])
                for example, own in zip(examples, asked, strict=True)]  # fmt: skip

    def asked(self, example: Example) -> list[Asked]:
        """The prompts of a row with what is scored behind each: one, or one for each choice."""
        doc, row = self.template.document(example), example.id
        choices = self.task.choices(doc, row)
        shots = (self._drawn or self.shown())[row] if self.shots else ()
        said = [Candidate(place, self.task.continuation(one)) for place, one in enumerate(choices)]
        if not isinstance(self.task.text(doc, row), int):
            question = self.task.turn(doc, row).question
            found = [(self.template.put(example, question, shots), tuple(said))]
        else:
            rest = self.task.target(doc, row)
            if not isinstance(rest, str):
                raise DataError(f"row {row!r}: what follows each choice is {rest!r}, no text")
            words = self.task.continuation(rest)
            found = [
                (self._put(example, one, shots), (Candidate(place, words),))
                for place, one in enumerate(choices)
            ]
        if self.unconditional:
            empty = replace(self.template.put(example, ()), instruction=())
            found.append((empty, tuple(said)))
        return found

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """The first of the most probable choices, as the harness has it."""
        return [self._concluded(*one) for one in zip(examples, evidence, strict=True)]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Both in one."""
        return self.conclude(examples, self.gather(examples))

    def describe(self) -> Mapping[str, Any]:
        """What of this enters a run's fingerprint."""
        drawn = {"fewshot_seed": self.seed} if self.shots else {}
        return {"name": "lm_eval", "shots": self.shots, "harness": VERSION, **drawn}

    def save(self, folder: Path) -> None:
        """Never.

        Raises:
            CapabilityError: A profile evaluates.
        """
        raise CapabilityError("--profile lm-eval evaluates, and keeps nothing to predict with")

    def restore(self, folder: Path) -> Self:
        """Never.

        Raises:
            CapabilityError: A profile evaluates.
        """
        raise CapabilityError("--profile lm-eval evaluates, and keeps nothing to predict with")

    def _put(self, example: Example, choice: str, shots: Sequence[Example]) -> Prompt:
        question = self.task.turn(self.template.document(example), example.id, choice).question
        return self.template.put(example, question, shots)

    def _together(self, example: Example, found: Sequence[Evidence]) -> Evidence:
        problem = next((one.problem for one in found if one.problem), "")
        if problem:
            return Evidence(example.id, (), kind=found[0].kind, problem=problem)
        members = (found[-1],) if self.unconditional else ()
        asked = found[:-1] if self.unconditional else found
        return replace(
            asked[0],
            log_p=tuple(x for one in asked for x in one.log_p),
            n_tokens=tuple(x for one in asked for x in one.n_tokens),
            n_bytes=tuple(x for one in asked for x in one.n_bytes),
            members=members,
        )

    def _concluded(self, example: Example, evidence: Evidence) -> Prediction:
        if not evidence.log_p:
            return Prediction(example.id, None, None, evidence.kind, problem=evidence.problem)
        log_p = np.array(evidence.log_p)
        best = int(log_p.argmax())
        labels = self.template.labels_of(example)
        normal = log_p - np.logaddexp.reduce(log_p)
        return Prediction(
            example.id,
            labels[best],
            tuple(normal.tolist()),
            evidence.kind,
            tied=bool((log_p == log_p[best]).sum() > 1),
        )


def drawn_shots(
    rows: Sequence[Example],
    pool: Sequence[Example],
    shots: int,
    *,
    sampler: Literal["default", "first_n"],
    exclude: bool,
    seed: int,
    document: Callable[[Example], Mapping[str, Any]],
) -> dict[str, list[Example]]:
    """The demonstrations that the harness shows each row.

    One generator draws for all rows in their order, so that a row's demonstrations depend on how
    many rows stand before it: the rows must be in the order of their file, as the harness has them
    in one process.

    Args:
        rows: The evaluated rows, in order.
        pool: What is drawn from, in the order of its file.
        shots: Demonstrations of a prompt.
        sampler: ``default`` draws, ``first_n`` takes the first ones.
        exclude: Whether the row itself, and whatever equals it, is no demonstration of its own.
        seed: Seed of the generator.
        document: A row as the task sees it; rows are equal when these are.

    Raises:
        DataError: The pool is too small.
    """
    generator = random.Random(seed)
    documents = [dict(document(row)) for row in pool]
    places = list(range(len(pool)))
    if shots + (exclude and sampler == "default") > len(pool):
        raise DataError(
            f"{shots} demonstrations cannot be drawn from {len(pool)} rows; give more with "
            "--train-data FILE"
        )
    found: dict[str, list[Example]] = {}
    for row in rows:
        own = dict(document(row)) if exclude else None
        if sampler == "first_n":
            kept = [place for place in places if documents[place] != own]
        elif own is None:
            kept = generator.sample(places, shots)
        else:
            taken = generator.sample(places, shots + 1)
            kept = [place for place in taken if documents[place] != own][:shots]
            if len(kept) < shots:  # copies of the row were drawn: the harness draws again
                others = [place for place in places if documents[place] != own]
                if len(others) < shots:
                    raise DataError(f"row {row.id!r}: fewer than {shots} other rows to show")
                kept = generator.sample(others, shots)
        found[row.id] = [pool[place] for place in kept[:shots]]
    return found
