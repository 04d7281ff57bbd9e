"""Ways of adapting a model to a task. To add one: a file here, and a line in STRATEGIES."""

from promptkit.protocols import Strategy
from promptkit.registry import Registry

STRATEGIES: Registry[Strategy] = Registry(
    "strategy",
    {
        "in_context": "promptkit.strategies.in_context:InContext",
        "majority": "promptkit.strategies.majority:Majority",
        "nearest_neighbour": "promptkit.strategies.nearest_neighbour:NearestNeighbour",
        "random": "promptkit.strategies.random:Random",
        "tfidf": "promptkit.strategies.tfidf:Tfidf",
    },
)
