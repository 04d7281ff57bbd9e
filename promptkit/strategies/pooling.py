"""From the last layer's states of a row's tokens to one vector of the row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import torch

from promptkit.backends.weights import Located
from promptkit.errors import BackendError, CapabilityError

Pooling = Literal["mean", "cls", "last", "words"]

#: How each kind of model is pooled where its folder does not say. A causal model's last token is
#: the only one that has read the whole row.
BY_KIND: dict[str, Pooling] = {"causal": "last", "seq2seq": "mean", "masked": "mean"}
#: What sentence-transformers calls them: the older keys, one a way, and the values of the newer.
_NAMES: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
    "mean": "mean",
    "cls": "cls",
    "lasttoken": "last",
}


def pooled(
    states: torch.Tensor, mask: torch.Tensor, how: Pooling, starts: torch.Tensor | None = None
) -> torch.Tensor:
    """(n, w) one vector a row, in float32; (n, m, w) one a word.

    Args:
        states: (n, t, w) states of the last layer.
        mask: (n, t) 1 where there is a token; padding is on the right.
        how: ``mean`` over the tokens, the first (``cls``), the ``last`` one, or ``words``: each
            word's first one.
        starts: (n, m) for ``words``, the place of each word's first token.
    """
    states = states.float()  # a mean over many bfloat16 states would lose what tells rows apart
    if how == "words":
        assert starts is not None
        return states[torch.arange(len(states), device=states.device)[:, None], starts]
    if how == "cls":
        return states[:, 0]
    if how == "last":
        last = mask.sum(1) - 1
        return states[torch.arange(len(states), device=states.device), last]
    weights = mask.unsqueeze(-1).float()
    return (states * weights).sum(1) / weights.sum(1)


def pooling_of(located: Located) -> Pooling:
    """How this model's states are pooled: as a sentence encoder's folder says, or by its kind.

    Raises:
        CapabilityError: The folder asks for a way that is not offered.
        BackendError: What the folder says cannot be read.
    """
    if located.kind() != "sentence-encoder":
        return BY_KIND.get(located.kind(), "mean")
    for file in sorted(located.path.glob("*_Pooling/config.json")):
        said = _read(file)
        wanted = [str(key) for key, value in said.items() if value is True]
        wanted += [str(said["pooling_mode"])] if "pooling_mode" in said else []
        wanted = [name for name in wanted if name.startswith("pooling_mode") or name in _NAMES]
        if len(wanted) == 1 and wanted[0] in _NAMES:
            return _NAMES[wanted[0]]
        raise CapabilityError(
            f"{file}: pools by {' and '.join(wanted) or 'nothing known'}; mean, cls and lasttoken "
            "can be trained upon"
        )
    return "mean"


def _read(file: Path) -> dict[str, object]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackendError(f"{file}: not JSON ({error})", hint="save the model again") from error
    if not isinstance(said, dict):
        raise BackendError(f"{file}: not a JSON object", hint="save the model again")
    return said
