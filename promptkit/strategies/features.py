"""A small classifier on the hidden states of a model that stays as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.feature_cache import features_home
from promptkit.backends.hidden import HiddenStates, hidden_states
from promptkit.backends.meter import Meter
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.classified import Classified, evidence_of, spread, targets_of
from promptkit.strategies.feature_heads import check_classifier, fit_head
from promptkit.strategies.feature_options import (
    AUTO,
    CHOOSE,
    MIX,
    ONE,
    Layers,
    check_layers,
    check_pooling,
    poolings_of,
    views_of,
)
from promptkit.strategies.feature_state import FittedFeatures, read_state, write_state
from promptkit.strategies.folds import at_most
from promptkit.strategies.layer_choice import (
    CHOSEN_ON,
    View,
    best_strength,
    best_view,
    proposed,
)
from promptkit.strategies.linear_heads import one_thread
from promptkit.strategies.reading import Reading
from promptkit.strategies.rows import counted_rows, named_rows
from promptkit.strategies.scalar_mix import mix_weights
from promptkit.strategies.scaling import Scaling
from promptkit.types import Cost, Evidence, Example, Scalar

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
#: The penalty's weight while the mean of layers is learned.
MIX_STRENGTH = 0.65


class Features(Classified):
    """Frozen features: what a layer of the model makes of a text, and a classifier on top.

    By default layers, pooling and regularisation are chosen on training rows that are held out;
    `promptkit.strategies.layer_choice` says how. Where every label has one row, nothing can be
    held out: then it is the last layer.

    Args:
        labels: The task's labels.
        reading: A row's text.
        label_rows: Rows that the template gives, of statements about its labels; learned from
            like training rows, and never held out.
        model: ``minilm``, a folder, or a hub id.
        layers: ``choose`` a block of adjacent layers, which stand side by side (four of them; half
            of the layers in small models), or the last layer alone; ``auto``: the same among the
            last layers and three views that LogME proposes; ``one``: choose one layer; a number,
            from 0 (the embedding) up or from -1 (the last) down; a list of numbers, or ``all``,
            side by side; or ``mix``, a trained mean of all layers (Peters et al. 2018).
        pooling: ``choose``, ``mean``, ``cls`` (the first token), ``last`` or ``max``. Chosen is
            among mean and cls for models with a CLS token, and mean and last for the others.
        classifier: ``logistic``, ``svm`` (linear), ``ridge``, ``knn`` or ``centroid``, of
            scikit-learn. Only logistic regression has probabilities of its own; those of svm,
            ridge and centroid are a softmax over their scores, those of knn are votes.
        regularisation: ``choose``, or the weight of the squared penalty on the weights (the inverse
            of scikit-learn's C). For knn it is the number of neighbours.
        scaling: ``standard``, ``unit`` (length 1 alone), or ``none``; see
            `promptkit.strategies.scaling`.
        seed: Which training row is held out when.
        batch_size: Texts of a batch, or ``auto``.
        device: Where the model runs.
        dtype: Number format of the model.
        cache: Whether hidden states are kept on disk, in ``features`` below PROMPTKIT_HOME. Within
            a process a text is computed once in any case; what a model that was taken up again
            predicts is not kept, for it may be any number of rows.

    Raises:
        SpecError: An option that cannot be what it is.
    """

    def __init__(
        self,
        labels: Sequence[Scalar],
        reading: Reading,
        *,
        label_rows: Sequence[Example] = (),
        model: str = "minilm",
        layers: Layers = CHOOSE,
        pooling: str = CHOOSE,
        classifier: str = "logistic",
        regularisation: float | str = CHOOSE,
        scaling: str = "standard",
        seed: int = 0,
        batch_size: int | Literal["auto"] = "auto",
        device: str = "auto",
        dtype: str = "auto",
        cache: bool = True,
    ) -> None:
        check_layers(layers)
        check_pooling(pooling)
        check_classifier(classifier, regularisation)
        Scaling(scaling)
        self.labels, self.reading, self.model = labels, reading, model
        self.label_rows = tuple(label_rows)
        self.layers, self.pooling, self.classifier = layers, pooling, classifier
        self.regularisation, self.scaling, self.seed = regularisation, scaling, seed
        self.batch_size, self.device, self.dtype, self.cache = batch_size, device, dtype, cache
        self._meter = Meter()
        self._keep = True

    @property
    def states(self) -> HiddenStates:
        """The model; other strategies on the same one share it and what it has computed."""
        return hidden_states(
            self.model,
            batch_size=self.batch_size,
            device=self.device,
            dtype=self.dtype,
            cache=features_home() if self.cache else None,
        )

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Choose what was left to be chosen, and fit the classifier; the model stays as it is.

        Raises:
            DataError: No row, or one whose label the task does not have.
            SpecError: A layer that the model does not have.
            CapabilityError: A pooling that makes no sense for the model.
        """
        self._keep = True
        with self._meter.timed(), one_thread():
            # in an order of their own, so that nothing depends on how the rows came
            own = sorted(train, key=lambda row: _rank(row.id, self.seed))
            targets_of(own, self.labels)  # there must be rows beside the label rows
            rows = [*own, *self.label_rows]
            seen, targets = np.unique(targets_of(rows, self.labels), return_inverse=True)
            before = self.states.cost
            view, states = self._chosen(rows, targets)
            self._count(before)
            scaling = Scaling(self.scaling).fit(states)
            scaled = scaling.apply(states)
            mix = None
            if self.layers == MIX and len(seen) > 1:
                mix = mix_weights(scaled, targets, MIX_STRENGTH)
            features = combined(scaled, mix)
            self.regularisation_ = self._strength(features, targets)
            head = fit_head(self.classifier, features, targets, self.regularisation_)
            self.layers_, self.pooling_ = view.layers, view.pooling
            self.fitted_ = FittedFeatures(view, scaling, mix, head, tuple(map(int, seen)))
        kept = self.fitted_.arrays().values()
        self._meter.add(
            trained_parameters=sum(array.size for array in head.arrays().values())
            + (0 if mix is None else mix.size),
            stored_bytes=sum(array.nbytes for array in kept),
        )
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """The classifier's log-probabilities; a label that no training row had gets -inf."""
        if not examples:
            return []
        with self._meter.timed():
            fitted, view = self.fitted_, self.fitted_.view
            before = self.states.cost
            found = self.states.read(
                self._texts(examples), [view.pooling], view.layers, keep=self._keep
            )
            self._count(before, rows=len(examples))
            scaled = fitted.scaling.apply(found.states[view.pooling])
            log_p = fitted.head.log_p(combined(scaled, fitted.mix))
        whole = spread(log_p, fitted.seen, len(self.labels))
        return evidence_of(examples, whole, "features", found.cut)

    @property
    def chosen_(self) -> str:
        """What is read and how much is regularised, for people."""
        layers = ", ".join(map(str, self.layers_))
        word = "layer" if len(self.layers_) == 1 else "layers"
        return f"{word} {layers}; {self.pooling_}; {self.regularisation_:g}"

    def card_facts(self) -> dict[str, Any]:
        """What the card of a saved model tells of the fit."""
        return {
            "layers read": ", ".join(map(str, self.layers_)),
            "read as": self.pooling_,
            "regularised by": self.regularisation_,
            **counted_rows(self.label_rows),
        }

    def describe(self) -> Mapping[str, Any]:
        """Its name and options; the seed where rows are held out."""
        layers = self.layers if isinstance(self.layers, int | str) else list(self.layers)
        searched = layers in (ONE, AUTO) or CHOOSE in (layers, self.pooling, self.regularisation)
        return {
            "name": "features",
            "layers": layers,
            "pooling": self.pooling,
            "classifier": self.classifier,
            "regularisation": self.regularisation,
            "scaling": self.scaling,
            **({"seed": self.seed} if searched else {}),
            **self.reading.describe(),
            **named_rows(self.label_rows),
        }

    def save(self, folder: Path) -> None:
        """Write the classifier, what it reads, and which weights it was fitted on."""
        write_state(folder, self.fitted_, self.regularisation_, self.states.weights)

    def restore(self, folder: Path) -> Self:
        """Take up what `save` wrote.

        Raises:
            StoreError: A file is missing or broken, or belongs to another model's weights.
        """
        self.fitted_, self.regularisation_ = read_state(folder, self.scaling, self.states.weights)
        self.layers_, self.pooling_ = self.fitted_.view.layers, self.fitted_.view.pooling
        self._keep = False
        return self

    def _chosen(self, rows: Sequence[Example], targets: Places) -> tuple[View, NDArray[np.float32]]:
        """What is read of each text, and (n, m, w) of it.

        Only rows that the choice is made on are read whole, which for a large model is a lot.
        """
        poolings = poolings_of(self.pooling, self.states)
        texts, (kept, _) = self._texts(rows), self._chosen_on(targets)
        if self._settled(poolings):
            kept = kept[:1]  # to see how many layers there are
        whole = self.states.pooled([texts[place] for place in kept], poolings)
        view = self._view(whole, targets[kept])
        own = whole[view.pooling][:, list(view.layers)]
        states = np.empty((len(rows), *own.shape[1:]), np.float32)
        rest = np.setdiff1d(np.arange(len(rows)), kept)
        states[kept] = own
        if len(rest):
            left = [texts[place] for place in rest]
            states[rest] = self.states.pooled(left, [view.pooling], view.layers)[view.pooling]
        return view, states

    def _settled(self, poolings: Sequence[str]) -> bool:
        """Whether the options leave no view to be chosen."""
        return self.layers not in (CHOOSE, ONE, AUTO) and len(poolings) == 1

    def _view(self, whole: Mapping[str, NDArray[np.float32]], targets: Places) -> View:
        """The layers and the pooling that are given, or those that do best."""
        n_states = next(iter(whole.values())).shape[1]
        views = views_of(self.layers, list(whole), n_states)
        self.searched_: dict[View, float] = {}
        if len(views) == 1:
            return views[0]
        features = []
        for view in views:
            states = whole[view.pooling][:, list(view.layers)]
            features.append(combined(Scaling(self.scaling).fit(states).apply(states)))
        tried = len(targets) - len(self.label_rows)
        if self.layers == AUTO:
            places = [views.index(view) for view in proposed(views, features, targets)]
            views, features = [views[at] for at in places], [features[at] for at in places]
        best, self.searched_ = best_view(views, features, targets, self.seed, tried)
        return best

    def _strength(self, features: Floats, targets: Places) -> float:
        """The regularisation that is given, or the one that does best."""
        if self.regularisation != CHOOSE:
            return float(self.regularisation)
        kept, tried = self._chosen_on(targets)
        return best_strength(self.classifier, features[kept], targets[kept], self.seed, tried)[0]

    def _chosen_on(self, targets: Places) -> tuple[Places, int]:
        """Places of the rows that choices are made on, and how many of them may be held out."""
        n = len(targets) - len(self.label_rows)
        own = at_most(targets[:n], CHOSEN_ON, self.seed)
        return np.concatenate([own, np.arange(n, len(targets))]), len(own)

    def _count(self, before: Cost, rows: int = 0) -> None:
        spent = self.states.cost - before
        self._meter.add(
            rows=rows, prompt_tokens=spent.prompt_tokens, computed_tokens=spent.computed_tokens
        )

    def _texts(self, rows: Sequence[Example]) -> list[Any]:
        return [self.reading(row) for row in rows]


def combined(scaled: Floats, mix: Floats | None = None) -> Floats:
    """(n, m * w) layers side by side, their length kept near 1; or (n, w) their weighted mean."""
    if mix is not None:
        return np.asarray(np.tensordot(scaled, mix, axes=(1, 0)), np.float64)
    n, m, w = scaled.shape
    return np.asarray(scaled.reshape(n, m * w) / np.sqrt(m), np.float64)


def _rank(row_id: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{row_id}".encode()).hexdigest()
