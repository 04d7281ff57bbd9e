"""What each layer of a model encodes: edge probing, control tasks and minimal pairs.

A probe reads the states of a span, or of two, from one frozen layer, and tells the label (Tenney et
al. 2019); the same probe on labels that were drawn by word says how much of that it could learn by
heart (Hewitt and Liang 2019). A task of whole texts is probed so too: its span is the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from promptkit.backends.hidden import HiddenStates
from promptkit.backends.likelihood import TextLikelihood
from promptkit.chance import ranker
from promptkit.errors import CapabilityError, DataError, SpecError, nearest
from promptkit.metrics.intervals import score_interval
from promptkit.runs.kinds import need_single_labels
from promptkit.runs.probe.files import HELD_OUT, read_task
from promptkit.runs.probe.nouns import (
    MinimalPair,
    Probed,
    ProbingTask,
    Profile,
    Sentence,
    Target,
)
from promptkit.runs.probe.pairs import preferred, told_by_layers
from promptkit.runs.probe.probes import KINDS, control_labels, fit_probes
from promptkit.runs.probe.spans import WordStates, readable, span_means, word_states
from promptkit.runs.rows import rows_to_learn
from promptkit.runs.spec import EvalSpec
from promptkit.types import Piece, Score

__all__ = [
    "MinimalPair", "Probed", "ProbingTask", "Profile", "Sentence", "Target", "own_task", "probe",
    "read_task",
]  # fmt: skip

#: Called with (what is done, so many, of so many).
OnPart = Callable[[str, int, int], None]
Places = NDArray[np.int64]
#: Sentences of a task that are read at most on each side, where nobody says otherwise.
LIMIT = 1000


@dataclass(frozen=True)
class ProbeOptions:
    """How layers are probed.

    Args:
        kind: ``linear``, or ``mlp`` with one hidden layer.
        limit: Sentences to fit on at most, and as many to try; pairs, of minimal pairs.
        control: Whether control tasks are learned too.
        seed: Of every random choice.
        device: Where the model runs.
        dtype: Number format of the model.

    Raises:
        SpecError: An option that cannot be.
    """

    kind: str = "linear"
    limit: int | None = LIMIT
    control: bool = True
    seed: int = 0
    device: str = "auto"
    dtype: str = "auto"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SpecError(f"--probe {self.kind!r}: {nearest(self.kind, KINDS)}")
        if self.limit is not None and self.limit < 4:
            raise SpecError(f"--limit {self.limit}: four sentences at least are read")


def probe(
    model: str,
    tasks: Sequence[ProbingTask],
    options: ProbeOptions = ProbeOptions(),
    on_part: OnPart = lambda what, done, total: None,
) -> Probed:
    """Profiles of a model's layers.

    Args:
        model: ``minilm``, ``pocket``, a folder or a hub id.
        tasks: What is asked.
        options: How.
        on_part: Told how far it is.

    Raises:
        BackendError: The model cannot be read.
        DataError: A task of which nothing can be read.
    """
    if not tasks:
        raise SpecError("nothing to probe for; give a --task or --data")
    states = HiddenStates(model, "auto", options.device, options.dtype)
    made, notes = [], []
    for task in tasks:
        own = _limited(task, options)
        if own != task:
            notes.append(f"{task.name}: at most {options.limit:,} on each side are read")
        if task.pairs:
            made.append(_of_pairs(states, own, options, on_part))
        else:
            made.append(_of_spans(states, own, options, on_part))
    return Probed(model, options.kind, tuple(made), tuple(notes), states.cost)


def own_task(asked: EvalSpec) -> ProbingTask:
    """The rows of a user as a probing task: its one span is the whole text.

    Args:
        asked: The rows and their labels.

    Raises:
        DataError: Rows that cannot be used.
        CapabilityError: Rows without labels that all of them share.
    """
    template, rows, _, _ = rows_to_learn(asked.model_copy(update={"limit": None}))
    need_single_labels(template, "probing")
    if template.choosing or template.writing:
        raise CapabilityError("rows with choices or answers of their own cannot be probed")
    rank = ranker(asked.seed, "probing rows held out")
    made = []
    for row in sorted(rows.examples, key=lambda row: rank(row.id)):
        words = tuple(" ".join(str(row.fields[f]) for f in template.task.fields).split())
        if words:
            made.append(Sentence(words, (Target((0, len(words)), None, str(row.label)),)))
    held = max(1, round(HELD_OUT * len(made)))
    if len({one.targets[0].label for one in made[held:]}) < 2:
        raise DataError(f"{rows.origin}: has one label alone, so that there is nothing to tell")
    return ProbingTask(rows.name, tuple(made[held:]), tuple(made[:held]), origin=rows.origin)


def _limited(task: ProbingTask, options: ProbeOptions) -> ProbingTask:
    """So many sentences of each side, or pairs; which, the seed says."""
    if options.limit is None:
        return task
    rank = ranker(options.seed, "probing sentences read")

    def some(rows: Sequence[Sentence]) -> tuple[Sentence, ...]:
        return tuple(sorted(rows, key=lambda row: rank(" ".join(row.words)))[: options.limit])

    pairs = sorted(task.pairs, key=lambda one: rank(f"{one.good}\n{one.bad}"))[: options.limit]
    train = some(task.train) if len(task.train) > options.limit else task.train
    test = some(task.test) if len(task.test) > options.limit else task.test
    kept = tuple(pairs) if len(task.pairs) > options.limit else task.pairs
    return replace(task, train=train, test=test, pairs=kept)


def _of_spans(
    model: HiddenStates, task: ProbingTask, options: ProbeOptions, on_part: OnPart
) -> Profile:
    parts = {}
    for name, rows in (("fitted", task.train), ("tried", task.test)):
        read = word_states(
            model, [row.words for row in rows],
            lambda done, total, name=name: on_part(f"{task.name}: reading", done, total),  # type: ignore[misc]
        )  # fmt: skip
        parts[name] = _Side(rows, read)
    fitted, tried = parts["fitted"], parts["tried"]
    labels = sorted({one.label for one in fitted.targets})
    if len(labels) < 2 or not tried.targets:
        raise DataError(f"{task.origin}: too little of it can be read by {model.model!r}")
    place = {label: at for at, label in enumerate(labels)}
    gold = np.array([place[one.label] for one in fitted.targets])
    wanted = np.array([place.get(one.label, -1) for one in tried.targets])
    own, other = fitted.states(), tried.states()
    runs = {"layers": (gold, False), "means of layers": (gold, True)}
    if options.control:
        shares = np.bincount(gold, minlength=len(labels)) / len(gold)
        drawn = control_labels(fitted.words() + tried.words(), shares, options.seed)
        runs["control task"] = (drawn[: len(gold)], False)
    found = {}
    for number, (name, (targets, mixes)) in enumerate(runs.items(), start=1):
        on_part(f"{task.name}: {name}", number, len(runs))
        found[name] = fit_probes(
            own, targets, other, kind=options.kind, mixes=mixes, groups=fitted.sentences(),
            seed=options.seed,
        )  # fmt: skip
    groups = tried.sentences()
    right = found["layers"].told == wanted[:, None]
    mixed = found["means of layers"].told == wanted[:, None]
    layers = tuple(clustered(right[:, layer], groups) for layer in range(right.shape[1]))
    control: tuple[float, ...] = ()
    if options.control:
        told = found["control task"].told == drawn[len(gold) :, None]
        control = tuple(map(float, told.mean(axis=0)))
    weights = found["means of layers"].weights
    best = max(range(len(layers)), key=lambda layer: layers[layer].value)
    return Profile(
        task=task.name,
        origin=task.origin,
        layers=layers,
        control=control,
        majority=float((wanted == np.bincount(gold).argmax()).mean()),
        mix=clustered(mixed[:, -1], groups),
        weights=weights,
        gravity=float(np.dot(np.arange(len(weights)), weights)),
        expected=expected_layer(mixed.mean(axis=0)),
        likelihood=None,
        n_train=len(gold),
        n_test=len(wanted),
        n_labels=len(labels),
        unseen=int((wanted < 0).sum()),
        lost=fitted.lost + tried.lost,
        by_label=_by_label(tried.targets, right[:, best]),
    )


class _Side:
    """One side of a task: the targets whose words were read."""

    def __init__(self, rows: Sequence[Sentence], read: WordStates) -> None:
        self._rows, self._read = rows, read
        self._at = readable(read, rows)
        self.targets = [rows[place].targets[at] for place, at in self._at]
        self.lost = sum(len(row.targets) for row in rows) - len(self._at)

    def states(self) -> NDArray[np.float32]:
        """(n, l, w) of one span, or (n, l, 2 w) of two side by side."""
        places = [place for place, _ in self._at]
        first = span_means(
            self._read, [(at, one.span) for at, one in zip(places, self.targets, strict=True)]
        )
        if self.targets[0].second is None:
            return first
        spans = [(at, one.second or one.span) for at, one in zip(places, self.targets, strict=True)]
        return np.concatenate([first, span_means(self._read, spans)], axis=2)

    def sentences(self) -> Places:
        """(n,) the sentence of each target."""
        return np.array([place for place, _ in self._at], np.int64)

    def words(self) -> list[str]:
        """The word by which a control label is drawn: the labelled span's last, lower-cased."""
        found = []
        for (place, _), one in zip(self._at, self.targets, strict=True):
            span = one.second or one.span
            found.append(self._rows[place].words[span[1] - 1].lower())
        return found


