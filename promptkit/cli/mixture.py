"""``promptkit tune --mixture``: a model tuned on many tasks at once."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from promptkit.cli.progress import watched
from promptkit.errors import Interrupted, SpecError, nearest

if TYPE_CHECKING:
    from promptkit.runs.instruct import Instructed

#: Strategies that learn from a mixture.
STRATEGIES = ("instruct", "preference")


def tune_on_mixture(
    *,
    strategy: str,
    mixture: str,
    without: Sequence[str] | None,
    model: str | None,
    output: str,
    options: Mapping[str, Any],
    seed: int | None,
    device: str | None,
    force: bool,
) -> None:
    """Tune, and show what was made.

    Raises:
        SpecError: A strategy or an option that cannot be.
    """
    from promptkit.runs.instruct import instruct, read_mixture
    from promptkit.strategies.language_tuning import LanguageOptions
    from promptkit.strategies.processes import rank

    if strategy not in STRATEGIES:
        raise SpecError(f"--mixture is for --strategy {' and '.join(STRATEGIES)}; "
                        f"{strategy!r} learns one task: give --data")  # fmt: skip
    if model is None:
        raise SpecError("--mixture: name the language model to tune, with --model FOLDER")
    if not output.strip():
        raise SpecError("--output: name a folder")
    own = dict(options)
    beta = float(own.pop("beta", 0.1)) if strategy == "preference" else None
    known = [
        name for name in LanguageOptions.__dataclass_fields__ if name not in ("seed", "device")
    ]
    for name in own:
        if name not in known:
            raise SpecError(f"strategy {strategy!r} has no option {name!r}; {nearest(name, known)}")
    if beta is not None and own.get("learning_rate") is None:
        own["learning_rate"] = 5e-5 if own.get("way") == "lora" else 5e-6
    how = LanguageOptions(**own, seed=seed or 0, device=device or "auto")
    try:
        with watched(strategy) as watch:
            mixed = read_mixture(mixture, without or ())
            made = instruct(
                mixed, model, output, how, beta=beta, force=force, on_step=watch.on_step
            )
    except KeyboardInterrupt as error:
        raise Interrupted(0, 0, "steps", "were done") from error
    if rank() == 0:
        _show(made, strategy, model, how.way)


def _show(made: Instructed, strategy: str, model: str, way: str) -> None:
    """What was made, and what can be done with it."""
    from rich.console import Console
    from rich.text import Text

    from promptkit.report.figures import duration, size
    from promptkit.report.layout import bullets, heading
    from promptkit.report.layout import pairs as in_pairs
    from promptkit.report.plain import cell, shorten

    tasks = ", ".join(f"{name} ({n:,})" for name, n in made.sizes.items())
    lines = [
        ("strategy", strategy),
        ("tasks", f"{len(made.sizes)}: {shorten(tasks, 200)}"),
        ("inputs", f"{made.tuned.rows:,}, with {made.tuned.tokens:,} tokens of answers"),
        ("learned in", duration(made.cost.seconds)),
        ("trained", f"{made.tuned.trained_parameters:,} parameters"),
        ("size on disk", size(made.stored_bytes)),
        ("saved in", str(made.folder)),
    ]
    console = Console(highlight=False)
    console.print(in_pairs((key, cell(value)) for key, value in lines))
    if made.tuned.left_out:
        told = [f"{len(made.tuned.left_out):,} inputs were left out; the first: "
                f"{made.tuned.left_out[0]}"]  # fmt: skip
        console.print(heading("notes"), bullets([cell(one) for one in told]))
    folder = shlex.quote(str(made.folder))
    served = f"--model {shlex.quote(model)} --adapter {folder}" if way != "full" else (
        f"--model {folder}"
    )  # fmt: skip
    console.print(Text("\nnext"))
    sys.stdout.write(f"promptkit eval --template sentiment_zero_shot {served}\n")
