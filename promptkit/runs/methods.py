"""The method that a run asks for: one prompt, several, or a strategy that learns."""

from __future__ import annotations

from promptkit.errors import SpecError
from promptkit.prompts import Template
from promptkit.runs.adapt import is_learned, prompting_as, suited
from promptkit.runs.calibration import NO_ROWS, OwnRows
from promptkit.runs.ensembles import ensembling, is_ensemble
from promptkit.runs.kinds import check_options
from promptkit.runs.method import Method, learned, prompting, stand_in
from promptkit.runs.spec import EvalSpec, flag

#: What can be asked of prompting alone.
PROMPTING_ONLY = (
    "shots",
    "selector",
    "selector_options",
    "order",
    "verbalizer",
    "verbalizer_options",
    "calibration",
    "calibration_options",
    "calibration_rows",
    "permutation",
    "templates",
    "draws",
    "permutations",
    "ensemble",
    "chat",
    "chat_template_kwargs",
    "adapter",
    "backend",
    "backend_options",
    "base_url",
    "tokenizer",
    "cache",
    "cache_folder",
)


def method_for(
    asked: EvalSpec, template: Template, has_train: bool, own: OwnRows = NO_ROWS
) -> Method:
    """The method that was asked for, everything about it checked, and no weights loaded.

    Args:
        asked: What the user asked for.
        template: Its labels settled.
        has_train: Whether there are training rows.
        own: Rows that a calibration alone sees, or must not see.

    Raises:
        PromptkitError: What cannot be.
    """
    check_options(asked, template)
    if not is_learned(asked.strategy):
        asked = prompting_as(suited(asked, template))
        several = ensembling if is_ensemble(asked) else prompting
        return several(asked, template, has_train, own)
    usual = EvalSpec()
    for name in PROMPTING_ONLY:
        if getattr(asked, name) != getattr(usual, name):
            raise SpecError(
                f"--{flag(name)} is for prompting, and strategy {asked.strategy!r} "
                "learns instead: leave it out"
            )
    return stand_in(asked, template) if asked.dry_run else learned(asked, template, own)
