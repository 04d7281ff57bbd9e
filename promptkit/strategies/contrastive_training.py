"""The training steps of contrastive tuning, and a checkpoint that a killed fit goes on from.

Why no Trainer of sentence-transformers: each step here is a function of the seed and of its own
number alone (its batch, its learning rate, the dropout that it draws), so that a fit taken up
again ends with the same weights, bit by bit; and the batches are planned by label and padded in
parts, which the Trainer's collator cannot do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.meter import Meter
from promptkit.protocols import FitContext, Step
from promptkit.strategies.contrastive_losses import BatchLoss
from promptkit.strategies.randomness import own_randomness
from promptkit.strategies.sentence_encoders import vectors_of

#: Share of the steps in which the learning rate rises; then it falls to 0 in a straight line.
WARM_UP = 0.1
#: Gradients longer than this are shortened to it.
LONGEST_GRADIENT = 1.0
#: Rows of a batch that are padded to one length.
PADDED_TOGETHER = 16
#: Seconds between checkpoints: writing one takes about as long as a step.
BETWEEN_CHECKPOINTS = 20.0


@dataclass(frozen=True)
class Plan:
    """All that the weights after training depend on, beside the weights before.

    Args:
        ids: (n,) token ids of each row.
        targets: (n,) label of each row, as a number.
        batches: Rows of each step.
        loss: Over the vectors and labels of a batch.
        learning_rate: The highest one.
        seed: Of the dropout.
        dtype: In which matrix products are computed; weights and updates stay float32.
        name: Names all of these, and the encoder; a checkpoint bears it, and is gone on from by
            nothing else.
    """

    ids: Sequence[Sequence[int]]
    targets: Sequence[int]
    batches: Sequence[Sequence[int]]
    loss: BatchLoss
    learning_rate: float
    seed: int
    dtype: torch.dtype
    name: str

    def checkpoint(self, folder: Path) -> Path:
        """Where it is kept while training lasts."""
        return folder / f"contrastive-{self.name[:16]}.safetensors"

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        total = len(self.batches)
        rising = max(1, int(WARM_UP * total))
        falling = (total - step) / max(1, total - rising)
        return self.learning_rate * min((step + 1) / rising, falling, 1.0)


def tune(encoder: Any, plan: Plan, context: FitContext, meter: Meter) -> int:
    """Train an encoder in place; without batches it stays as it is.

    Args:
        encoder: A SentenceTransformer where it is to be trained.
        plan: What is done.
        context: Who looks on, and where checkpoints are kept.
        meter: Counts the tokens computed.

    Returns:
        How many parameters were trained.
    """
    # without weight decay: over so few steps it would not be felt
    optimizer = torch.optim.AdamW(
        encoder.parameters(), plan.learning_rate, weight_decay=0.0, fused=True
    )
    done = _take_up(context.folder, plan, encoder, optimizer)
    saved = time.monotonic()
    with _training(encoder):
        for step in range(done, len(plan.batches)):
            loss = _step(encoder, optimizer, plan, step, meter)
            last = step + 1 == len(plan.batches)
            if context.folder and not last and time.monotonic() - saved >= BETWEEN_CHECKPOINTS:
                _put_down(context.folder, plan, encoder, optimizer, step + 1)
                saved = time.monotonic()
            context.on_step(Step(step + 1, len(plan.batches), loss))
    if context.folder:
        plan.checkpoint(context.folder).unlink(missing_ok=True)
    # those without a gradient, like BERT's unused pooler, have no state
    return sum(parameter.numel() for parameter in optimizer.state)


def _step(encoder: Any, optimizer: Any, plan: Plan, step: int, meter: Meter) -> float:
    rows, device = plan.batches[step], encoder.device
    for group in optimizer.param_groups:
        group["lr"] = plan.rate(step)
    # dropout draws from the step's own seed: no state of a generator has to be kept
    with own_randomness(plan.seed * 1_000_003 + step), _products_in(plan.dtype, device):
        vectors, computed = vectors_of(encoder, [plan.ids[row] for row in rows], PADDED_TOGETHER)
    loss = plan.loss(vectors, torch.tensor([plan.targets[row] for row in rows], device=device))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(encoder.parameters(), LONGEST_GRADIENT)
    optimizer.step()
    meter.add(computed_tokens=computed)
    return float(loss.detach())


@contextmanager
def _training(encoder: Any) -> Iterator[None]:
    """Dropout inside, none afterwards, and no gradients left behind."""
    encoder.train()
    try:
        yield
    finally:
        encoder.eval()
        encoder.zero_grad(set_to_none=True)


def _products_in(dtype: torch.dtype, device: Any) -> Any:
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


def _put_down(folder: Path, plan: Plan, encoder: Any, optimizer: Any, done: int) -> None:
    """Write weights and the optimizer's moments; a kill while writing leaves the file before."""
    from safetensors.torch import save_file

    tensors = {f"weight {name}": tensor for name, tensor in _named(encoder)}
    for name, parameter in _named(encoder):
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{key} {name}"] = value
    folder.mkdir(parents=True, exist_ok=True)
    file = plan.checkpoint(folder)
    beside = file.with_suffix(".part")
    save_file(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        beside,
        {"done": str(done)},
    )
    beside.replace(file)


def _take_up(folder: Path | None, plan: Plan, encoder: Any, optimizer: Any) -> int:
    """Steps that a checkpoint has done, 0 without one; weights and moments are set to it."""
    from safetensors import safe_open

    if folder is None or not plan.checkpoint(folder).is_file():
        return 0
    with safe_open(plan.checkpoint(folder), "pt") as file:
        _set(encoder, optimizer, set(file.keys()), file.get_tensor)
        return int(file.metadata()["done"])


def _set(encoder: Any, optimizer: Any, there: set[str], read: Callable[[str], Any]) -> None:
    with torch.no_grad():
        for name, parameter in _named(encoder):
            parameter.copy_(read(f"weight {name}"))
            kept = {key: f"{key} {name}" for key in ("step", "exp_avg", "exp_avg_sq")}
            if kept["step"] in there:
                optimizer.state[parameter] = {
                    key: read(place).to(parameter.device) for key, place in kept.items()
                }


def _named(encoder: Any) -> list[tuple[str, Any]]:
    """Parameters by name; those that share their memory come once."""
    return list(encoder.named_parameters())
