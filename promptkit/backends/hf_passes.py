"""What all passes through a model of transformers share: batches, padding, memory, reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import torch

from promptkit.backends.memory import SHARE, free_bytes, is_out_of_memory
from promptkit.backends.meter import Meter
from promptkit.backends.plan import batches
from promptkit.errors import BackendError

#: Positions of a batch by default. On 2 CPU cores 1024 beat 512 and 4096 by a tenth: larger arrays
#: come from the system anew each time, page by page.
BATCH_TOKENS = {"cpu": 1024, "mps": 4096, "cuda": 16384}
#: Bytes of float32 logits that are held at once.
LOGIT_BYTES = 256 * 2**20

Item = TypeVar("Item")
Result = TypeVar("Result")


class Passes:
    """Sends sequences through a model in batches, and reads its logits.

    Args:
        device: Where the model lies.
        batch_size: Sequences of a batch, or ``auto`` for a budget of tokens.
        meter: Counts the computed positions.
        token_bytes: What a token needs on its way (see `memory.token_bytes`), so that a batch of
            ``auto`` fits into free memory; 0 where that is not known.
        scale: Multiplies the tokens of an ``auto`` batch.
    """

    def __init__(
        self,
        device: Any,
        batch_size: int | Literal["auto"],
        meter: Meter,
        token_bytes: int = 0,
        scale: int = 1,
    ) -> None:
        self.device, self.batch_size, self.meter = device, batch_size, meter
        self.token_bytes, self.scale = token_bytes, scale

    @property
    def budget(self) -> tuple[int, int | None]:
        """Tokens and sequences of a batch at most, as the user, the device or memory has it."""
        if self.batch_size != "auto":
            return 2**62, self.batch_size
        tokens = BATCH_TOKENS.get(self.device.type, 1024) * self.scale
        free = free_bytes(self.device) if self.token_bytes else None
        if free is not None:
            tokens = max(1, min(tokens, int(free * SHARE) // self.token_bytes))
        return tokens, None

    def batches(self, lengths: Sequence[int], most: int | None = None) -> list[list[int]]:
        """Indices in batches within the budget, and of ``most`` sequences where that is given."""
        tokens, rows = self.budget
        if most is not None:
            rows = min(most, rows or most)
        return list(batches(lengths, tokens=tokens, rows=rows))

    def each(
        self,
        items: Sequence[Item],
        length: Callable[[Item], int],
        forward: Callable[[Sequence[Item]], list[Result]],
        most: int | None = None,
    ) -> list[Result]:
        """What ``forward`` gives for each item, in the order of the items.

        Args:
            items: What goes through the model.
            length: Tokens of an item.
            forward: One batch through the model. It must keep nothing: a batch for which memory
                does not suffice goes through it again in halves.
            most: Items of a batch at most, besides the budget.
        """
        results: dict[int, Result] = {}
        for batch in self.batches([length(item) for item in items], most):
            found = self.halving([items[index] for index in batch], length, forward)
            results.update(zip(batch, found, strict=True))
        return [results[index] for index in range(len(items))]

    def padded(self, rows: Sequence[Sequence[int]], pad: int = 0) -> tuple[Any, Any]:
        """(rows, longest) ids and their mask.

        Padded on the right, which is exact for every kind of position.
        """
        width = max(map(len, rows))
        ids = torch.full((len(rows), width), pad, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, one in enumerate(rows):
            ids[row, : len(one)] = torch.tensor(one, dtype=torch.long)
            mask[row, : len(one)] = 1
        return ids.to(self.device), mask.to(self.device)

    def computed(self, positions: int) -> None:
        """Count positions that went through the model."""
        self.meter.add(computed_tokens=positions)
        if self.device.type == "cuda":
            self.meter.add(peak_bytes=torch.cuda.max_memory_allocated(self.device))

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Nothing is counted inside."""
        usual, self.meter = self.meter, Meter()
        try:
            yield
        finally:
            self.meter = usual

    def log_p(self, logits: Any, wanted: Sequence[tuple[int, int, int]]) -> list[float]:
        """Log-probability of each (row, column, token), through a float32 softmax."""
        places = sorted({(row, column) for row, column, _ in wanted})
        size = max(1, LOGIT_BYTES // (4 * logits.shape[-1]))
        found: dict[tuple[int, int, int], float] = {}
        for start in range(0, len(places), size):
            part = {place: index for index, place in enumerate(places[start : start + size])}
            rows = torch.tensor([row for row, _ in part], device=self.device)
            columns = torch.tensor([column for _, column in part], device=self.device)
            log_p = logits[rows, columns].float().log_softmax(-1)
            asked = sorted({one for one in wanted if one[:2] in part})
            which = torch.tensor([part[one[:2]] for one in asked], device=self.device)
            tokens = torch.tensor([token for _, _, token in asked], device=self.device)
            found.update(zip(asked, log_p[which, tokens].tolist(), strict=True))
        return [found[one] for one in wanted]

    @torch.inference_mode()
    def halving(
        self,
        batch: Sequence[Item],
        length: Callable[[Item], int],
        forward: Callable[[Sequence[Item]], list[Result]],
    ) -> list[Result]:
        """One batch through the model, in halves where memory does not suffice for the whole."""
        try:
            return forward(batch)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise BackendError(
                    f"out of memory on one sequence of {length(batch[0])} tokens",
                    hint="use a smaller --dtype, a smaller model or --device cpu",
                ) from error
        # outside of 'except': the error's traceback holds the tensors of the failed pass
        torch.cuda.empty_cache()
        half = len(batch) // 2
        first = self.halving(batch[:half], length, forward)
        return first + self.halving(batch[half:], length, forward)


def absent(
    ids: Sequence[int], wrapping: tuple[tuple[int, ...], tuple[int, ...]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the tokenizer puts before and after a text, as far as these ids do not have it yet.

    A template that ends in ``</s>`` itself gets no second one.
    """
    before, after = wrapping
    there = tuple(ids)
    head = () if there[: len(before)] == before else before
    tail = () if there[max(0, len(there) - len(after)) :] == after else after
    return head, tail


@contextmanager
def replaced(module: Any, forward: Callable[..., Any]) -> Iterator[None]:
    """Let a module compute something else; what else stood in its way (hooks) is put back."""
    there = vars(module).get("forward")
    vars(module)["forward"] = forward
    try:
        yield
    finally:
        del vars(module)["forward"]
        if there is not None:
            vars(module)["forward"] = there
