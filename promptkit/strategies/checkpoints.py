"""Checkpoints of a training that may be killed: which of them are whole, and whose they are.

transformers' Trainer writes a checkpoint file by file; a process that is killed meanwhile leaves
half of one. So a checkpoint counts only when it holds ``whole.json``, which is written last. Each
training has a folder of its own, named for all that can change its result: a checkpoint of other
rows or options is never taken up.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

_WHOLE, _BEST = "whole.json", "best.safetensors"


@dataclass
class Best:
    """The best weights so far, by their score on held-out rows.

    Args:
        loss: Their held-out loss.
        score: Their held-out accuracy.
        epoch: The epoch that they stand at the end of, counted from 1; 0 for none yet.
        state: The weights that are trained.
    """

    loss: float = float("inf")
    score: float = 0.0
    epoch: int = 0
    state: Mapping[str, torch.Tensor] | None = None


def name_of_training(facts: Mapping[str, Any], ids: Sequence[Sequence[int]], y: Any) -> str:
    """Names a training by its options, its model, and its rows as the model reads them."""
    text = json.dumps([dict(facts), [list(one) for one in ids], list(y)])
    return "tuning-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def mark_whole(checkpoint: Path, best: Best) -> None:
    """Write the best weights into a checkpoint that the Trainer has finished, then the mark."""
    from safetensors.torch import save_file

    # pickled settings that nothing here reads again
    (checkpoint / "training_args.bin").unlink(missing_ok=True)
    if best.state is not None:
        save_file(dict(best.state), checkpoint / _BEST)
    facts = {"loss": best.loss, "score": best.score, "epoch": best.epoch}
    facts |= {"has_best": best.state is not None}
    (checkpoint / _WHOLE).write_text(json.dumps(facts), encoding="utf-8")


def last_whole(folder: Path) -> Path | None:
    """The latest checkpoint that was written to its end."""
    found = {
        int(match[1]): one
        for one in folder.glob("checkpoint-*")
        if (match := re.fullmatch(r"checkpoint-(\d+)", one.name)) and (one / _WHOLE).is_file()
    }
    return found[max(found)] if found else None


def best_of(checkpoint: Path) -> Best:
    """The best weights up to a checkpoint."""
    from safetensors.torch import load_file

    facts = json.loads((checkpoint / _WHOLE).read_text(encoding="utf-8"))
    state = load_file(checkpoint / _BEST) if facts["has_best"] else None
    return Best(facts["loss"], facts["score"], facts["epoch"], state)


def remove(folder: Path) -> None:
    """A training that is done needs its checkpoints no more."""
    shutil.rmtree(folder, ignore_errors=True)
