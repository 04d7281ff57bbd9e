"""Which model and which layer, before anything is trained: one forward pass for each model.

What ranks is the accuracy of a linear probe that leaves each row out, since it is what a reader
understands, has an interval, and foretells trained probes about as well as any other score over
layers; over six weak models kNN did better, so that it stands beside it (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.feature_cache import features_home
from promptkit.backends.hidden import HiddenStates, layer_places
from promptkit.data import load
from promptkit.errors import CapabilityError, DataError, PromptkitError, SpecError
from promptkit.runs.choose.facts import facts_of
from promptkit.runs.choose.nouns import Choice, ModelFacts, Verified, View
from promptkit.runs.choose.verify import verify
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.rows import rows_to_learn
from promptkit.runs.search.outcome import accuracy
from promptkit.runs.spec import EvalSpec
from promptkit.strategies.classified import targets_of
from promptkit.strategies.linear_heads import one_thread
from promptkit.strategies.reading import Reading
from promptkit.transferability import prepared, scored
from promptkit.transferability.separability import left_out
from promptkit.types import Cost, Example, Piece, Scalar, Text

__all__ = ["Candidates", "Choice", "ModelFacts", "Verified", "View", "choose_among", "choose_for"]

Places = NDArray[np.int64]
#: Rows that are read at most, where nobody says otherwise.
ROWS = 1000
#: The score that ranks.
RANKS = "ridge"
#: Standard errors within which rows do not tell a view from the best one, and how much accuracy a
#: smaller model may cost.
AHEAD, NEAR = 1.0, 0.005
#: Called with (what is read, rows done, rows in all).
OnModel = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Candidates:
    """Among what is chosen, and how it is read.

    Args:
        models: ``minilm``, ``pocket``, folders or hub ids.
        layers: Which layers, from 0 (the embedding) or from -1 (the last); None for all.
        reference: Rows whose text the user's is compared with, such as a sample of what the models
            were trained on.
        verified: Whether probes are trained, to see how well the scores foretold them.
        limit: Rows that are read at most; they are drawn, labels in proportion.
        seed: Which.
        cache: Whether hidden states are kept on disk.
        batch_size: Texts of a batch, or ``auto``.
        device: Where models run.
        dtype: Number format of models.
    """

    models: tuple[str, ...]
    layers: tuple[int, ...] | None = None
    reference: str | None = None
    verified: bool = False
    limit: int | None = None
    seed: int = 0
    cache: bool = True
    batch_size: int | Literal["auto"] = "auto"
    device: str = "auto"
    dtype: str = "auto"

    def __post_init__(self) -> None:
        if not self.models:
            raise SpecError("no models to choose among; give at least one, such as minilm")
        if self.limit is not None and self.limit < 3:
            raise SpecError(f"limit {self.limit}: three rows at least are judged")


def choose_for(
    asked: EvalSpec, candidates: Candidates, on_model: OnModel = lambda model, done, total: None
) -> Choice:
    """Rank models and their layers for the rows that a spec names.

    Args:
        asked: Rows and how they are read; nothing else of it is looked at.
        candidates: Among what is chosen.
        on_model: Told how far it is.

    Raises:
        CapabilityError: Rows without labels that all of them share.
        DataError: Rows that cannot be used, or of fewer than two labels.
        SpecError: A layer that a model does not have.
        BackendError: None of the models can be read.
    """
    # the limit draws rows, and does not take the first: a file may be sorted by its labels
    template, rows, _, notes = rows_to_learn(asked.model_copy(update={"limit": None}))
    need_single_labels(template, "a choice of model and layer")
    if template.choosing or template.writing:
        raise CapabilityError(
            f"template {template.name!r} has no labels that all rows share; layers are judged by "
            "how well they tell labels apart"
        )
    reading = Reading(template.task.fields, template if asked.template else None)
    made = choose_among(rows.examples, template.task.labels, reading, candidates,
                        origin=rows.origin, on_model=on_model)  # fmt: skip
    return replace(made, notes=(*notes, *made.notes))


def choose_among(
    rows: Sequence[Example],
    labels: Sequence[Scalar],
    reading: Reading,
    candidates: Candidates,
    *,
    origin: str,
    on_model: OnModel = lambda model, done, total: None,
) -> Choice:
    """The same for rows that are there already.

    Args:
        rows: Labelled rows.
        labels: The labels.
        reading: What is read of a row.
        candidates: Among what is chosen.
        origin: What the rows are called.
        on_model: Told how far it is.
    """
    targets = np.asarray(targets_of(rows, labels), np.int64)
    kept = drawn(targets, candidates.limit or ROWS, candidates.seed)
    seen, own = np.unique(targets[kept], return_inverse=True)
    if len(seen) < 2:
        raise DataError(f"{origin}: has one label alone, so that there is nothing to tell")
    reader = _Reader(candidates, [reading(rows[place]) for place in kept], own, on_model)
    for model in dict.fromkeys(candidates.models):
        reader.read(model)
    if not reader.views:
        raise reader.failures[0]
    # of equal views the one of the model that was named first, and its lowest layer
    views = sorted(reader.views, key=lambda view: -view.scores[RANKS])
    records: tuple[Verified, ...] = ()
    if candidates.verified:
        with one_thread():
            views, records = verify(views, reader.pooled, own, candidates.seed)
    chosen, alike = decide(views, reader.facts)
    few = f"{len(kept):,} of {len(rows):,} rows are read, labels in proportion"
    return Choice(
        data=origin,
        n=len(kept),
        n_labels=len(seen),
        majority=float(np.bincount(own).max() / len(own)),
        models=tuple(reader.facts),
        views=tuple(views),
        chosen=chosen,
        alike=tuple(alike),
        reasons=tuple(_reasons(chosen, alike, views, reader.facts, len(kept))),
        verified=records,
        notes=(few,) if len(kept) < len(rows) else (),
        cost=reader.cost,
    )


def drawn(targets: Places, most: int, seed: int) -> Places:
    """Places of so many rows, in order; each label has its share.

    Args:
        targets: (n,) labels as numbers.
        most: How many, where there are as many.
        seed: Which.
    """
    order = np.random.default_rng([seed, 29]).permutation(len(targets))
    share = np.empty(len(targets))
    for label in np.unique(targets):
        own = order[targets[order] == label]
        share[own] = (np.arange(len(own)) + 0.5) / len(own)
    return np.sort(order[np.argsort(share[order], kind="stable")][:most])


def decide(views: Sequence[View], facts: Sequence[ModelFacts]) -> tuple[View, list[View]]:
    """The view to use, and those that the rows do not tell from the best.

    It is the best one, or that of a smaller model that is no more than half a point behind. Where
    few rows cannot tell two models apart the better one is still the better bet.

    Args:
        views: The most promising first.
        facts: Of the models.
    """
    best = np.array(views[0].right, float)
    alike: list[View] = []
    for view in views:
        behind = best - np.array(view.right, float)
        error = AHEAD * behind.std(ddof=1) / np.sqrt(len(behind))
        if behind.mean() <= error + 1e-12:
            alike.append(view)
    size = {one.name: one.parameters or 0 for one in facts}
    near = [view for view in alike if views[0].accuracy.value - view.accuracy.value <= NEAR]
    smallest = min(size[view.model] for view in near)
    return next(view for view in near if size[view.model] == smallest), alike


def _reasons(
    chosen: View, alike: Sequence[View], views: Sequence[View], facts: Sequence[ModelFacts], n: int
) -> list[str]:
    best, told = views[0], []
    own = next(one for one in facts if one.name == chosen.model)
    told.append(
        f"a linear probe on layer {chosen.layer} ({chosen.pooling}) of {chosen.model} tells "
        f"{100 * chosen.accuracy.value:.1f}% of the rows, each left out of its own fit"
    )
    if best.model != chosen.model:
        told.append(f"{best.model} is ahead by half a point or less, and is the larger model")
    for model in dict.fromkeys(view.model for view in alike):
        if model not in (chosen.model, best.model):
            own_best = next(view for view in alike if view.model == model)
            behind = 100 * (best.accuracy.value - own_best.accuracy.value)
            told.append(
                f"{model} is {behind:.1f} points behind, less than the standard error of "
                f"{n:,} rows: more rows would tell the two apart"
            )
    last = next((v for v in views if (v.model, v.layer) == (chosen.model, own.layers)), None)
    if last is not None and chosen.layer != own.layers:
        told.append(
            f"its last layer tells {100 * last.accuracy.value:.1f}%"
            + ("; the rows do not tell the two apart" if last in alike else "")
        )
    return told


class _Reader:
    """Reads the rows with one model after another, in pieces, so that one sees how far it is."""

    def __init__(
        self, asked: Candidates, texts: Sequence[Text], targets: Places, on_model: OnModel
    ) -> None:
        self.asked, self.texts, self.targets, self.on_model = asked, texts, targets, on_model
        self.reference, self.layers = _reference(asked.reference), asked.layers
        self.cache = features_home() if asked.cache else None
        self.cost = Cost()
        self.facts: list[ModelFacts] = []
        self.views: list[View] = []
        self.pooled: dict[tuple[str, int, str], NDArray[np.float32]] = {}
        self.failures: list[PromptkitError] = []

    def read(self, model: str) -> None:
        """Facts and views of a model; one that cannot be read is told, and the others go on."""
        asked = self.asked
        try:
            states = HiddenStates(
                model, asked.batch_size, asked.device, asked.dtype, cache=self.cache
            )
            whole, pace = self._states(states)
            facts = facts_of(states, self.texts, self.targets, self.reference)
        except PromptkitError as error:
            self.failures.append(error)
            self.facts.append(ModelFacts(model, problem=str(error)))
            return
        self.cost += states.cost
        self.facts.append(replace(facts, seconds_per_1000=pace))
        for pooling, own in whole.items():
            n_states = own.shape[1]
            places = layer_places(range(n_states) if self.layers is None else self.layers, n_states)
            for layer in dict.fromkeys(places):
                self.pooled[model, layer, pooling] = own[:, layer]
                self.views.append(_view(model, layer, pooling, own[:, layer], self.targets))

    def _states(self, states: HiddenStates) -> tuple[dict[str, NDArray[np.float32]], float | None]:
        """By pooling (n, l, w), and seconds of 1,000 rows; None where they were known."""
        found, n, before = [], len(self.texts), states.cost
        step = max(256, -(-n // 20))
        for start in range(0, n, step):
            part = self.texts[start : start + step]
            found.append(states.pooled(part, states.usual_poolings))
            self.on_model(states.model, start + len(part), n)
        spent = states.cost - before
        # what was kept from another run took no time, and says nothing about the next rows
        fresh = spent.computed_tokens >= spent.prompt_tokens
        pace = 1000 * spent.seconds / n if fresh else None
        return {name: np.concatenate([one[name] for one in found]) for name in found[0]}, pace


def _view(
    model: str, layer: int, pooling: str, features: NDArray[np.float32], targets: Places
) -> View:
    with one_thread():
        scores = scored(features, targets)
        right = left_out(prepared(features), targets) == targets
    return View(model, layer, pooling, scores, accuracy(right), tuple(map(bool, right)))


def _reference(source: str | None) -> list[Text]:
    if source is None:
        return []
    rows = load(source, split=None, fields=("text",), require_labels=False)
    return [(Piece(str(row.fields["text"]), row=True),) for row in rows.examples]
