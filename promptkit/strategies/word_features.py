"""Tagging on frozen features: what a layer makes of a word, and a classifier on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from promptkit.backends.hf_passes import Passes
from promptkit.backends.memory import token_bytes
from promptkit.backends.meter import Meter
from promptkit.backends.torch_device import choose_device, choose_dtype
from promptkit.backends.weights import locate
from promptkit.chance import ranker
from promptkit.errors import SpecError
from promptkit.protocols import NO_CONTEXT, FitContext
from promptkit.strategies.classified import Classified, spread
from promptkit.strategies.feature_heads import check_classifier, fit_head
from promptkit.strategies.feature_options import CHOOSE
from promptkit.strategies.feature_state import FittedFeatures, read_state, write_state
from promptkit.strategies.held_out import hold_out
from promptkit.strategies.layer_choice import View
from promptkit.strategies.linear_heads import one_thread
from promptkit.strategies.pretrained import Pretrained, WordIds, load_located, states_of_layers
from promptkit.strategies.scaling import Scaling
from promptkit.strategies.word_units import Words, conclude_words, word_evidence
from promptkit.types import Evidence, Example, Prediction, Scalar

#: Rows that layers and regularisation are chosen on at most; a quarter of them is held out.
CHOSEN_ON = 200
#: Weights of the penalty that are tried where one is to be chosen.
STRENGTHS = (0.01, 0.1, 1.0)
#: The penalty's weight while a layer is chosen, and where nothing can be held out.
MIDDLE = 0.1


class WordFeatures(Classified):
    """Frozen features of words: the state of each word's first token in one layer.

    The layer and the regularisation are chosen on training rows that are held out: words of one
    sentence stand on one side, since a sentence tells about its own words.

    Args:
        labels: The tags.
        words: The field that holds a row's words.
        model: ``minilm``, a folder of any text model of transformers, or a hub id.
        layers: ``choose``, or a layer's number, from 0 (the embedding) up or from -1 (the last)
            down.
        classifier: ``logistic``, ``svm``, ``ridge``, ``knn`` or ``centroid``, of scikit-learn.
        regularisation: ``choose``, or the weight of the squared penalty.
        max_tokens: Rows are cut to this many tokens.
        seed: Which training row is held out.
        device: Where the model runs.
        dtype: Number format of the model.

    Raises:
        SpecError: An option that cannot be what it is.
    """

    def __init__(
        self,
        labels: Sequence[Scalar],
        words: str,
        *,
        model: str = "minilm",
        layers: int | str = CHOOSE,
        classifier: str = "logistic",
        regularisation: float | str = CHOOSE,
        max_tokens: int = 512,
        seed: int = 0,
        device: str = "auto",
        dtype: str = "auto",
    ) -> None:
        check_classifier(classifier, regularisation)
        if layers != CHOOSE and (isinstance(layers, bool) or not isinstance(layers, int)):
            raise SpecError(
                f"option 'layers' is {layers!r}; of words it is 'choose', or one layer's number"
            )
        self.labels, self.words, self.model, self.layers = labels, words, model, layers
        self.classifier, self.regularisation = classifier, regularisation
        self.max_tokens, self.seed, self.device, self.dtype = max_tokens, seed, device, dtype
        self._meter, self._unit = Meter(), Words(words)
        self._base: Pretrained | None = None

    def fit(self, train: Sequence[Example], context: FitContext = NO_CONTEXT) -> Self:
        """Choose what was left to be chosen, and fit the classifier; the model stays as it is.

        Raises:
            DataError: No row, or one whose tags the task does not have.
            SpecError: A layer that the model does not have.
        """
        with self._meter.timed(), one_thread():
            rows = sorted(train, key=lambda row: row.id)
            seen, targets = self._unit.targets(rows, self.labels)
            layer, strength = self._chosen(rows, targets)
            states, targets = self._read(rows, targets, [layer])
            scaling = Scaling().fit(states)
            # a tag that stands beyond what is read alone is not learned
            own, places = np.unique(self._unit.whole(targets), return_inverse=True)
            seen = seen[own]
            self.regularisation_ = strength
            head = fit_head(self.classifier, scaling.apply(states)[:, 0], places, strength)
            view = View("words", (layer,))
            self.fitted_ = FittedFeatures(view, scaling, None, head, tuple(map(int, seen)))
        self._meter.add(
            trained_parameters=sum(one.size for one in head.arrays().values()),
            stored_bytes=sum(one.nbytes for one in self.fitted_.arrays().values()),
        )
        return self

    def gather(self, examples: Sequence[Example]) -> list[Evidence]:
        """The classifier's log-probabilities of every word's tags."""
        if not examples:
            return []
        with self._meter.timed():
            ids, cut = self._ids(examples)
            states = self._states(ids, list(self.fitted_.view.layers))
            log_p = self.fitted_.head.log_p(self.fitted_.scaling.apply(states)[:, 0])
        self._meter.add(rows=len(examples))
        whole = spread(log_p, self.fitted_.seen, len(self.labels))
        return word_evidence(examples, self.words, whole, "features", cut)

    def conclude(
        self, examples: Sequence[Example], evidence: Sequence[Evidence]
    ) -> list[Prediction]:
        """The most probable tag of each word."""
        return [
            conclude_words(row, one, self.labels)
            for row, one in zip(examples, evidence, strict=True)
        ]

    def card_facts(self) -> dict[str, Any]:
        """What the card of a saved model tells of the fit."""
        return {"layer read": self.fitted_.view.layers[0], "regularised by": self.regularisation_}

    def describe(self) -> Mapping[str, Any]:
        """Its name and options."""
        return {
            "name": "features",
            "of": "words",
            "words": self.words,
            "layers": self.layers,
            "classifier": self.classifier,
            "regularisation": self.regularisation,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }

    def save(self, folder: Path) -> None:
        """Write the classifier, what it reads, and which weights it was fitted on."""
        write_state(folder, self.fitted_, self.regularisation_, locate(self.model).hash())

    def restore(self, folder: Path) -> Self:
        """Take up what `save` wrote.

        Raises:
            StoreError: A file is missing or broken, or belongs to another model's weights.
        """
        weights = locate(self.model).hash()
        self.fitted_, self.regularisation_ = read_state(folder, "standard", weights)
        return self

    def _chosen(self, rows: Sequence[Example], targets: Sequence[Any]) -> tuple[int, float]:
        """The layer and the strength that are given, or those that do best on held-out rows."""
        rank = ranker(self.seed, "rows that a layer of words is chosen on")
        own = sorted(range(len(rows)), key=lambda at: rank(rows[at].id))[:CHOSEN_ON]
        rest, held = hold_out([0] * len(own), 0.25, self.seed, enough=8)
        settled = self.regularisation != CHOOSE
        strength = float(self.regularisation) if settled else MIDDLE
        whole, read = self._read([rows[at] for at in own], [targets[at] for at in own])
        n_layers = whole.shape[1]
        if self.layers != CHOOSE:
            given = int(self.layers)
            if not -n_layers <= given < n_layers:
                raise SpecError(f"option 'layers' is {given}; the model has 0 to {n_layers - 1}")
            layers = [given % n_layers]
        else:
            layers = list(range(n_layers)) if len(held) else [n_layers - 1]
        if not len(held) or (len(layers) == 1 and settled):
            return layers[-1], strength
        ends = np.cumsum([0, *map(len, read)])
        learn, judge = (
            np.concatenate([np.arange(ends[at], ends[at + 1]) for at in part])
            for part in (rest, held)
        )
        places = self._unit.whole(read)

        def right(layer: int, strength: float) -> float:
            states = whole[:, [layer]]
            scaling = Scaling().fit(states[learn])
            scaled = scaling.apply(states)[:, 0]
            seen, local = np.unique(places[learn], return_inverse=True)
            head = fit_head(self.classifier, scaled[learn], local, strength)
            return float(np.mean(seen[head.log_p(scaled[judge]).argmax(1)] == places[judge]))

        self.searched_ = {layer: right(layer, strength) for layer in layers}
        # of layers that are as good the lowest one, which costs the least
        layer = max(layers, key=lambda one: self.searched_[one])
        if settled:
            return layer, strength
        return layer, max(STRENGTHS, key=lambda one: right(layer, one))

    def _read(
        self, rows: Sequence[Example], targets: Sequence[Any], layers: Sequence[int] | None = None
    ) -> tuple[NDArray[np.float32], list[Any]]:
        """(m, l, w) states of the words of rows, and the targets of those that were read."""
        ids, _ = self._ids(rows)
        return self._states(ids, layers), self._unit.read(targets, ids)

    def _ids(self, rows: Sequence[Example]) -> tuple[list[WordIds], list[int]]:
        if self._base is None:
            self._device = choose_device(self.device)
            dtype = choose_dtype(self.dtype, self._device)
            self._base = load_located(locate(self.model), self.max_tokens, dtype)
            self._base.network.requires_grad_(False).to(self._device).eval()
        ids, cut = self._unit.ids(self._base, None, rows)
        self._meter.add(prompt_tokens=sum(map(len, ids)))
        return ids, cut

    def _states(self, ids: Sequence[WordIds], layers: Sequence[int] | None) -> NDArray[np.float32]:
        """(m, l, w) of all words, row after row; of all layers for None."""
        base = self._base
        assert base is not None
        passes = Passes(self._device, "auto", self._meter, token_bytes(base.network))

        def forward(rows: Sequence[WordIds]) -> list[torch.Tensor]:
            batch = base.batch(rows, self._device)
            with torch.inference_mode():
                found = states_of_layers(base.network, batch, layers).cpu()
            passes.computed(batch["input_ids"].numel())
            return [states[: len(row.starts)] for row, states in zip(rows, found, strict=True)]

        return torch.cat(passes.each(list(ids), len, forward)).numpy()
