"""``promptkit.probe``: tasks and a model in, what each of its layers knows out."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.report.layer_profiles import LayerProfiles
from promptkit.runs.probe import ProbeOptions, ProbingTask, read_task
from promptkit.runs.probe import probe as profiles_of


def probe(
    tasks: str | ProbingTask | Sequence[str | ProbingTask],
    model: str = "minilm",
    *,
    column: str = "upos",
    kind: str = "linear",
    limit: int | None = 1000,
    control: bool = True,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "auto",
) -> LayerProfiles:
    """What each layer of a frozen model encodes, by edge probing (Tenney et al. 2019).

    Args:
        tasks: ``pos``, ``dep``, a file, a folder, or a `promptkit.runs.probe.ProbingTask`; one, or
            several.
        model: ``minilm``, ``pocket``, a folder or a hub id.
        column: What CoNLL-U files are asked for: ``upos``, ``xpos`` or ``deprel``.
        kind: ``linear``, or ``mlp`` with one hidden layer.
        limit: Sentences to fit on at most, and as many to try; None reads all.
        control: Whether control tasks are learned too (Hewitt and Liang 2019).
        seed: Of every random choice.
        device: Where the model runs.
        dtype: Number format of the model.

    Raises:
        SpecError: No such task, file or option.
        DataError: A line that cannot be used; names file, line and reason.
        BackendError: The model cannot be read.

    Example:
        >>> probe(["pos", "dep"])["pos"].best  # doctest: +SKIP
        2
    """
    given = [tasks] if isinstance(tasks, str | ProbingTask) else list(tasks)
    read = [read_task(one, column, seed) if isinstance(one, str) else one for one in given]
    options = ProbeOptions(kind, limit, control, seed, device, dtype)
    return LayerProfiles(profiles_of(model, read, options))
