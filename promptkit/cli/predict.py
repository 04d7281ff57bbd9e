"""``promptkit predict``: rows of any number in, the same rows with answers out."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli.options import (
    RESULT,
    ROWS,
    Abstain,
    Asking,
    Backend,
    BackendOptions,
    BaseModel,
    BaseUrl,
    Cache,
    CacheFolder,
    ChatArguments,
    Conformal,
    Device,
    Dtype,
    FieldColumns,
    HowAsked,
    LabelField,
    LabelMap,
    Options,
    RowsToChooseOn,
    SavedOrAny,
    TemplateLabels,
    TextField,
    Tokenizer,
    backend_options,
    chat_arguments,
    option_values,
    pairs,
    panel,
)
from promptkit.cli.progress import watched
from promptkit.errors import PromptkitError, SpecError, nearest

if TYPE_CHECKING:
    from promptkit.runs.answering import Answered
    from promptkit.runs.on_ray.cluster import Wanted

HELP = """Answer the rows of a file, with a saved model or with a template.

[bold]Examples[/bold]

  promptkit predict --model sentiment --data rows.csv --output answers.csv

  promptkit predict --model intents --data calls.parquet --output calls.jsonl --proba

  promptkit predict -t sentiment_zero_shot --data reviews.csv --text-field body --output out.csv

  head -100 rows.jsonl | promptkit predict --model sentiment --data - --output -

  promptkit predict --model sentiment --data rows.csv --output answers.csv \\
    --abstain "0.95 accuracy" --train-data labelled.csv

  promptkit predict --model sentiment --data rows.parquet --output answers.parquet \\
    --engine ray --workers 8

