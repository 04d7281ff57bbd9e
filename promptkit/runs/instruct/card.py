"""README.md of a model that was tuned on a mixture."""

from __future__ import annotations

import json

from promptkit.runs.instruct.mixture import Mixture
from promptkit.strategies.language_tuning import LanguageOptions, TunedLanguage

#: What tells a folder that was made here from any other.
MARK = "- promptkit-instruct"


def card(
    name: str,
    base: str,
    mixture: Mixture,
    options: LanguageOptions,
    tuned: TunedLanguage,
    beta: float | None,
) -> str:
    """The card; no text of a row gets into it.

    Args:
        name: Name of the folder.
        base: What the model it was made from is called.
        mixture: What it learned.
        options: How.
        tuned: What came of it.
        beta: See `promptkit.runs.instruct.tune.instruct`.
    """
    what = "answers" if beta is None else f"preferences (DPO, beta {beta:g})"
    lines = [
        "---",
        "library_name: transformers",
        "pipeline_tag: text-generation",
        "tags:",
        MARK,
        "---",
        "",
        f"# {json.dumps(name, ensure_ascii=False)[1:-1]}",
        "",
        f"`{base}`, tuned by promptkit on {what} of the mixture `{mixture.keys.name}`: "
        f"{tuned.rows:,} inputs of {len(mixture.tasks)} tasks, {tuned.tokens:,} tokens of answers, "
        f"{tuned.trained_parameters:,} parameters trained.",
        "",
        "| task | inputs | ways of putting it |",
        "|---|---:|---:|",
    ]
    sizes = mixture.sizes()
    lines += [
        f"| {one.task.name} | {sizes[one.task.name]:,} | {len(one.task.templates)} |"
        for one in mixture.tasks
    ]
    lines += ["", "| option | value |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in options.described().items()]
    if tuned.left_out:
        lines += ["", f"{len(tuned.left_out):,} inputs were left out, being too long."]
    return "\n".join([*lines, ""])
