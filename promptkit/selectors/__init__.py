"""Ways to choose demonstrations. To add one: a file here, and a line in SELECTORS."""

from promptkit.protocols import Selector
from promptkit.registry import Registry

SELECTORS: Registry[Selector] = Registry(
    "selector",
    {
        "none": "promptkit.selectors.none:NoneSelector",
        "fixed": "promptkit.selectors.fixed:FixedSelector",
        "random": "promptkit.selectors.random:RandomSelector",
        "balanced": "promptkit.selectors.balanced:BalancedSelector",
        "nearest": "promptkit.selectors.nearest:NearestSelector",
        "nearest_per_class": "promptkit.selectors.nearest_per_class:NearestPerClassSelector",
        "mmr": "promptkit.selectors.mmr:MMRSelector",
        "k_centre": "promptkit.selectors.k_centre:KCentreSelector",
        "dpp": "promptkit.selectors.dpp:DPPSelector",
        "searched": "promptkit.selectors.searched:SearchedSelector",
        "vote_k": "promptkit.selectors.vote_k:VoteKSelector",
        "bm25": "promptkit.selectors.bm25:BM25Selector",
    },
    seam=Selector,
    handed=("seed",),
)

__all__ = ["SELECTORS"]
