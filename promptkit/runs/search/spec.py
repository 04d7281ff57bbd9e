"""What a user asks of a search: the options of ``promptkit search``, or the keys of a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from promptkit.data.patterns import is_there
from promptkit.errors import SpecError
from promptkit.prompts.yamlfile import YamlFile, read_yaml, validate
from promptkit.runs.search.nouns import Part
from promptkit.runs.spec import EvalSpec
from promptkit.types import Scalar

Positive = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
ALL = "all"
_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}


class SearchSpec(BaseModel):
    """One search.

    Args:
        data: Training rows: a file, a folder, an in-box name or ``hf:owner/name``.
        split: Part of the data set; its train split by default.
        text_field: The column of a template's only text field.
        fields: Template field to column.
        label_field: The column of gold labels.
        id_field: The column of row ids.
        label_map: A label in the data to a label of the templates.
        labels: The labels in use.
        limit: Only the first so many rows.
        templates: Names or paths; ``all`` and the default are the in-box ones that fit the rows.
        shots: Numbers of demonstrations.
        selectors: Who chooses them: ``nearest``, or ``name:option=value``.
        verbalizers: As ``words:normalize=tokens``.
        calibrations: As ``batch`` or ``prior_matching:prior=labels``.
        folds: Outer folds.
        budget_tokens: Prompt tokens that the search may take.
        rule: ``best`` takes the highest inner accuracy, of equal ones the simplest;
            ``simplest`` the simplest that is within one standard error of it.
        model: ``minilm``, a folder or a hub id.
        adapter: The folder of a LoRA adapter for the model.
        backend: ``auto`` or a name of the registry.
        base_url: Where the server of a model is.
        tokenizer: Folder or hub id of that model's tokenizer.
        backend_options: Further options of the backend.
        batch_size: Sequences of a batch.
        device: Where the model runs.
        dtype: Number format of the model.
        seed: Seed of every random choice.
        fresh: Ask anew what is stored.
        format: How results are printed.
        output: A file for them as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    data: str
    split: str | None = None
    text_field: str | None = None
    fields: dict[str, str] = {}
    label_field: str = "label"
    id_field: str = "id"
    label_map: dict[str, Scalar] = {}
    labels: list[Scalar] | None = None
    limit: Positive | None = None
    templates: list[str] | None = None
    shots: Annotated[list[Whole], Field(min_length=1)] | None = None
    selectors: Annotated[list[Part], Field(min_length=1)] | None = None
    verbalizers: Annotated[list[Part], Field(min_length=1)] | None = None
    calibrations: Annotated[list[Part], Field(min_length=1)] | None = None
    folds: Annotated[int, Field(ge=2)] = 4
    budget_tokens: Positive = 2_000_000
    rule: Literal["best", "simplest"] = "best"
    model: str = "minilm"
    adapter: str | None = None
    backend: str = "auto"
    base_url: str | None = None
    tokenizer: str | None = None
    backend_options: dict[str, Any] = {}
    batch_size: Positive | Literal["auto"] = "auto"
    device: str = "auto"
    dtype: str = "auto"
    seed: Whole = 0
    fresh: bool = False
    format: Literal["table", "json", "csv", "markdown"] = "table"
    output: str | None = None

    @field_validator("templates", "labels", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return _listed(value)

    @field_validator("shots", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        found = _listed(value)
        if not isinstance(found, list):
            return [found] if isinstance(found, int) else found
        return list(dict.fromkeys(int(x) if str(x).isdecimal() else x for x in found))

    @field_validator("selectors", "verbalizers", "calibrations", mode="before")
    @classmethod
    def _parts(cls, value: Any) -> Any:
        found = _listed(value)
        return [part_of(one) for one in found] if isinstance(found, list) else found

    @field_validator("budget_tokens", mode="before")
    @classmethod
    def _budget(cls, value: Any) -> Any:
        return tokens_of(value) if isinstance(value, str) else value

    @field_validator("batch_size", mode="before")
    @classmethod
    def _number_from_text(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    def as_eval(self, **more: Any) -> EvalSpec:
        """The part of it that every evaluation shares."""
        shared = {key: getattr(self, key) for key in SHARED}
        return EvalSpec(**{**shared, **more})


#: Keys that mean the same here and in an eval spec.
SHARED = (
    "data", "split", "text_field", "fields", "label_field", "id_field", "label_map", "labels",
    "limit", "model", "adapter", "backend", "base_url", "tokenizer", "backend_options",
    "batch_size", "device", "dtype", "seed", "fresh",
)  # fmt: skip


def search_spec(path: str | None, options: Mapping[str, Any]) -> SearchSpec:
    """The spec of a file, overridden by the options that were given; either may be absent.

    A relative path in the file is looked up beside the file first.

    Raises:
        SpecError: An unknown key or a value of the wrong kind: file, line, key, nearest name.
    """
    file = read_yaml(Path(path)) if path else YamlFile("command line", {})
    if path:
        folder = Path(path).parent
        for key in ("data", "model"):
            file.content[key] = _beside(folder, file.content.get(key))
        named = _listed(file.content.get("templates"))
        if isinstance(named, list):
            file.content["templates"] = [_beside(folder, one) for one in named]
    given = {key: value for key, value in options.items() if value is not None}
    content = {key: value for key, value in file.content.items() if value is not None} | given
    if "data" not in content:
        raise SpecError(f"{path or 'promptkit search'}: no training rows; add --data FILE")
    return validate(SearchSpec, YamlFile(file.path, content, file.lines))


def tokens_of(written: str) -> int:
    """Tokens of ``500k``, ``2M`` or ``1500000``.

    >>> tokens_of("2M"), tokens_of("1.5k"), tokens_of("800")
    (2000000, 1500, 800)
    """
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)([kmg]?)", written.strip().replace("_", "").lower())
    if not found:
        raise ValueError("write a number of tokens such as 500k or 2M")
    return int(float(found[1]) * _UNITS[found[2]])


def part_of(written: Any) -> Part:
    """A part as a person writes it.

    >>> part_of("words:normalize=tokens"), part_of({"name": "batch"})
    (Part(name='words', options={'normalize': 'tokens'}), Part(name='batch', options={}))
    """
    if isinstance(written, Part):
        return written
    if isinstance(written, Mapping):
        options = dict(written)
        if not isinstance(options.get("name"), str):
            raise ValueError("a part needs its name: {name: words, normalize: tokens}")
        return Part(options.pop("name"), options)
    name, *rest = str(written).split(":")
    if "=" in name:
        raise ValueError(f"{written!r}: write it as name:option=value")
    options = {}
    for one in rest:
        key, equals, value = one.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"{written!r}: write it as name:option=value")
        options[key.strip()] = _typed(value.strip())
    return Part(name.strip(), options)


def _typed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _beside(folder: Path, value: Any) -> Any:
    if isinstance(value, str) and is_there(folder / value):
        return str(folder / value)
    return value
