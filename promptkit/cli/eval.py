"""``promptkit eval``: rows and a model in, a table out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli.options import (
    MODEL,
    RESULT,
    ROWS,
    SHOTS,
    STRATEGY,
    Abstain,
    Backend,
    BackendOptions,
    BaseModel,
    BaseUrl,
    Cache,
    CacheFolder,
    CalibrationOptions,
    CalibrationRows,
    Calibrations,
    ChatArguments,
    Conformal,
    Device,
    Dtype,
    FieldColumns,
    IdField,
    LabelField,
    LabelMap,
    Labels,
    Limit,
    Options,
    OutOfScope,
    SelectorOptions,
    TextField,
    Tokenizer,
    Verbalizer,
    VerbalizerOptions,
    backend_options,
    calibration_options,
    chat_arguments,
    option_values,
    pairs,
    panel,
    selector_options,
    verbalizer_options,
)
from promptkit.cli.progress import watched
from promptkit.errors import Interrupted, SpecError, StoreError

if TYPE_CHECKING:
    from promptkit.runs import EvalSpec
    from promptkit.runs.uncertainty import Uncertainty
    from promptkit.types import RunRecord

HELP = """Evaluate a way of adapting a model on labelled rows, and print scores with intervals.

[bold]Examples[/bold]

  promptkit eval --template sentiment_zero_shot

  promptkit eval -t sentiment_zero_shot --data reviews.csv --text-field body

  promptkit eval -t sentiment_few_shot --shots 8 --selector nearest --seeds 5

  promptkit eval -t intent_zero_shot --data banking/ --model ./Qwen3-0.6B

  promptkit eval -t sentiment_chat --model ./Qwen3-0.6B --strategy generate --option parser=prefix

  promptkit eval -t word_problems --model ./Qwen3-0.6B --option samples=5

  promptkit eval -t sentiment_few_shot --shots 4 --robustness

  promptkit eval -t multiple_choice_letters --model ./Qwen3-0.6B --permutations 4

  promptkit eval --strategy features --data reviews.csv --train-data train.csv

  promptkit eval --model my-tuned-model --data reviews.csv

  promptkit eval customer_reviews.yaml --limit 50

  promptkit eval -t sentiment_zero_shot --abstain "0.9 accuracy" --conformal 0.9

