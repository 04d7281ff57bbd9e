"""Probes on all layers at once: each layer its own classifier, all trained over the same batches.

Classifiers of different layers share nothing but the order of the rows, so that what comes out is
what training them one after the other would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from promptkit.strategies.randomness import own_randomness

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
KINDS = ("linear", "mlp")
#: Width of a perceptron's hidden layer (Tenney et al. 2019), and how much of it is dropped.
HIDDEN, DROPPED = 256, 0.3
RATE, EPOCHS, PATIENCE, DECAY = 2e-3, 30, 3, 1e-2
#: Targets of a batch at most and at least, and steps of an epoch where there are few targets.
BATCH, SMALL, STEPS = 256, 16, 40
#: Share of the fitted targets on which the best epoch is chosen.
WATCHED = 0.1


class LayerProbes(nn.Module):
    """A classifier for each of several views of the same states.

    Args:
        views: How many.
        width: Numbers of a view.
        labels: How many.
        hidden: Width of a hidden layer; 0 makes a linear probe.
    """

    def __init__(self, views: int, width: int, labels: int, hidden: int) -> None:
        super().__init__()
        first = hidden or labels
        self.first = nn.Parameter(torch.randn(views, width, first) * width**-0.5)
        self.first_bias = nn.Parameter(torch.zeros(views, first))
        self.hidden = hidden
        if hidden:
            self.second = nn.Parameter(torch.randn(views, hidden, labels) * hidden**-0.5)
            self.second_bias = nn.Parameter(torch.zeros(views, labels))

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """(b, v, labels) of (b, v, w)."""
        found = torch.einsum("bvw,vwh->bvh", views, self.first) + self.first_bias
        if not self.hidden:
            return found
        found = nn.functional.dropout(found.relu(), DROPPED, self.training)
        return torch.einsum("bvh,vhc->bvc", found, self.second) + self.second_bias


class Mixes(nn.Module):
    """Trained means of the layers so far: of layer 0, of 0 and 1, and so on to all of them.

    Args:
        layers: How many.
    """

    allowed: torch.Tensor

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(layers, layers))
        self.sizes = nn.Parameter(torch.ones(layers))
        self.register_buffer("allowed", torch.ones(layers, layers).tril().bool())

    def weights(self) -> torch.Tensor:
        """(l, l) a line for each mean; every line sums to 1."""
        return self.scores.masked_fill(~self.allowed, float("-inf")).softmax(-1)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """(b, l, w) means of (b, l, w) states."""
        return torch.einsum("kl,blw->bkw", self.weights() * self.sizes[:, None], states)


@dataclass(frozen=True)
class Fitted:
    """What came of it.

    Args:
        told: (n, v) the label that each view's probe tells of each tried target.
        weights: (l,) of the mean over all layers; empty where no means were trained.
    """

    told: Places
    weights: tuple[float, ...]


def fit_probes(
    train: Floats,
    targets: Places,
    test: Floats,
    *,
    kind: str,
    mixes: bool,
    groups: Places,
    seed: int,
) -> Fitted:
    """Fit a probe on each layer, or on each of the trained means, and tell the tried targets.

    Of each view the epoch that did best on a tenth of the fitted targets is kept.

    Args:
        train: (n, l, w) states.
        targets: (n,) from 0 to s - 1.
        test: (m, l, w) states.
        kind: ``linear`` or ``mlp``.
        mixes: Whether views are means of layers so far, in place of layers.
        groups: (n,) the sentence of each fitted target; one of them is watched as a whole.
        seed: Of the start and the batches.
    """
    n_layers, width = train.shape[1:]
    mean, scale = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-5)
    own, tried = (torch.from_numpy((part - mean) / scale) for part in (train, test))
    gold = torch.from_numpy(targets)
    with own_randomness(seed):
        watched = _watched(groups, seed)
        inside, outside = np.flatnonzero(~watched), np.flatnonzero(watched)
        labels = int(targets.max()) + 1
        probes = LayerProbes(n_layers, width, labels, HIDDEN if kind == "mlp" else 0)
        mixing: nn.Module = Mixes(n_layers) if mixes else nn.Identity()
        _train(probes, mixing, own, gold, inside, outside, seed)
    with torch.no_grad():
        told = torch.cat([probes(mixing(part)).argmax(-1) for part in torch.split(tried, 4096)])
    weights = mixing.weights()[-1].tolist() if isinstance(mixing, Mixes) else ()
    return Fitted(told.numpy(), tuple(weights))


def _train(
    probes: LayerProbes,
    mixing: nn.Module,
    own: torch.Tensor,
    gold: torch.Tensor,
    inside: Places,
    outside: Places,
    seed: int,
) -> None:
    """Train in place; every view ends as it was in its best epoch."""
    parts: list[dict[str, Any]] = [{"params": list(probes.parameters()), "weight_decay": DECAY}]
    if isinstance(mixing, Mixes):
        parts.append({"params": list(mixing.parameters()), "weight_decay": 0.0, "lr": 10 * RATE})
    optimizer = torch.optim.AdamW(parts, lr=RATE)
    draw = np.random.default_rng([seed, 17])
    views = probes.first.shape[0]
    best, since = torch.full((views,), float("inf")), 0
    kept = _copied(probes, mixing)
    size = min(max(len(inside) // STEPS, SMALL), BATCH)
    for _ in range(EPOCHS):
        probes.train()
        order = torch.from_numpy(draw.permutation(inside))
        for batch in torch.split(order, size):
            loss = _losses(probes, mixing, own[batch], gold[batch]).mean(0).sum()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        probes.eval()
        with torch.no_grad():
            rows = torch.from_numpy(outside if len(outside) else inside)
            found = torch.cat(
                [_losses(probes, mixing, own[part], gold[part]) for part in torch.split(rows, 4096)]
            ).mean(0)
        better = found < best - 1e-4
        best = torch.where(better, found, best)
        for name, value in _copied(probes, mixing).items():
            kept[name][better] = value[better]
        since = 0 if bool(better.any()) else since + 1
        if since >= PATIENCE:
            break
    with torch.no_grad():
        for name, parameter in _named(probes, mixing):
            parameter.copy_(kept[name])
    probes.eval()


def _losses(
    probes: LayerProbes, mixing: nn.Module, states: torch.Tensor, gold: torch.Tensor
) -> torch.Tensor:
    """(b, v) negative log-probability of the right label, in nats."""
    logits = probes(mixing(states))
    return nn.functional.cross_entropy(
        logits.transpose(1, 2), gold[:, None].expand(-1, logits.shape[1]), reduction="none"
    )


def _named(probes: nn.Module, mixing: nn.Module) -> list[tuple[str, torch.Tensor]]:
    """All parameters; the first axis of each is that of the views."""
    return [
        (f"{part}.{name}", one)
        for part, module in (("probes", probes), ("mixing", mixing))
        for name, one in module.named_parameters()
    ]


def _copied(probes: nn.Module, mixing: nn.Module) -> dict[str, torch.Tensor]:
    return {name: one.detach().clone() for name, one in _named(probes, mixing)}


def _watched(groups: Places, seed: int) -> NDArray[np.bool_]:
    names = np.unique(groups)
    draw = np.random.default_rng([seed, 23])
    chosen = draw.choice(names, int(len(names) * WATCHED), replace=False)
    found: NDArray[np.bool_] = np.isin(groups, chosen)
    return found


def control_labels(words: Sequence[str], shares: NDArray[np.float64], seed: int) -> Places:
    """(n,) a label for each word, the same wherever the word stands (Hewitt and Liang 2019).

    They are drawn with the shares of the real labels, so that what guesses the most frequent one
    does as well as on the real task.

    Args:
        words: The word that each target's label is drawn by.
        shares: (s,) of the real labels.
        seed: Of the draw.
    """
    from promptkit.chance import ranker

    rank = ranker(seed, "control labels of words")
    ends = np.cumsum(shares)
    drawn = {word: int.from_bytes(rank(word)[:6], "big") / 2**48 for word in set(words)}
    found = np.searchsorted(ends, [drawn[word] for word in words], side="right")
    return np.minimum(found, len(shares) - 1).astype(np.int64)
