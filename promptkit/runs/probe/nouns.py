"""What probing speaks of: sentences with labelled spans, minimal pairs, profiles over layers."""

from __future__ import annotations

from dataclasses import dataclass, field

from promptkit.types import Cost, Score

#: From the first to the last word, the last one excluded.
Span = tuple[int, int]


@dataclass(frozen=True)
class Target:
    """A span, or two, and what is to be told of it.

    Args:
        span: Of words.
        second: Of words too, where a relation is labelled.
        label: What is to be told.
    """

    span: Span
    second: Span | None
    label: str


@dataclass(frozen=True)
class Sentence:
    """Words, and what is labelled in them."""

    words: tuple[str, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class MinimalPair:
    """A sentence that is right, and one that differs from it in what makes it wrong."""

    good: str
    bad: str
    paradigm: str


@dataclass(frozen=True)
class ProbingTask:
    """Something that layers are asked about.

    Args:
        name: What tables call it.
        train: Sentences to fit on.
        test: Sentences to try on; no sentence is on both sides.
        pairs: Minimal pairs in their place.
        origin: Where they came from.
    """

    name: str
    train: tuple[Sentence, ...] = ()
    test: tuple[Sentence, ...] = ()
    pairs: tuple[MinimalPair, ...] = ()
    origin: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the sentences to fit on, sorted."""
        return tuple(sorted({one.label for row in self.train for one in row.targets}))


@dataclass(frozen=True)
class Profile:
    """What the layers of a model know of a task.

    Args:
        task: Its name.
        origin: Where its rows came from.
        layers: (l,) accuracy of a probe on each layer, from 0 (the embedding) up, with its interval
            over sentences.
        control: (l,) accuracy of the same probe on labels that were drawn by word: what it learns
            by heart; empty where none was trained.
        majority: Accuracy of the most frequent label, or 0.5 of minimal pairs.
        mix: Accuracy of the probe on a trained mean of all layers; None for minimal pairs.
        weights: (l,) of that mean.
        gravity: Centre of gravity: the mean layer by those weights (Tenney et al. 2019).
        expected: Expected layer: the mean layer at which a mean of the layers so far gains accuracy
            (Tenney et al. 2019); None where nothing is gained.
        likelihood: Of minimal pairs, the share in which the model finds the right sentence more
            probable; None where it gives no probability, and for other tasks.
        n_train: Targets that were fitted on.
        n_test: Targets that were tried.
        n_labels: Labels.
        unseen: Tried targets whose label no fitted one has; they count as wrong.
        lost: Targets that stand beyond what the model reads of their sentence.
        by_label: Of the best layer, each label with how many were tried and how many were told.
    """

    task: str
    origin: str
    layers: tuple[Score, ...]
    control: tuple[float, ...]
    majority: float
    mix: Score | None
    weights: tuple[float, ...]
    gravity: float | None
    expected: float | None
    likelihood: Score | None
    n_train: int
    n_test: int
    n_labels: int
    unseen: int = 0
    lost: int = 0
    by_label: tuple[tuple[str, int, int], ...] = ()

    @property
    def best(self) -> int:
        """The layer with the highest accuracy; of equal ones the lowest."""
        return max(range(len(self.layers)), key=lambda layer: (self.layers[layer].value, -layer))

    @property
    def selectivity(self) -> tuple[float, ...]:
        """(l,) accuracy minus that of the control task (Hewitt and Liang 2019)."""
        return tuple(
            one.value - control for one, control in zip(self.layers, self.control, strict=False)
        )


@dataclass(frozen=True)
class Probed:
    """Profiles of a model.

    Args:
        model: Its name.
        probe: ``linear`` or ``mlp``.
        profiles: One for each task.
        notes: Facts that a reader must know.
        cost: What the model did.
    """

    model: str
    probe: str
    profiles: tuple[Profile, ...]
    notes: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
