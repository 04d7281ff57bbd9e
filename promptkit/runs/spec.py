"""What a user asks for: the keys of an eval spec, which are the options of ``promptkit eval``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from promptkit.box import box
from promptkit.data.patterns import is_there
from promptkit.errors import SpecError
from promptkit.prompts.yamlfile import YamlFile, read_yaml, validate
from promptkit.runs.manifest import is_saved
from promptkit.types import Scalar

Whole = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
FORMATS = ("table", "json", "csv", "markdown")


class EvalSpec(BaseModel):
    """One evaluation.

    Args:
        template: An in-box name or a path; strategies that learn from text need none.
        data: A file, a folder, an in-box name or ``hf:owner/name``; the template's own by default.
        split: Part of the data set to evaluate.
        train_data: Where demonstrations come from, or what is learned from; by default the data
            set's own train split.
        text_field: The column of a template's only text field.
        fields: Template field to column.
        label_field: The column of gold labels.
        id_field: The column of row ids.
        label_map: A label in the data to a label of the template.
        labels: The labels in use.
        limit: Only the first so many rows.
        model: ``minilm``, a folder or a hub id; or the folder of a saved model.
        base_model: Where the model lies that a saved one stands on, if not where it lay.
        adapter: The folder of a LoRA adapter for the model.
        backend: ``auto`` or a name of the registry.
        base_url: Where the server of a model is, for backends that ask one.
        tokenizer: Folder or hub id of that model's tokenizer.
        backend_options: Further options of the backend.
        strategy: The way of adapting: ``in_context``, ``generate`` or a strategy that learns.
        strategy_options: Further options of the strategy.
        shots: Demonstrations of a prompt; the template says by default.
        selector: Who chooses them; ``balanced`` by default.
        selector_options: Further options of the selector.
        order: How they are arranged; ``as_selected`` leaves that to the selector.
        verbalizer: Who makes evidence about labels out of evidence about words.
        verbalizer_options: Further options of the verbalizer.
        calibration: What mends the labels' probabilities; ``none`` by default.
        calibration_options: Its options.
        calibration_rows: What it learns from: ``train``, ``evaluated`` (all rows to be predicted,
            labels unread) or a file; by default the training rows, or the evaluated ones where
            those are too few and no labels are needed.
        permutation: In which order labels or choices are listed in prompts; 0 as written.
        chat: Use the model's chat template, or do not; the template says by default.
        chat_template_kwargs: Arguments of the model's chat template, such as ``enable_thinking``.
        abstain: Answer only where the model is sure: ``0.9 accuracy``, ``0.9 empirical accuracy``
            or ``0.8 coverage``; see `promptkit.metrics.selective`.
        conformal: Label sets that hold the right label so often: ``0.9`` or ``0.9 adaptive``.
        out_of_scope: The gold label of rows that belong to none of the task's labels.
        seed: Seed of every random choice.
        seeds: Draws of demonstrations, or fits, with seeds counted on from ``seed``.
        batch_size: Sequences of a batch.
        device: Where the model runs.
        dtype: Number format of the model.
        format: How results are printed.
        output: A file for them as well.
        predictions: A file for each row's prediction, .csv or .jsonl.
        fresh: Compute anew what is stored.
        cache: Whether the backend's answers are kept for other runs; the backend says by default.
        cache_folder: Where they are kept; ``cache`` below PROMPTKIT_HOME by default.
        dry_run: Without a model: show what would be done.
        templates: Further templates for the same task; ``all`` is those in the box that fit. Each
            row is answered once from all of them, unless robustness is asked for.
        draws: Draws of demonstrations from which each row is answered once.
        permutations: Orders of the listed labels or choices from which each row is answered once.
        ensemble: How the answers are put together: ``mean``, ``product`` or ``vote``.
        robustness: Evaluate over templates, draws of demonstrations and orders, not once.
        robustness_runs: How many runs that may take.
        profile: ``lm-eval`` runs a task of lm-evaluation-harness as the harness does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    template: str | None = None
    data: str | None = None
    split: str | None = None
    train_data: str | None = None
    text_field: str | None = None
    fields: dict[str, str] = {}
    label_field: str = "label"
    id_field: str = "id"
    label_map: dict[str, Scalar] = {}
    labels: list[Scalar] | None = None
    limit: Positive | None = None
    model: str = "minilm"
    base_model: str | None = None
    adapter: str | None = None
    backend: str = "auto"
    base_url: str | None = None
    tokenizer: str | None = None
    backend_options: dict[str, Any] = {}
    strategy: str = "in_context"
    strategy_options: dict[str, Any] = {}
    shots: Whole | None = None
    selector: str | None = None
    selector_options: dict[str, Any] = {}
    order: str = "as_selected"
    verbalizer: str = "words"
    verbalizer_options: dict[str, Any] = {}
    calibration: str = "none"
    calibration_options: dict[str, Any] = {}
    calibration_rows: str = "auto"
    permutation: Whole = 0
    chat: bool | None = None
    chat_template_kwargs: dict[str, Any] = {}
    abstain: str | None = None
    conformal: str | None = None
    out_of_scope: Scalar | None = None
    seed: int = 0
    seeds: Positive = 1
    batch_size: Positive | Literal["auto"] = "auto"
    device: str = "auto"
    dtype: str = "auto"
    format: Literal["table", "json", "csv", "markdown"] = "table"
    output: str | None = None
    predictions: str | None = None
    fresh: bool = False
    cache: bool | None = None
    cache_folder: str | None = None
    dry_run: bool = False
    templates: list[str] = []
    draws: Positive = 1
    permutations: Positive = 1
    ensemble: Literal["mean", "product", "vote"] = "mean"
    robustness: bool = False
    robustness_runs: Annotated[int, Field(ge=2)] = 36
    profile: Literal["lm-eval"] | None = None

    @field_validator("labels", "templates", mode="before")
    @classmethod
    def _labels_from_text(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value

    @field_validator("abstain", "conformal", mode="before")
    @classmethod
    def _text_from_number(cls, value: Any) -> Any:
        return str(value) if isinstance(value, float) else value

    @field_validator("batch_size", mode="before")
    @classmethod
    def _number_from_text(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value


def flag(key: str) -> str:
    """A key as it is called on the command line: an option is given there one at a time."""
    named = key.replace("_", "-")
    return named.removesuffix("s") if named.endswith("-options") else named


def eval_spec(path: str | None, options: Mapping[str, Any]) -> EvalSpec:
    """The spec of a file, overridden by the options that were given; either may be absent.

    A relative path in the file is looked up beside the file first, then from where the command
    is run.

    Raises:
        SpecError: An unknown key or a value of the wrong kind: file, line, key, nearest name.
    """
    found = _in_box(path) if path else None
    file = read_yaml(found) if found else YamlFile("command line", {})
    if found:
        for key in ("template", "data", "train_data", "model", "calibration_rows"):
            file.content[key] = _beside(found.parent, file.content.get(key))
        if isinstance(file.content.get("templates"), list):
            told = file.content["templates"]
            file.content["templates"] = [_beside(found.parent, one) for one in told]
    given = {key: value for key, value in options.items() if value is not None}
    content = {key: value for key, value in file.content.items() if value is not None} | given
    prompts = content.get("strategy", "in_context") in ("in_context", "generate")
    if "template" not in content and prompts and not is_saved(content.get("model", "")):
        raise SpecError(
            f"{path or 'promptkit eval'}: no template given; add --template NAME "
            "('promptkit templates list' shows the names)"
        )
    return validate(EvalSpec, YamlFile(file.path, content, file.lines))


def _in_box(path: str) -> Path:
    """The file, or the in-box spec of that name: ``customer_reviews``."""
    own = box("evals") / f"{path.removesuffix('.yaml').removeprefix('evals/')}.yaml"
    return own if not Path(path).is_file() and own.is_file() else Path(path)


def _beside(folder: Path, value: Any) -> Any:
    if isinstance(value, str) and is_there(folder / value):
        return str(folder / value)
    return value