def _of_pairs(
    model: HiddenStates, task: ProbingTask, options: ProbeOptions, on_part: OnPart
) -> Profile:
    pairs = task.pairs
    texts = [(Piece(text, row=True),) for one in pairs for text in (one.good, one.bad)]
    found = []
    for start in range(0, len(texts), 256):
        found.append(model.read(texts[start : start + 256], ["mean"], keep=False).states["mean"])
        on_part(f"{task.name}: reading", min(start + 256, len(texts)) // 2, len(pairs))
    states = np.concatenate(found)
    paradigms = [one.paradigm for one in pairs]
    on_part(f"{task.name}: layers", 1, 2)
    told = told_by_layers(states[0::2], states[1::2], paradigms)
    groups = np.arange(len(pairs))
    on_part(f"{task.name}: likelihoods", 2, 2)
    try:
        liked = preferred(TextLikelihood(model.model, options.device, options.dtype), pairs)
    except CapabilityError:  # told as a dash: a sentence encoder says nothing of words
        likelihood, shown = None, None
    else:
        likelihood, shown = clustered(liked, groups), liked
    layers = tuple(clustered(told[:, layer], groups) for layer in range(told.shape[1]))
    best = max(range(len(layers)), key=lambda layer: layers[layer].value)
    right = told[:, best] if shown is None else shown
    names = sorted(set(paradigms))
    own = np.array([names.index(one) for one in paradigms])
    return Profile(
        task=task.name,
        origin=task.origin,
        layers=layers,
        control=(),
        majority=0.5,
        mix=None,
        weights=(),
        gravity=None,
        expected=None,
        likelihood=likelihood,
        n_train=len(pairs),
        n_test=len(pairs),
        n_labels=2,
        by_label=tuple(
            (name, int((own == at).sum()), int(right[own == at].sum()))
            for at, name in enumerate(names)
        ),
    )


def clustered(right: NDArray[np.bool_], groups: Places) -> Score:
    """Accuracy with a 95% interval over sentences: targets of one sentence share what is hard.

    The error is that of a ratio of sums over sentences (Cochran 1977), the interval Wilson's.

    Args:
        right: (n,) which targets were told.
        groups: (n,) the sentence of each.
    """
    value, n = float(right.mean()), len(right)
    _, own = np.unique(groups, return_inverse=True)
    residuals = np.bincount(own, right - value)
    m = len(residuals)
    by_sentence = sqrt(m / max(m - 1, 1) * float((residuals**2).sum())) / n
    by_target = sqrt(value * (1 - value) / n)
    low, high = score_interval(value, max(by_sentence, by_target), inf, n)
    return Score("accuracy", value, low, high, n)


def expected_layer(scores: NDArray[np.float64]) -> float | None:
    """The mean layer at which means of the layers so far gain accuracy (Tenney et al. 2019).

    None where nothing is gained in all, or losses outweigh gains so that it is no layer.

    Args:
        scores: (l,) accuracy with the layers 0 to l.
    """
    gains = np.diff(scores)
    total = float(gains.sum())
    if total <= 0:
        return None
    found = float((np.arange(1, len(scores)) * gains).sum() / total)
    return found if 0 <= found <= len(scores) - 1 else None


def _by_label(
    targets: Sequence[Target], right: NDArray[np.bool_]
) -> tuple[tuple[str, int, int], ...]:
    names = sorted({one.label for one in targets})
    own = np.array([names.index(one.label) for one in targets])
    found = [(name, int((own == at).sum()), int(right[own == at].sum()))
             for at, name in enumerate(names)]  # fmt: skip
    return tuple(sorted(found, key=lambda one: -one[1]))
