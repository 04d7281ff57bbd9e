"""What a part must do to stand behind its seam. Nothing here holds behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from promptkit.types import (
    Candidate,
    Cost,
    Evidence,
    Example,
    Prediction,
    Prompt,
    Sampling,
    Scalar,
)

#: Called with the number of rows that were just finished.
Progress = Callable[[int], None]
#: Called with a row's place and its evidence, once it is there.
OnEvidence = Callable[[int, Evidence], None]


def unheard(place: int, evidence: Evidence) -> None:
    """Nobody keeps it."""


@runtime_checkable
class Backend(Protocol):
    """Serves a model.

    Attributes:
        name: Its name in the registry.
        reads: Whether candidates are scored by their ``text`` or by their ``statements``.
        cost: What it has done since it was built; a run's cost is the difference of two readings.
    """

    name: str
    reads: Literal["text", "statements"]

    @property
    def cost(self) -> Cost:
        """What it has done so far."""
        ...

    def score(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> list[Evidence]:
        """Evidence for each prompt's own candidates, in the order given."""
        ...


@runtime_checkable
class TellsIdentity(Protocol):
    """A backend that learns what it serves when it reaches it."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What changes its answers and no option says, such as a server's model id: JSON values."""
        ...


@runtime_checkable
class TellsTokens(Protocol):
    """A backend that knows the token ids that its model sees."""

    def token_ids(
        self, prompts: Sequence[Prompt], candidates: Sequence[Sequence[Candidate]]
    ) -> Sequence[Any]:
        """For each prompt its ids and those of its candidates, as JSON values; computes little."""
        ...


@runtime_checkable
class TellsEach(Protocol):
    """A backend whose rows are answered one by one, so that each can be kept at once."""

    def score_telling(
        self,
        prompts: Sequence[Prompt],
        candidates: Sequence[Sequence[Candidate]],
        on_evidence: OnEvidence,
    ) -> list[Evidence]:
        """As `Backend.score`; calls back with a row's place and evidence once it is there.

        The call may come from any thread, one at a time.
        """
        ...


@runtime_checkable
class CanGenerate(Protocol):
    """A backend whose model writes."""

    def generate(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        choices: Sequence[Sequence[Candidate]] | None = None,
        on_evidence: OnEvidence = unheard,
    ) -> list[Evidence]:
        """Evidence with `Evidence.generations`, a row each, in the order given.

        Args:
            prompts: What is asked.
            sampling: How the model writes.
            choices: For each prompt what alone can be written; None where anything can. These are
                then written whole, whatever `Sampling.max_new_tokens` says.
            on_evidence: Told each row; the call may come from any thread, one at a time.
        """
        ...


@runtime_checkable
class CanEncode(Protocol):
    """Turns texts into vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, w) vectors of length one."""
        ...


@dataclass(frozen=True)
class WordSums:
    """What a model would say in the answer's place, summed over groups of rows.

    Args:
        words: (v,) words that are one token there, all different, no white space around them.
        log_p: (g, v) for each group of rows the sum of each word's log-probability, in nats.
        rows: (g,) rows in each sum; one that does not fit into the model is in none.
    """

    words: tuple[str, ...]
    log_p: NDArray[np.float64]
    rows: tuple[int, ...]


@runtime_checkable
class CanPredictWords(Protocol):
    """A backend that can be asked for all words of its vocabulary at once."""

    def word_sums(
        self,
        prompts: Sequence[Prompt],
        candidates: Sequence[Sequence[Candidate]],
        groups: Sequence[int],
        n_groups: int,
    ) -> WordSums:
        """How probable each word is in the answer's place.

        Args:
            prompts: What is asked.
            candidates: Answers of each prompt, which say where an answer begins and whether with a
                blank; at least one.
            groups: (n,) the group of each prompt, from 0.
            n_groups: Groups.
        """
        ...


@dataclass(frozen=True)
class WordNeighbours:
    """Words of a vocabulary, and how near they lie to label words.

    Args:
        words: The v words.
        cosines: (w, v) of each label word and each of them.
    """

    words: tuple[str, ...]
    cosines: NDArray[np.float64]


@runtime_checkable
class CanExpandWords(Protocol):
    """A backend that knows which words its model takes to be alike."""

    def word_neighbours(self, prompt: Prompt, candidates: Sequence[Candidate]) -> WordNeighbours:
        """How near all words of the vocabulary lie to the candidates' words.

        Args:
            prompt: What is asked, which says whether words begin with a blank.
            candidates: The label words.
        """
        ...


class Selector(Protocol):
    """Chooses demonstrations for a query."""

    def fit(self, pool: Sequence[Example]) -> Selector:
        """Learn what can be known before the first query. Every pool row has a label."""
        ...

    def select(self, query: Example, k: int) -> list[Example]:
        """At most k rows of the pool: never the query, never a copy of it, never one twice.

        Depends on the pool, the options and the query alone: not on earlier queries.
        """
        ...


