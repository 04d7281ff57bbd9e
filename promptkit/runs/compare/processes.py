"""Further processes of this machine that work on a comparison beside the first one."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from promptkit.runs.compare.spec import CompareSpec

#: Seconds that a process is given to end after it was asked to.
PATIENCE = 10.0


@contextmanager
def helpers(asked: CompareSpec, root: str | Path | None, processes: int) -> Iterator[None]:
    """Let others compute cells while the block runs; cores are shared out among all.

    One that ends early, killed for memory for instance, leaves its cell to the others.

    Args:
        asked: What is compared.
        root: Where cells are kept.
        processes: Processes in all, this one among them.
    """
    if processes < 2:
        yield
        return
    import torch

    before = torch.get_num_threads()
    threads = max(1, (os.cpu_count() or 1) // processes)
    # a fork of a process that has run torch's threads would hang
    spawn = multiprocessing.get_context("spawn")
    made = [
        spawn.Process(target=_help, args=(asked, root, threads), daemon=True)
        for _ in range(processes - 1)
    ]
    for process in made:
        process.start()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        for process in made:
            process.terminate()
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()


def _help(asked: CompareSpec, root: str | Path | None, threads: int) -> None:
    import torch

    from promptkit.errors import PromptkitError
    from promptkit.runs.compare.engine import help_comparison

    torch.set_num_threads(threads)
    # what fails here fails in the first process too, which says it
    with suppress(PromptkitError, KeyboardInterrupt):
        help_comparison(asked.model_copy(update={"fresh": False, "budget": None}), root=root)
