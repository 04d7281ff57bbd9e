"""Counts floating-point operations while a model works, forwards and backwards.

A multiplication and an addition are two operations. Counted are products of matrices and attention,
which are nearly all that a transformer does; norms, activations and softmax are not, and no
classifier outside of torch. What a product costs is read off its shapes when torch is called, so
that any model and any training loop is counted as it runs, padding included. That adds about a
microsecond to a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class Flops(TorchFunctionMode):
    """Counts what torch is asked for inside of its block, in this thread.

    Going backwards costs a product once more for each of its operands that has a gradient, and
    attention twice; it is counted when the product is made. Products inside of compiled or
    quantized kernels are not seen.

    Attributes:
        total: Operations so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call what was to be called, and count it."""
        given = kwargs or {}
        result = func(*args, **given)
        count = _COUNTS.get(func)
        if count is not None and isinstance(result, torch.Tensor):
            self.total += count(result, *args, **given)
        return result


def _product(result: torch.Tensor, first: Any, second: Any, *_: Any, **__: Any) -> int:
    """A product of matrices: each number of the result sums over the first one's last axis."""
    products: int = result.numel() * first.shape[-1]
    return 2 * products * _passes(result, first, second)


def _added(result: torch.Tensor, _: Any, first: Any, second: Any, **__: Any) -> int:
    """A product that is added to something."""
    return _product(result, first, second)


def _attention(result: torch.Tensor, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Scores and their mean of values; a mask saves nothing."""
    places = prod(query.shape[:-1]) * int(key.shape[-2])
    forward = 2 * places * (int(query.shape[-1]) + int(value.shape[-1]))
    backward = torch.is_grad_enabled() and result.requires_grad
    return int(forward * (3 if backward else 1))


def _einsum(result: torch.Tensor, equation: Any, *operands: Any, **_: Any) -> int:
    """A sum over products of two tensors: as many terms as all different axes have together."""
    tensors = list(operands[0]) if len(operands) == 1 else list(operands)
    if not isinstance(equation, str) or len(tensors) != 2 or "." in equation:
        return 0
    sizes: dict[str, int] = {}
    for names, tensor in zip(equation.split("->")[0].split(","), tensors, strict=True):
        sizes |= dict(zip(names.strip(), tensor.shape, strict=True))
    return 2 * prod(sizes.values()) * _passes(result, *tensors)


def _passes(result: torch.Tensor, *operands: Any) -> int:
    """The way forwards, and one backwards for each operand that has a gradient."""
    if not (torch.is_grad_enabled() and result.requires_grad):
        return 1
    return 1 + sum(bool(operand.requires_grad) for operand in operands)


_COUNTS: dict[Any, Callable[..., int]] = {
    functional.linear: _product,
    functional.scaled_dot_product_attention: _attention,
    torch.einsum: _einsum,
    **dict.fromkeys((torch.addmm, torch.Tensor.addmm, torch.baddbmm), _added),
    **dict.fromkeys((torch.matmul, torch.mm, torch.bmm, torch.Tensor.matmul), _product),
    **dict.fromkeys((torch.Tensor.mm, torch.Tensor.bmm, torch.Tensor.__matmul__), _product),
}
