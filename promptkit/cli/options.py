"""Options that commands share, and ``key=value`` on the command line."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from promptkit.errors import SpecError

ROWS, MODEL, STRATEGY, RESULT = "Rows", "Model", "Strategy", "Results"
CALIBRATION, SHOTS = "Calibration", "Demonstrations"
UNCERTAINTY = "Acting on uncertainty"


def panel(help: str, title: str, *names: str) -> Any:
    """An option in a panel of the help; its default is told in words, if at all."""
    return typer.Option(*names, help=help, rich_help_panel=title, show_default=False)


TextField = Annotated[str | None, panel("The text column.", ROWS)]
FieldColumns = Annotated[
    list[str] | None, panel("Field and its column, of several: premise=sent1.", ROWS, "--field")
]
LabelField = Annotated[str | None, panel("The column of gold labels.", ROWS)]
IdField = Annotated[str | None, panel("The column of row ids.", ROWS)]
LabelMap = Annotated[
    list[str] | None, panel("A label of the data and what it stands for: 5=positive.", ROWS)
]
Labels = Annotated[str | None, panel("Labels in use: negative,positive.", ROWS)]
Limit = Annotated[int | None, panel("Only the first so many rows.", ROWS)]
Options = Annotated[
    list[str] | None, panel("An option of the strategy: layer=4.", STRATEGY, "--option")
]
ChatArguments = Annotated[
    list[str] | None,
    panel(
        "An argument of the model's chat template: enable_thinking=false.",
        MODEL,
        "--chat-template-kwargs",
    ),
]
BaseModel = Annotated[
    str | None, panel("Where the model lies now that a saved one stands on.", MODEL)
]
SavedOrAny = Annotated[
    str, panel("A saved model; with --template, any model (default: minilm).", MODEL)
]
HowAsked = Annotated[
    str | None, typer.Option("--template", "-t", help="How to ask a model that was not tuned.")
]
TemplateLabels = Annotated[
    str | None, panel("Labels in use, for a template: negative,positive.", MODEL)
]
Backend = Annotated[str | None, panel("auto, hf, embedding, nli, vllm, openai or fake.", MODEL)]
Asking = Annotated[
    str | None, panel("With --template: in_context (the default) or generate.", STRATEGY)
]
Device = Annotated[str | None, panel("auto, cpu, cuda, cuda:1 or mps.", MODEL)]
Dtype = Annotated[str | None, panel("auto, float32, bfloat16 or float16.", MODEL)]
BaseUrl = Annotated[
    str | None, panel("The server of --backend openai: http://localhost:8000/v1.", MODEL)
]
Tokenizer = Annotated[
    str | None, panel("Folder or hub id of the tokenizer of a served model.", MODEL)
]
BackendOptions = Annotated[
    list[str] | None,
    panel(
        "An option of the backend: concurrency=16, quantization=4bit.", MODEL, "--backend-option"
    ),
]
Verbalizer = Annotated[
    str | None, panel("How evidence about words becomes that of labels (default: words).", MODEL)
]
VerbalizerOptions = Annotated[
    list[str] | None,
    panel(
        "An option of the verbalizer: pool_by=sum, mean or max of a label's words; "
        "normalize=none, tokens or bytes.",
        MODEL,
        "--verbalizer-option",
    ),
]
SelectorOptions = Annotated[
    list[str] | None,
    panel("An option of the selector: diversity=0.3 of mmr.", SHOTS, "--selector-option"),
]
Calibrations = Annotated[
    str | None,
    panel(
        "Mend the labels' probabilities: none, batch, contextual, domain, pmi, prior_matching, "
        "prototypical or channel; temperature, platt or isotonic learn from labels.",
        CALIBRATION,
        "--calibration",
    ),
]
CalibrationOptions = Annotated[
    list[str] | None,
    panel("An option of the calibration: prior=labels.", CALIBRATION, "--calibration-option"),
]
CalibrationRows = Annotated[
    str | None,
    panel(
        "What it learns from: train, evaluated (all rows to be predicted, labels unread) or a "
        "file (default: train, or evaluated where those are too few).",
        CALIBRATION,
    ),
]
Cache = Annotated[
    bool | None,
    panel("Keep the model's answers for other runs (openai, vllm: kept).", MODEL,
          "--cache/--no-cache"),
]  # fmt: skip
CacheFolder = Annotated[
    str | None, panel("Where they are kept (default: PROMPTKIT_CACHE, or .promptkit/cache).", MODEL)
]
Abstain = Annotated[
    str | None,
    panel(
        "Answer only where sure: '0.9 accuracy', '0.9 empirical accuracy' or '0.8 coverage'.",
        UNCERTAINTY,
    ),
]
Conformal = Annotated[
    str | None,
    panel("Label sets that hold the right label so often: 0.9, or '0.9 adaptive'.", UNCERTAINTY),
]
RowsToChooseOn = Annotated[
    str | None, panel("Labelled rows to choose on, none that the model learned from.", UNCERTAINTY)
]
OutOfScope = Annotated[
    str | None, panel("What the data call rows of none of the labels: none.", UNCERTAINTY)
]


def pairs(given: list[str] | None, option: str, example: str) -> dict[str, str] | None:
    """``a=b`` options as a dictionary; None when there are none.

    Raises:
        SpecError: No ``=`` in one.
    """
    if not given:
        return None
    found = {}
    for part in given:
        for one in part.split(","):
            key, equals, value = one.partition("=")
            if not equals or not key.strip():
                raise SpecError(f"{option} {part!r}: write it as {option} {example}")
            found[key.strip()] = value.strip()
    return found


def option_values(
    given: list[str] | None, option: str = "--option", example: str = "layer=4"
) -> dict[str, Any] | None:
    """``key=value`` options with their types; None when there are none.

    >>> option_values(["layer=4", "pooling=mean", "layers=[1, 2]", "balanced=true", "name='7'"])
    {'layer': 4, 'pooling': 'mean', 'layers': [1, 2], 'balanced': True, 'name': '7'}

    Raises:
        SpecError: No ``=`` in one, or a name twice.
    """
    if not given:
        return None
    found: dict[str, Any] = {}
    for part in given:
        key, equals, value = part.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key:
            raise SpecError(f"{option} {part!r}: write it as {option} {example}")
        if key in found:
            raise SpecError(f"{option} {key}: given twice; keep one")
        found[key] = typed(value.strip())
    return found


def backend_options(given: list[str] | None) -> dict[str, Any] | None:
    """What ``--backend-option`` says."""
    return option_values(given, "--backend-option", "concurrency=16")


def calibration_options(given: list[str] | None) -> dict[str, Any] | None:
    """What ``--calibration-option`` says."""
    return option_values(given, "--calibration-option", "prior=labels")


def selector_options(given: list[str] | None) -> dict[str, Any] | None:
    """What ``--selector-option`` says."""
    return option_values(given, "--selector-option", "diversity=0.3")


def verbalizer_options(given: list[str] | None) -> dict[str, Any] | None:
    """What ``--verbalizer-option`` says."""
    return option_values(given, "--verbalizer-option", "normalize=tokens")


def chat_arguments(given: list[str] | None) -> dict[str, Any] | None:
    """Arguments of a chat template with their types; None when there are none."""
    return option_values(given, "--chat-template-kwargs", "enable_thinking=false")


def typed(text: str) -> Any:
    """What JSON makes of it, in quotes a text, and otherwise the text as it stands."""
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    try:
        return json.loads(text, parse_constant=_refused)
    except ValueError:
        return text


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
