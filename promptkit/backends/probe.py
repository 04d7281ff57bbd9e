"""Short requests on which a fast way is compared with the plain one when a model is loaded."""

from __future__ import annotations

import copy
from typing import Any

import torch

from promptkit.backends.tokens import Request

#: Largest difference of a log-probability from eager attention that is rounding: float32 gives a
#: few millionths.
SAME = 1e-4
#: The same of a model in half precision, of which bfloat16 gives a few hundredths.
SAME_IN_HALF = 0.5
#: What a family that is built otherwise may raise when it is tried.
CANNOT = (AttributeError, LookupError, RuntimeError, TypeError, ValueError)
#: Prompts that are tried first: a shared beginning, a tree of labels, rows of different length.
PROBE = (
    Request((13, 24, 35, 46, 57, 68), ((21,), (21, 9), (32, 43, 65), (32, 54, 76))),
    Request((13, 24, 35, 79, 68, 57, 46, 35), ((21,), (32, 43), (43, 5))),
)


def folded(request: Request, vocabulary: int) -> Request:
    """The same with ids that the vocabulary has."""
    answers = tuple(tuple(i % vocabulary for i in answer) for answer in request.answers)
    return Request(tuple(i % vocabulary for i in request.context), answers)


def is_half(model: Any) -> bool:
    """Whether a model computes in 16 bits; the 8 bits of bitsandbytes are multiplied in float16."""
    eight = bool(getattr(model, "is_loaded_in_8bit", False))
    return eight or model.dtype in (torch.bfloat16, torch.float16)


def twin_of(model: Any) -> Any:
    """A float32 model of the same configuration: random, few layers, few tokens.

    What a family computes is a matter of its class and configuration, not of its weights: here an
    error shows that the rounding of half precision would hide.

    Raises:
        One of `CANNOT`: The family is built otherwise.
    """
    whole = copy.deepcopy(model.config)
    config = whole.get_text_config()
    kinds = list(getattr(config, "layer_types", None) or [])
    deep = max(2, 1 + max((kinds.index(kind) for kind in set(kinds)), default=0))
    config.num_hidden_layers = min(deep, config.num_hidden_layers)
    if kinds:
        config.layer_types = kinds[: config.num_hidden_layers]
    config.vocab_size = 128
    config.pad_token_id = config.bos_token_id = config.eos_token_id = None
    with torch.random.fork_rng(), torch.device(model.device), torch.no_grad():
        torch.manual_seed(0)
        twin = type(model)(whole).to(dtype=torch.float32, device=model.device).eval()
        for parameter in twin.parameters():
            if parameter.dim() > 1:  # wide enough for attention to matter
                parameter.normal_(0.0, 2.0 / parameter.shape[-1] ** 0.5)
    return twin
