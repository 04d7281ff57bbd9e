"""Evaluates well-known instruct models of 0.5B to 4B by hub id, zero-shot, on in-box rows.

    python examples/hub_models.py                          # all of them; needs a hub and memory
    python examples/hub_models.py --models Qwen/Qwen3-0.6B ./my-model --backend vllm --limit 50
    python examples/hub_models.py --output hub.md

A model that cannot be loaded gets a line that says why, and the others go on.
"""

# needs: the hub

from __future__ import annotations

import argparse
from pathlib import Path

from promptkit import EvalSpec, PromptkitError, Store, build, run
from promptkit.types import RunRecord

#: Published sizes; some ask for a licence to be accepted on the hub first.
MODELS = (
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen3-0.6B",
    "meta-llama/Llama-3.2-1B-Instruct",
    "google/gemma-3-1b-it",
    "HuggingFaceTB/SmolLM2-1.7B-Instruct",
    "Qwen/Qwen3-1.7B",
    "Qwen/Qwen3-4B-Instruct-2507",
    "microsoft/Phi-4-mini-instruct",
)
TEMPLATES = ("sentiment_chat", "intent_chat", "entailment_chat")


def main() -> None:
    """Print a Markdown table, a line for each model."""
    options = _options()
    lines = [
        f"| model | {' | '.join(options.templates)} | rows/s |",
        f"|---|{'---:|' * (len(options.templates) + 1)}",
    ]
    print(*lines, sep="\n", flush=True)
    for model in options.models:
        lines.append(line_of(model, options))
        print(lines[-1], flush=True)
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def line_of(model: str, options: argparse.Namespace) -> str:
    """Accuracy with its interval on each template, and rows scored in a second."""
    cells, rows, seconds = [], 0, 0.0
    for template in options.templates:
        try:
            record = evaluated(model, template, options)
        except PromptkitError as error:
            cells.append(str(error).splitlines()[0].replace("|", "/"))
            continue
        accuracy = next(s for s in record.report.scores if s.metric == "accuracy")
        cells.append(f"{accuracy.value:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f})")
        rows, seconds = rows + record.cost.rows, seconds + record.cost.seconds
    rate = f"{rows / seconds:.3g}" if seconds else ""
    return f"| {model} | {' | '.join(cells)} | {rate} |"


def evaluated(model: str, template: str, options: argparse.Namespace) -> RunRecord:
    """One run, kept in the store: a second call answers from there."""
    asked = EvalSpec(
        template=template,
        model=model,
        backend=options.backend,
        limit=options.limit,
        dtype=options.dtype,
    )
    return run(build(asked), Store())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS), metavar="ID")
    parser.add_argument("--templates", nargs="+", default=list(TEMPLATES), metavar="NAME")
    parser.add_argument("--backend", default="auto", help="auto, hf or vllm")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--limit", type=int, help="only the first so many rows of each")
    parser.add_argument("--output", type=Path, help="write the table here as well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