class Order(Protocol):
    """Puts the demonstrations of a query into the order of its prompt."""

    def fit(self, pool: Sequence[Example]) -> Order:
        """Learn what can be known before the first query."""
        ...

    def arrange(self, query: Example, shots: Sequence[Example]) -> list[Example]:
        """The same rows, the last one nearest to the query's place in the prompt.

        Depends on the query, the shots and the options alone: not on earlier queries.
        """
        ...


class Verbalizer(Protocol):
    """Turns evidence about candidates into evidence about labels."""

    def pool(
        self, evidence: Evidence, candidates: Sequence[Candidate], labels: Sequence[Scalar]
    ) -> NDArray[np.float64]:
        """(k,) unnormalised log-probabilities in the order of ``labels``."""
        ...


class Parser(Protocol):
    """Reads an answer out of what a model wrote."""

    def extract(self, text: str) -> str:
        """The part of a reply that is its answer, white space at its ends left out.

        Raises:
            DataError: There is none; the message says what is missing, and not the reply.
        """
        ...

    def match(self, answer: str, words: Sequence[str]) -> int:
        """The place of the one word that an extracted answer is.

        Raises:
            DataError: It is none of them, or could be several; never a guess.
        """
        ...


#: What a calibrator learned, array by name.
Learned = Mapping[str, NDArray[np.float64]]


class Calibrator(Protocol):
    """Mends the probabilities that a model gives to labels.

    Attributes:
        needs: Which rows it learns from. ``nothing`` is none, ``unlabelled rows`` never reads a
            label.
        asks: What the model is asked beside the rows that are predicted: ``rows`` the rows that it
            learns from, as they are; ``texts`` texts that it makes up, see `MakesTexts`;
            ``premise`` how an answer begins, without any row, see `HasPremise`; ``channel``
            nothing, but each row is scored by P(text | label) and not by P(label | text).
        least_rows: Rows that it has to learn from at least.
    """

    needs: Literal["nothing", "unlabelled rows", "labelled rows"]
    asks: Literal["rows", "texts", "premise", "channel"]
    least_rows: int

    def learn(self, log_p: NDArray[np.float64], golds: NDArray[np.int64] | None = None) -> Learned:
        """What can be known before a row is mended.

        Args:
            log_p: (n, k) log-probabilities of what was asked, up to a constant for each row, none
                of them all -inf.
            golds: (n,) places of the right labels, where it needs labelled rows.

        Raises:
            DataError: Too few rows.
        """
        ...

    def apply(self, log_p: NDArray[np.float64], learned: Learned) -> NDArray[np.float64]:
        """(n, k) log-probabilities, mended and normalised; a row depends on no other row."""
        ...


@runtime_checkable
class MakesTexts(Protocol):
    """A calibrator that asks about texts of its own making."""

    def texts(self, rows: Sequence[Example], fields: Sequence[str]) -> list[Example]:
        """Rows without labels, from rows whose labels are not read."""
        ...


@runtime_checkable
class HasPremise(Protocol):
    """A calibrator that asks what is answered behind a few words alone.

    Attributes:
        premise: The words; None takes what the template says behind a row's text.
    """

    premise: str | None


@dataclass(frozen=True)
class Step:
    """How far a fit has come.

    Args:
        done: Training steps done.
        total: Training steps planned; early stopping may end before.
        loss: Mean loss of the latest steps; None where there is none yet.
        score: Latest accuracy on held-out training rows; None where none was measured.
    """

    done: int
    total: int
    loss: float | None = None
    score: float | None = None


#: Called during a fit.
OnStep = Callable[[Step], None]


def unwatched(step: Step) -> None:
    """Nobody looks on."""


@dataclass(frozen=True)
class FitContext:
    """What a fit may use beside the training rows; nothing in it changes the result.

    Args:
        folder: Where checkpoints may be kept; a fit that finds its own there goes on from them.
            None keeps nothing on disk.
        on_step: Told how far the fit has come.
    """

    folder: Path | None = None
    on_step: OnStep = unwatched


#: A fit that nobody watches and that keeps nothing.
NO_CONTEXT = FitContext()


class Strategy(Protocol):
    """A way of adapting a model to a task.

    ``__init__`` stores its arguments and loads no model. ``gather`` does the work of the model and
    its result is stored; ``conclude`` derives predictions from stored evidence alone, so that a
    resumed run and a whole one agree.
    """

    @property
    def cost(self) -> Cost:
        """What it has done since it was built; fit and predictions are differences of readings."""
        ...

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Learn from labelled rows, and from nothing else; what was learned before is forgotten."""
        ...

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """Let the model work: raw evidence, a row each, in order."""
        ...

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """Predictions from evidence, without the model."""
        ...

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """`gather` and `conclude`."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Its name and the options that can change its result, as JSON values."""
        ...

    def save(self, folder: Path) -> None:
        """Write what was learned into a folder that exists: safetensors and JSON, no pickle."""
        ...

    def restore(self, folder: Path) -> Self:
        """Take up what `save` wrote; the strategy was built with the same arguments."""
        ...
