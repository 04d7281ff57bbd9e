"""Label words found from training rows, and what they are worth beside those written by hand.

Automatic label words (Gao, Fisch and Chen, 2021). What is chosen on rows looks good on these rows:
so the whole choice is made again without each part of them, and tried on that part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from promptkit.data import Dataset
from promptkit.errors import CapabilityError, DataError
from promptkit.metrics.intervals import score_interval
from promptkit.prompts import Template
from promptkit.prompts.label_words import with_words
from promptkit.prompts.written import labels_text
from promptkit.protocols import Backend, CanPredictWords
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.models import backend_for_spec, load_backend
from promptkit.runs.rows import rows_to_learn
from promptkit.runs.spec import EvalSpec
from promptkit.selectors import SELECTORS
from promptkit.strategies.folds import folds
from promptkit.strategies.in_context import InContext
from promptkit.types import Candidate, Cost, Example, Scalar, Score, label_key
from promptkit.verbalizers import VERBALIZERS
from promptkit.verbalizers.word_search import choose_words, top_words

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
#: Called with (rows done, rows in all).
OnRows = Callable[[int, int], None]


@dataclass(frozen=True)
class FoundWords:
    """What was found.

    Args:
        template: The template with the found words.
        shown: Whether the prompt lists the words, so that it changed with them.
        words: For each label its most probable words with their mean log-probability.
        chosen: For each label the word that was chosen among them.
        again: For each label in how many of the parts its word was chosen there too.
        parts: Parts that the rows were dealt into.
        by_hand: Accuracy of the words that the template had.
        seen: Accuracy of the found words on the rows that they were chosen on.
        held_out: Accuracy of words chosen without the part that they are tried on; None where no
            label has two rows.
        tried: Combinations that were tried.
        n: Rows.
        left_out: Rows that do not fit into the model.
        data: Where the rows came from.
        cost: What the model did.
        notes: Facts that a reader must know.
    """

    template: Template
    shown: bool
    words: tuple[tuple[tuple[str, float], ...], ...]
    chosen: tuple[str, ...]
    again: tuple[int, ...]
    parts: int
    by_hand: Score
    seen: Score
    held_out: Score | None
    tried: int
    n: int
    left_out: int
    data: str
    cost: Cost
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[Scalar, ...]:
        """The labels in the order of everything else."""
        return self.template.task.labels

    @property
    def block(self) -> str:
        """The ``labels:`` block to be pasted into the template."""
        return labels_text(self.template)


def find_words(
    asked: EvalSpec, *, top: int = 30, combinations: int = 2000, parts: int = 5
) -> FoundWords:
    """Find a word for each label.

    Args:
        asked: Its ``data`` are the training rows; prompts have no demonstrations.
        top: Most probable words of each label among which is chosen.
        combinations: Combinations of them that are tried at most.
        parts: Parts that the rows are dealt into, to try words on rows that did not choose them.

    Raises:
        CapabilityError: A backend that cannot be asked for words, or rows with own choices.
        DataError: A label without a row, or no words to tell two labels apart.
    """
    template, rows, _, notes = rows_to_learn(asked)
    need_single_labels(template, "a search for words")
    if template.choosing or template.writing:
        raise CapabilityError(
            f"template {template.name!r} has no labels that all rows share, so that there are no "
            "words to find"
        )
    targets = _targets(template, rows)
    name, options, _ = backend_for_spec(asked, template)
    backend = load_backend(name, options)
    if not isinstance(backend, CanPredictWords):
        raise CapabilityError(
            f"backend {name!r} cannot be asked which words it would say; give a causal or a masked "
            "language model with --model"
        )
    before = backend.cost
    found = _Search(backend, template, rows.examples, targets, asked.seed, top, combinations).run(
        parts
    )
    return replace(
        found, data=rows.origin, cost=backend.cost - before, notes=(*notes, *found.notes)
    )


class _Search:
    """One search, step by step."""

    def __init__(
        self,
        backend: Backend,
        template: Template,
        examples: Sequence[Example],
        targets: Places,
        seed: int,
        top: int,
        combinations: int,
    ) -> None:
        self.backend, self.template, self.examples = backend, template, list(examples)
        self.targets, self.seed, self.top, self.combinations = targets, seed, top, combinations
        self.labels = template.task.labels

    def run(self, parts: int) -> FoundWords:
        """Words of each label, then combinations, then what they are worth."""
        dealt = list(folds(self.targets, parts, self.seed))
        part = np.zeros(len(self.targets), np.int64)  # 0: in every fit
        for number, (_, outside) in enumerate(dealt, 1):
            part[outside] = number
        means = self._means(part, len(dealt))
        tops = [[[self.words[i] for i in own] for own in top_words(m, self.top)] for m in means]
        scores, columns, fit = self._scores(tops)
        inside = [np.arange(len(self.targets)), *(one for one, _ in dealt)]
        picked: list[tuple[str, ...]] = []
        tried = 0
        for own, places in zip(tops, inside, strict=True):
            chosen, tried_here = self._choose(scores, columns, own, places[fit[places]])
            picked.append(chosen)
            tried = tried or tried_here
        outside = np.concatenate([one for _, one in dealt]) if dealt else np.empty(0, np.int64)
        held = [
            right
            for chosen, (_, places) in zip(picked[1:], dealt, strict=True)
            for right in self._right(self._saying(chosen), places)
        ]
        best, every = self._saying(picked[0]), np.arange(len(self.targets))
        first = self.examples[0]
        return FoundWords(
            template=best,
            shown=best.prompt(first) != self.template.prompt(first),
            words=tuple(
                tuple((word, float(means[0][label][self.words.index(word)])) for word in own)
                for label, own in enumerate(tops[0])
            ),
            chosen=picked[0],
            again=tuple(
                sum(other[label] == word for other in picked[1:])
                for label, word in enumerate(picked[0])
            ),
            parts=len(dealt),
            by_hand=_accuracy(self._right(self.template, outside if dealt else every)),
            seen=_accuracy(self._right(best, every)),
            held_out=_accuracy(held) if dealt else None,
            tried=tried,
            n=len(self.examples),
            left_out=int((~fit).sum()),
            data="",
            cost=Cost(),
        )

    def _means(self, part: Places, n_parts: int) -> list[Floats]:
        """(k, v) mean log-probabilities over all rows, then without each part."""
        assert isinstance(self.backend, CanPredictWords)
        prompts = [self.template.prompt(example) for example in self.examples]
        candidates = [self.template.candidates(example, "text") for example in self.examples]
        groups = self.targets * (n_parts + 1) + part
        found = self.backend.word_sums(
            prompts, candidates, groups.tolist(), len(self.labels) * (n_parts + 1)
        )
        self.words = found.words
        sums = found.log_p.reshape(len(self.labels), n_parts + 1, len(self.words))
        rows = np.array(found.rows).reshape(len(self.labels), n_parts + 1)
        means = []
        for left_out in range(n_parts + 1):
            kept = [number for number in range(n_parts + 1) if number != left_out or not left_out]
            n = rows[:, kept].sum(axis=1)
            for label, count in zip(self.labels, n, strict=True):
                if not count:
                    raise DataError(
                        f"label {label!r}: none of its training rows fits into the model; give "
                        "shorter ones"
                    )
            means.append(sums[:, kept].sum(axis=1) / n[:, None])
        return means

    def _scores(
        self, tops: Sequence[Sequence[Sequence[str]]]
    ) -> tuple[Floats, dict[str, int], NDArray[np.bool_]]:
        """(n, c) log-probability of each top word, its column, and which rows fit.

        Words are scored as all answers are. One that turns out to be of several tokens, because a
        tokenizer joins it to the prompt, is no word here.
        """
        told = [
            (label, list(dict.fromkeys(word for own in tops for word in own[place])))
            for place, label in enumerate(self.labels)
        ]
        wide = with_words(self.template, told)
        said: dict[str, Candidate] = {}
        for candidate, word in zip(
            wide.candidates(self.examples[0], "text"),
            (word for _, words in told for word in words),
            strict=True,
        ):
            said.setdefault(word, candidate)
        prompts = [self.template.prompt(example) for example in self.examples]
        own = tuple(said.values())
        found = self.backend.score(prompts, [own] * len(prompts))
        fit = np.array([not one.problem for one in found])
        lengths = next(one.n_tokens for one in found if not one.problem)
        columns = {word: i for i, (word, n) in enumerate(zip(said, lengths, strict=True)) if n == 1}
        scores = np.full((len(found), len(own)), np.nan)
        for row, one in enumerate(found):
            if not one.problem:
                scores[row] = one.log_p
        return scores, columns, fit

    def _choose(
        self,
        scores: Floats,
        columns: dict[str, int],
        tops: Sequence[Sequence[str]],
        places: Places,
    ) -> tuple[tuple[str, ...], int]:
        options = [[columns[word] for word in own if word in columns] for own in tops]
        for label, own in zip(self.labels, options, strict=True):
            if not own:
                raise DataError(
                    f"label {label!r}: no single token of this model can stand for it behind this "
                    "prompt; end the query without a blank"
                )
        try:
            found = choose_words(
                scores[places], self.targets[places], options, self.combinations, self.seed
            )
        except ValueError as error:
            raise DataError(
                f"the {self.top} most probable words of some labels are the same ones, so that "
                "nothing tells them apart; try more with --top"
            ) from error
        word_at = {column: word for word, column in columns.items()}
        return tuple(word_at[column] for column in found.columns), found.tried

    def _saying(self, words: Sequence[str]) -> Template:
        return with_words(
            self.template, [(x, [word]) for x, word in zip(self.labels, words, strict=True)]
        )

    def _right(self, template: Template, places: Places) -> list[bool]:
        """Whether each row is answered rightly, asked as ``promptkit eval`` would ask."""
        asking = InContext(
            template, self.backend, SELECTORS.build("none", {}), VERBALIZERS.build("words", {})
        )
        rows = [self.examples[place] for place in places]
        return [
            one.label is not None and label_key(one.label) == label_key(row.label)
            for row, one in zip(rows, asking.predict(rows), strict=True)
        ]


def _targets(template: Template, rows: Dataset) -> Places:
    """(n,) each row's label as a number; every label has a row."""
    place = {label_key(label): number for number, label in enumerate(template.task.labels)}
    targets = np.array([place[label_key(row.label)] for row in rows], np.int64)
    for number, label in enumerate(template.task.labels):
        if number not in targets:
            raise DataError(
                f"{rows.origin}: no row has the label {label!r}, so that no word can be found for "
                "it; give rows of each label, or narrow them with --labels"
            )
    return targets


def _accuracy(right: Sequence[bool]) -> Score:
    value, n = float(np.mean(right)), len(right)
    low, high = score_interval(value, sqrt(value * (1 - value) / n), float("inf"), n)
    return Score("accuracy", value, low, high, n)
