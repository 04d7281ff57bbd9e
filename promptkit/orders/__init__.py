"""In which order chosen demonstrations stand. To add one: a file here, and a line in ORDERS."""

from promptkit.protocols import Order
from promptkit.registry import Registry

ORDERS: Registry[Order] = Registry(
    "order",
    {
        "as_selected": "promptkit.orders.as_selected:AsSelected",
        "nearest_last": "promptkit.orders.nearest_last:NearestLast",
        "nearest_first": "promptkit.orders.nearest_first:NearestFirst",
        "random": "promptkit.orders.random:RandomOrder",
        "interleaved": "promptkit.orders.interleaved:Interleaved",
        "global_entropy": "promptkit.orders.by_entropy:GlobalEntropyOrder",
        "local_entropy": "promptkit.orders.by_entropy:LocalEntropyOrder",
    },
    seam=Order,
    handed=("seed",),
)

__all__ = ["ORDERS"]