Where the labels of the data have other names, say what they stand for:
--label-field stars --label-map 1=negative,3=neutral,5=positive
"""

WAYS = "Several ways of asking"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("eval", help=HELP)(command)


def command(
    context: typer.Context,
    spec: Annotated[
        str | None,
        typer.Argument(help="A YAML file with these options as keys.", show_default=False),
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", "-t", help="Template name, or a .yaml file.")
    ] = None,
    data: Annotated[
        str | None,
        panel("CSV, TSV, JSONL, JSON, Parquet, a folder, an in-box name, or hf:owner/name.", ROWS),
    ] = None,
    split: Annotated[str | None, panel("Part of the data set (default: test).", ROWS)] = None,
    train_data: Annotated[
        str | None,
        panel("Rows to learn from or to show (default: the train split).", ROWS),
    ] = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    label_field: LabelField = None,
    id_field: IdField = None,
    label_map: LabelMap = None,
    labels: Labels = None,
    limit: Limit = None,
    model: Annotated[
        str | None,
        panel("A folder, a hub id, or a saved model (default: minilm, in the box).", MODEL),
    ] = None,
    base_model: BaseModel = None,
    adapter: Annotated[str | None, panel("Folder of an adapter for the model.", MODEL)] = None,
    backend: Backend = None,
    base_url: BaseUrl = None,
    tokenizer: Tokenizer = None,
    backend_option: BackendOptions = None,
    chat: Annotated[
        bool | None, panel("Use the model's chat template, or not.", MODEL, "--chat/--no-chat")
    ] = None,
    chat_template_kwargs: ChatArguments = None,
    permutation: Annotated[
        int | None, panel("Which order labels are listed in; 0 is as written.", MODEL)
    ] = None,
    batch_size: Annotated[str | None, panel("auto, or sequences of a batch.", MODEL)] = None,
    device: Device = None,
    dtype: Dtype = None,
    cache: Cache = None,
    cache_folder: CacheFolder = None,
    strategy: Annotated[
        str | None,
        panel(
            "in_context (the default), generate, or one that learns, such as features.", STRATEGY
        ),
    ] = None,
    option: Options = None,
    shots: Annotated[int | None, panel("Demonstrations of a prompt.", SHOTS)] = None,
    selector: Annotated[
        str | None,
        panel(
            "none, fixed, random, balanced, nearest, nearest_per_class, mmr, dpp, k_centre, "
            "vote_k, bm25 or searched.",
            SHOTS,
        ),
    ] = None,
    selector_option: SelectorOptions = None,
    order: Annotated[
        str | None,
        panel(
            "as_selected, nearest_last, nearest_first, random, interleaved, global_entropy or "
            "local_entropy.",
            SHOTS,
        ),
    ] = None,
    verbalizer: Verbalizer = None,
    verbalizer_option: VerbalizerOptions = None,
    calibration: Calibrations = None,
    calibration_option: CalibrationOptions = None,
    calibration_rows: CalibrationRows = None,
    abstain: Abstain = None,
    conformal: Conformal = None,
    out_of_scope: OutOfScope = None,
    seed: Annotated[int | None, panel("Seed of every random choice.", SHOTS)] = None,
    seeds: Annotated[
        int | None, panel("Repeat over so many draws of demonstrations, or fits.", SHOTS)
    ] = None,
    templates: Annotated[
        str | None,
        panel("Answer from further templates for the same task too: a,b; or all.", WAYS),
    ] = None,
    draws: Annotated[
        int | None, panel("Answer from so many draws of demonstrations.", WAYS)
    ] = None,
    permutations: Annotated[
        int | None, panel("Answer from so many orders of the listed labels or choices.", WAYS)
    ] = None,
    ensemble: Annotated[
        str | None, panel("How answers are put together: mean, product or vote.", WAYS)
    ] = None,
    robustness: Annotated[
        bool | None,
        panel("How far the score moves over templates, draws and orders.", WAYS, "--robustness"),
    ] = None,
    robustness_runs: Annotated[
        int | None, panel("How many runs that may take (default: 36).", WAYS)
    ] = None,
    profile: Annotated[
        str | None,
        panel("lm-eval: an imported task, number for number as the harness does it.", WAYS),
    ] = None,
    trust_code: Annotated[
        bool, panel("Run the Python functions that an imported task names.", WAYS, "--trust-code")
    ] = False,
    format: Annotated[str | None, panel("table, json, csv or markdown.", RESULT)] = None,
    output: Annotated[
        str | None, panel("Write the results to a file, by its suffix.", RESULT)
    ] = None,
    predictions: Annotated[
        str | None, panel("Write each row's prediction to a .csv or .jsonl file.", RESULT)
    ] = None,
    fresh: Annotated[bool | None, panel("Compute anew what is stored.", RESULT, "--fresh")] = None,
    dry_run: Annotated[
        bool | None,
        panel("Check everything and go through the rows without a model.", RESULT, "--dry-run"),
    ] = None,
) -> None:
    """Evaluate; the long help is HELP."""
    from promptkit.runs import eval_spec
    from promptkit.runs.wishes import wishes_of

    if trust_code:
        from promptkit.prompts.trust import allow_code

        allow_code()
    apart = {
        "trust_code",
        "spec",
        "field",
        "label_map",
        "option",
        "backend_option",
        "chat_template_kwargs",
    }
    apart |= {"calibration_option", "verbalizer_option", "selector_option"}
    options = {key: value for key, value in context.params.items() if key not in apart}
    options["selector_options"] = selector_options(selector_option)
    options["calibration_options"] = calibration_options(calibration_option)
    options["strategy_options"] = option_values(option)
    options["backend_options"] = backend_options(backend_option)
    options["verbalizer_options"] = verbalizer_options(verbalizer_option)
    options["chat_template_kwargs"] = chat_arguments(chat_template_kwargs)
    options["fields"] = pairs(field, "--field", "premise=sentence1")
    options["label_map"] = pairs(label_map, "--label-map", "5=positive")
    asked = eval_spec(spec, options)
    check_outputs(asked)
    wishes = wishes_of(asked)
    if asked.robustness:
        from promptkit.cli.robustness import evaluate_robustness

        if wishes:
            raise SpecError(
                "--robustness is over many runs, and a threshold is chosen for one: leave out "
                "--abstain, --conformal and --out-of-scope"
            )
        evaluate_robustness(asked)
        return
    try:
        records = evaluate(asked)
        uncertainty = acted_on(asked, records[0]) if wishes else None
    except KeyboardInterrupt as error:
        raise Interrupted(0, 0) from error
    show(asked, records, uncertainty)


def check_outputs(asked: EvalSpec) -> None:
    """Refuse before the work what could not be written after it."""
    for option, path in (("--output", asked.output), ("--predictions", asked.predictions)):
        if path and not Path(path).absolute().parent.is_dir():
            raise SpecError(f"{option} {path}: no such folder {Path(path).parent}")
    if asked.predictions and Path(asked.predictions).suffix not in {".csv", ".jsonl"}:
        raise SpecError(f"--predictions {asked.predictions}: the name must end in .csv or .jsonl")
    if asked.predictions and asked.seeds > 1 and not asked.robustness:
        raise SpecError("--predictions is for one draw; leave out --seeds")


def evaluate(asked: EvalSpec) -> list[RunRecord]:
    """A record for each draw of demonstrations."""
    from promptkit.runs import Store, build, run
    from promptkit.runs.acting import ready
    from promptkit.runs.adapt import is_learned
    from promptkit.runs.wishes import wishes_of

    store = None if asked.dry_run else Store()
    records: list[RunRecord] = []
    for draw in range(asked.seeds):
        trial = build(asked.model_copy(update={"seed": asked.seed + draw}))
        if draw and trial.spec == records[0].spec:
            what = "its fits" if is_learned(asked.strategy) else "these prompts"
            note(f"--seeds: {what} draw nothing, so one run says it all")
            break
        if wishes_of(asked):
            ready(asked, trial)  # what cannot be is said before the work
        name = asked.strategy if is_learned(asked.strategy) else trial.template.name
        name += f", draw {draw + 1} of {asked.seeds}" if asked.seeds > 1 else ""
        with watched(name) as watch:
            records.append(
                run(
                    trial,
                    store,
                    fresh=asked.fresh,
                    on_progress=watch.on_progress,
                    on_step=watch.on_step,
                )
            )
    return records


def acted_on(asked: EvalSpec, record: RunRecord) -> Uncertainty:
    """What acting on the run's uncertainty brings; the training rows are answered for it."""
    from promptkit.runs import Store, build, run
    from promptkit.runs.acting import act_on

    store = None if asked.dry_run else Store()
    with watched("training rows") as watch:
        return act_on(
            asked,
            build(asked),
            record,
            lambda trial: run(
                trial,
                store,
                fresh=asked.fresh,
                on_progress=watch.on_progress,
                on_step=watch.on_step,
            ),
        )


def show(asked: EvalSpec, records: list[RunRecord], uncertainty: Uncertainty | None = None) -> None:
    """Print the results, and write the files that were asked for."""
    from promptkit.report import as_format, predictions_as, print_tables

    if asked.format == "table":
        print_tables(records, uncertainty=uncertainty)
    else:
        sys.stdout.write(as_format(records, asked.format, uncertainty))
    if asked.output:
        suffixes = {".json": "json", ".csv": "csv", ".md": "markdown"}
        chosen = suffixes.get(Path(asked.output).suffix, asked.format)
        write(asked.output, as_format(records, chosen, uncertainty))
    if asked.predictions:
        suffix = Path(asked.predictions).suffix
        write(asked.predictions, predictions_as(records[0], suffix, uncertainty))


def write(path: str, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        StoreError: It cannot be written; the run itself is stored.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); the run is stored: mend it and run "
            "the same command again"
        ) from error


def note(message: str) -> None:
    """A line to standard error."""
    sys.stderr.write(f"promptkit: {message}\n")
