"""Losses that draw rows of one label together and push others apart, over all pairs of a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from promptkit.errors import SpecError, nearest

#: Takes (n, w) vectors and (n,) labels as numbers, gives a loss that can be differentiated.
BatchLoss = Callable[[Any, Any], Any]
#: How much nearer (in cosine) than a row of another label one's own should be.
MARGIN = 0.25
#: Cosines are divided by it in `supervised_contrastive`.
TEMPERATURE = 0.2


def batch_loss(name: str) -> BatchLoss:
    """The loss of that name.

    Args:
        name: ``all_triplets``: every row's own label should be nearer by a margin than every other
            one (Hermans et al. 2017, "batch all"), the triplets that already are not counted.
            ``hard_triplets``: the same for the farthest row of the own label and the nearest
            of another, with a soft margin. ``supervised_contrastive``: a softmax over the batch
            (Khosla et al. 2020). ``cosine_pairs``: the cosine of every pair should be 1 or 0, which
            is what SetFit's pairs are trained for (Tunstall et al. 2022).

    Raises:
        SpecError: No such loss.
    """
    made: dict[str, BatchLoss] = {
        "all_triplets": all_triplets,
        "cosine_pairs": cosine_pairs,
        "hard_triplets": hard_triplets,
        "supervised_contrastive": supervised_contrastive,
    }
    if name not in made:
        raise SpecError(f"no contrastive loss named {name!r}; {nearest(name, made)}")
    return made[name]


def all_triplets(vectors: Any, labels: Any) -> Any:
    """Mean of what all triplets that break the margin lack, by sentence-transformers."""
    return _triplets("BatchAllTripletLoss", margin=MARGIN).batch_all_triplet_loss(labels, vectors)


def hard_triplets(vectors: Any, labels: Any) -> Any:
    """Softplus of the hardest triplet of each row, by sentence-transformers."""
    loss = _triplets("BatchHardSoftMarginTripletLoss")
    return loss.batch_hard_triplet_soft_margin_loss(labels, vectors)


def supervised_contrastive(vectors: Any, labels: Any) -> Any:
    """Mean negative log-probability, in nats, that a row's neighbour is one of its own label.

    Rows that are alone with their label are only pushed away from.
    """
    import torch

    cosines, same = _pairs(vectors, labels)
    itself = torch.eye(len(labels), dtype=torch.bool, device=vectors.device)
    log_p = torch.log_softmax((cosines / TEMPERATURE).masked_fill(itself, -1e9), dim=1)
    own = same & ~itself
    counts = own.sum(1)
    of_rows = -(log_p * own).sum(1)[counts > 0] / counts[counts > 0]
    return of_rows.mean()


def cosine_pairs(vectors: Any, labels: Any) -> Any:
    """Squared distance of each pair's cosine from 1 or 0; both kinds of pairs weigh the same."""
    import torch

    cosines, same = _pairs(vectors, labels)
    one, other = torch.triu_indices(len(labels), len(labels), 1, device=vectors.device)
    own = same[one, other]
    missed = (cosines[one, other] - own.to(cosines.dtype)) ** 2
    return (missed[own].mean() + missed[~own].mean()) / 2


def _pairs(vectors: Any, labels: Any) -> tuple[Any, Any]:
    """(n, n) cosines, and whether the labels are the same."""
    import torch

    unit = torch.nn.functional.normalize(vectors, dim=-1)
    return unit @ unit.T, labels[:, None] == labels[None, :]


@cache
def _triplets(name: str, **options: float) -> Any:
    """A loss of sentence-transformers; of its parts only the one over vectors is used."""
    from torch import nn

    try:
        from sentence_transformers.sentence_transformer import losses
    except ImportError:  # before version 5.4 or so they had another home
        from sentence_transformers import losses

    distance = losses.BatchHardTripletLossDistanceFunction.cosine_distance
    return getattr(losses, name)(nn.Identity(), distance_metric=distance, **options)
