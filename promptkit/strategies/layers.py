"""The transformer layers of a network, in whatever family."""

from __future__ import annotations

from torch import nn

from promptkit.errors import CapabilityError


def layers_of(network: nn.Module) -> list[nn.Module]:
    """The transformer layers of a network, from the bottom up.

    Families give the list names of their own (``layer``, ``h``, ``block``, ``layers``); what they
    share is that it is the list of modules that holds most of the parameters outside embeddings.

    Raises:
        CapabilityError: There is no list of layers.
    """
    lists = [module for module in network.modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise CapabilityError(
            f"{type(network).__name__} has no list of layers; use --strategy full"
        )
    largest = max(lists, key=lambda one: sum(p.numel() for p in one.parameters()))
    return list(largest)
