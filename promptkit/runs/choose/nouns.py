"""What a choice of model and layer consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

from promptkit.types import Cost, Score


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model before anything is trained; None and empty: not known.

    Args:
        name: As it was asked for.
        objective: What it was pre-trained to do, by its configuration.
        attention: ``both sides`` or ``left alone``: what a token's state hangs on, as tried.
        architecture: Of transformers.
        parameters: All of the transformer, its head left out.
        size: Bytes of its weights on disk.
        layers: Above the embedding.
        width: Numbers of a state.
        context: Tokens that it reads.
        licence: As its card states it.
        corpus: Data sets that its card names.
        tokens_per_word: Of the rows' text, words parted by white space.
        unknown: Share of the rows' tokens that stand for what the tokenizer does not know.
        bits_per_byte: Of the rows' text under the model.
        pseudo: Whether those bits are of tokens that were hidden, each with both sides in sight.
        distance: How well a linear classifier tells the rows from the reference text by the last
            layer: 0, not at all, to 2 (proxy A-distance, Ben-David et al. 2007).
        leep: Of a classifier's own classes: mean log-probability of the labels as told from them,
            0 at most (Nguyen et al. 2020).
        seconds_per_1000: Of the forward pass that read the rows; None where all were kept.
        problem: Why nothing is known of its layers.
    """

    name: str
    objective: str = ""
    attention: str = ""
    architecture: str = ""
    parameters: int | None = None
    size: int | None = None
    layers: int | None = None
    width: int | None = None
    context: int | None = None
    licence: str = ""
    corpus: tuple[str, ...] = ()
    tokens_per_word: float | None = None
    unknown: float | None = None
    bits_per_byte: float | None = None
    pseudo: bool = False
    distance: float | None = None
    leep: float | None = None
    seconds_per_1000: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class View:
    """A layer of a model, pooled, and how promising it is.

    Args:
        model: Its name.
        layer: From 0 (the embedding) up.
        pooling: How a text's states become one vector.
        scores: By name in `promptkit.transferability.SCORES`, and ``leep`` of a classifier.
        accuracy: Of the linear probe, each row left out, with its interval.
        right: (n,) which rows that probe tells.
        verified: Accuracy of a trained probe in cross-validation; None where none was trained.
    """

    model: str
    layer: int
    pooling: str
    scores: dict[str, float]
    accuracy: Score
    right: tuple[bool, ...] = field(repr=False)
    verified: float | None = None


@dataclass(frozen=True)
class Verified:
    """How well a score foretold trained probes.

    Args:
        score: Its name.
        correlation: Spearman's rank correlation over the views; None where one is constant.
        lost: Points of accuracy between the best trained probe and that of the view it ranks first.
    """

    score: str
    correlation: float | None
    lost: float


@dataclass(frozen=True)
class Choice:
    """Models and layers, ranked.

    Args:
        data: Where the rows came from.
        n: Rows that were read.
        n_labels: Labels that they have.
        majority: Share of the most frequent one.
        models: What is known of each, in the order asked for.
        views: Every layer and pooling of each, the most promising first.
        chosen: The view that the verdict names.
        alike: Views that the rows do not tell from the best one.
        reasons: Why, a sentence each.
        verified: What trained probes say of the scores; empty where none were trained.
        notes: Facts that a reader must know.
        cost: What the models did.
    """

    data: str
    n: int
    n_labels: int
    majority: float
    models: tuple[ModelFacts, ...]
    views: tuple[View, ...]
    chosen: View
    alike: tuple[View, ...]
    reasons: tuple[str, ...]
    verified: tuple[Verified, ...] = ()
    notes: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)

    def best_of(self, model: str) -> View | None:
        """The most promising view of a model."""
        return next((view for view in self.views if view.model == model), None)
