"""``promptkit serve``: a model that answers rows over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from promptkit.cli.options import (
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
from promptkit.errors import MissingExtra, SpecError

if TYPE_CHECKING:
    from promptkit.runs import EvalSpec
    from promptkit.serving.limits import Limits

SERVER, LIMITS = "Server", "Limits"
HELP = """Answer rows over HTTP, with a saved model or with a template.

[bold]Examples[/bold]

  promptkit serve --model sentiment

  promptkit serve -t sentiment_zero_shot --port 9000

  promptkit serve --model intents --host 0.0.0.0 --api-key-file key.txt

  curl localhost:8000/predict -H 'Content-Type: application/json' \\
    -d '{"rows": [{"text": "Arrived broken."}, {"text": "Lovely."}]}'

Paths: /predict, / (what is served), /docs and /openapi.json, /healthz, /readyz and /metrics.
Ctrl-C or SIGTERM answers what was accepted and ends; a second one ends at once.
"""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("serve", help=HELP)(command)


def command(
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
    host: Annotated[
        str, panel("Where to listen (default: 127.0.0.1, this machine alone).", SERVER)
    ] = "127.0.0.1",
    port: Annotated[int, panel("On which port (default: 8000); 0 is any.", SERVER)] = 8000,
    api_key_file: Annotated[
        str | None, panel("A file of API keys, a line each; or PROMPTKIT_API_KEY.", SERVER)
    ] = None,
    threads: Annotated[
        int | None, panel("Threads of the model (default: the processors there are).", SERVER)
    ] = None,
    log_format: Annotated[str, panel("text (the default) or json.", SERVER)] = "text",
    access_log: Annotated[
        bool, panel("A line for each request.", SERVER, "--access-log/--no-access-log")
    ] = True,
    batch_rows: Annotated[
        int, panel("Rows that the model answers together (default: 32).", LIMITS)
    ] = 32,
    batch_wait_ms: Annotated[
        float, panel("How long a batch that is not full waits (default: 0).", LIMITS)
    ] = 0.0,
    queue_rows: Annotated[
        int, panel("Rows that may wait; more are refused (default: 4096).", LIMITS)
    ] = 4096,
    max_rows: Annotated[int, panel("Rows of one request (default: 1024).", LIMITS)] = 1024,
    max_chars: Annotated[int, panel("Characters of one row (default: 20000).", LIMITS)] = 20_000,
    max_body: Annotated[str, panel("Size of one request (default: 8MiB).", LIMITS)] = "8MiB",
    timeout: Annotated[
        float, panel("Seconds until a request has to be answered (default: 30).", LIMITS)
    ] = 30.0,
    drain_timeout: Annotated[
        float, panel("Seconds to answer what was accepted when stopped (default: 30).", LIMITS)
    ] = 30.0,
) -> None:
    """Serve; the long help is HELP."""
    _check_extra()
    from promptkit.prompts.yamlfile import YamlFile, validate
    from promptkit.report.amounts import bytes_of
    from promptkit.runs import EvalSpec
    from promptkit.serving.limits import Limits

    given: dict[str, Any] = {
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
    told = {key: value for key, value in given.items() if value is not None}
    asked = validate(EvalSpec, YamlFile("promptkit serve", told))
    limits = Limits(
        batch_rows=batch_rows,
        batch_wait=batch_wait_ms / 1000,
        queue_rows=queue_rows,
        rows=max_rows,
        chars=max_chars,
        body_bytes=bytes_of(max_body, "--max-body"),
        timeout=timeout,
        drain_timeout=drain_timeout,
    )
    told_of = (host, port, api_key_file, threads, log_format, access_log)
    raise typer.Exit(_serve(asked, limits, *told_of))


def _serve(
    asked: EvalSpec,
    limits: Limits,
    host: str,
    port: int,
    api_key_file: str | None,
    threads: int | None,
    log_format: str,
    access_log: bool,
) -> int:
    """Bind, load and serve; what can be wrong without a model is said before one is loaded."""
    from functools import partial

    from promptkit.errors import nearest
    from promptkit.serving.access import keys_from
    from promptkit.serving.events import Events
    from promptkit.serving.running import is_open, listen, run
    from promptkit.serving.served import load
    from promptkit.serving.service import Service

    if log_format not in ("text", "json"):
        raise SpecError(f"--log-format {log_format}: {nearest(log_format, ('text', 'json'))}")
    if threads is not None and threads < 1:
        raise SpecError(f"--threads {threads}: must be at least 1")
    if not 0 <= port <= 65535:
        raise SpecError(f"--port {port}: must be between 0 and 65535")
    keys, events = keys_from(api_key_file), Events(log_format)  # type: ignore[arg-type]
    bound = listen(host, port)
    if is_open(bound) and not keys:
        events("open", "warning", message=f"anybody who reaches {host} may ask; give a key")
    service = Service(partial(load, asked), limits, keys, events, threads)
    return run(service, bound, events, access_log)


def _check_extra() -> None:
    from importlib.util import find_spec

    for package in ("fastapi", "uvicorn", "prometheus_client"):
        if find_spec(package) is None:
            raise MissingExtra(f"serving needs {package}: pip install 'promptkit[serve]'")