Every column is kept, and [bold]predicted[/bold] and [bold]problem[/bold] are added: a row that
cannot be answered has an empty answer and says why. Files are read and written in pieces, so that
they may be of any size; one that was stopped goes on when the same command is given again.
"""
#: Reasons that are told at the end, the most frequent ones.
PROBLEMS_SHOWN = 5
LOCAL, MANY = "local", "Many processes or machines"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("predict", help=HELP)(command)


def command(
    data: Annotated[
        str,
        typer.Option(
            "--data",
            help="CSV, TSV, JSONL, JSON or Parquet, a pattern, hf:owner/name; - is standard input.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="CSV, TSV, JSONL (also .gz, .zst) or Parquet; - is standard output.",
        ),
    ],
    model: SavedOrAny = "minilm",
    template: HowAsked = None,
    labels: TemplateLabels = None,
    base_model: BaseModel = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    backend: Backend = "auto",
    base_url: BaseUrl = None,
    tokenizer: Tokenizer = None,
    backend_option: BackendOptions = None,
    cache: Cache = None,
    cache_folder: CacheFolder = None,
    chat_template_kwargs: ChatArguments = None,
    strategy: Asking = None,
    option: Options = None,
    text_field: TextField = None,
    field: FieldColumns = None,
    train_data: RowsToChooseOn = None,
    label_field: LabelField = None,
    label_map: LabelMap = None,
    abstain: Abstain = None,
    conformal: Conformal = None,
    batch_rows: Annotated[
        int, panel("Rows that are answered and written together (default: 256).", ROWS)
    ] = 256,
    proba: Annotated[
        bool, panel("Add a column p:LABEL for each label.", RESULT, "--proba")
    ] = False,
    prefix: Annotated[str, panel("Stands before the names of added columns.", RESULT)] = "",
    force: Annotated[
        bool, panel("Replace the output where it is there already.", RESULT, "--force")
    ] = False,
    fresh: Annotated[bool, panel("Begin anew what was stopped.", RESULT, "--fresh")] = False,
    engine: Annotated[
        str, panel("local (this process), or ray: many processes or machines.", MANY)
    ] = LOCAL,
    workers: Annotated[
        int | None, panel("Processes that hold the model (default: all there is room for).", MANY)
    ] = None,
    cpus_per_worker: Annotated[
        float | None, panel("Processors that each is counted for (default: up to 1).", MANY)
    ] = None,
    gpus_per_worker: Annotated[
        float | None, panel("GPUs of each (default: 1 where there are some).", MANY)
    ] = None,
    address: Annotated[
        str | None,
        panel("A Ray cluster that this machine is of: auto, or host:6379 (default: none).", MANY),
    ] = None,
) -> None:
    """Predict; the long help is HELP."""
    from promptkit.prompts.yamlfile import YamlFile, validate
    from promptkit.report.plain import naming
    from promptkit.runs import EvalSpec
    from promptkit.runs.answers import AnswerColumns
    from promptkit.runs.on_ray.cluster import Wanted
    from promptkit.runs.on_ray.engine import predict_on_ray
    from promptkit.runs.predict import Job, check_output, predict_rows
    from promptkit.runs.predictor import predictor_of
    from promptkit.runs.sure import sure_for

    wanted = Wanted(workers, cpus_per_worker, gpus_per_worker, address, device != "cpu")
    _check_engine(engine, wanted)
    if batch_rows < 1:
        raise SpecError(f"--batch-rows {batch_rows}: must be at least 1")
    check_output(data, output, force)
    options = {
        "template": template,
        "model": model,
        "labels": labels,
        "base_model": base_model,
        "device": device,
        "dtype": dtype,
        "backend": backend,
        "base_url": base_url,
        "tokenizer": tokenizer,
        "backend_options": backend_options(backend_option),
        "cache": cache,
        "cache_folder": cache_folder,
        "fresh": fresh,
        "chat_template_kwargs": chat_arguments(chat_template_kwargs),
        "strategy": strategy,
        "strategy_options": option_values(option),
        "train_data": train_data,
        "label_field": label_field,
        "label_map": pairs(label_map, "--label-map", "5=positive"),
        "text_field": text_field,
        "fields": pairs(field, "--field", "premise=sentence1"),
        "abstain": abstain,
        "conformal": conformal,
    }
    given = {key: value for key, value in options.items() if value is not None}
    asked = validate(EvalSpec, YamlFile("promptkit predict", given))
    with watched("predict") as watch:
        # labelled rows are answered here, to choose on them; all others by those who have the model
        here = engine == LOCAL or asked.train_data is not None
        predictor = predictor_of(asked, with_model=here)
        if proba and predictor.writes:
            raise SpecError("--proba: a model that writes gives no probabilities; leave it out")
        own = predictor.template.task.labels
        names = tuple(map(naming(own), own))
        sure, told = sure_for(asked, predictor, names)
        for line in told:
            _say(line)
        job = Job(
            predictor=predictor,
            answers=AnswerColumns(
                own,
                names,
                proba,
                prefix,
                reply=predictor.writes,
                sure=sure,
                kind=predictor.template.task.kind,
            ),
            source=data,
            output=output,
            text_field=text_field,
            fields=asked.fields,
            batch_rows=batch_rows,
            force=force,
            fresh=fresh,
        )
        try:
            if engine == LOCAL:
                done = predict_rows(job, watch.on_progress)
            else:
                spec = asked.model_dump_json(exclude_unset=True)
                done = predict_on_ray(job, spec, wanted, watch.on_progress, _say)
        except KeyboardInterrupt:
            raise PromptkitError(
                "interrupted; what is written to a stream is all there is"
            ) from None
        except BrokenPipeError:  # whoever read has had enough, as head does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
    _tell(done, output)


def _check_engine(engine: str, wanted: Wanted) -> None:
    if engine not in (LOCAL, "ray"):
        raise SpecError(f"--engine {engine}: {nearest(engine, (LOCAL, 'ray'))}")
    given = {
        "--workers": wanted.workers,
        "--cpus-per-worker": wanted.cpus,
        "--gpus-per-worker": wanted.gpus,
        "--address": wanted.address,
    }
    for option, value in given.items():
        if engine == LOCAL and value is not None:
            raise SpecError(f"{option} is for --engine ray; add that, or leave {option} out")
    wanted.check()


def _say(line: str) -> None:
    sys.stderr.write(f"promptkit: {line}\n")


def _tell(done: Answered, output: str) -> None:
    """How many rows have answers, and why others have none; on standard error, out of the way."""
    missing = sum(done.problems.values())
    lines = [f"{done.rows:,} rows in {output}" if output != "-" else f"{done.rows:,} rows"]
    lines[0] += f", {done.resumed:,} of them from before" if done.resumed else ""
    lines[0] += f", {missing:,} without an answer" if missing else ""
    lines[0] += f", {done.cut:,} with text cut, to fit" if done.cut else ""
    if done.retried:
        times = "block" if done.retried == 1 else "blocks"
        lines.append(f"  {done.retried:,} {times} begun again, as a worker was lost")
    lines += [f"  {n:,}: {why}" for why, n in done.problems.most_common(PROBLEMS_SHOWN)]
    sys.stderr.write("\n".join(lines) + "\n")
