"""Reads a task file of lm-evaluation-harness, with the files that it includes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts.import_promptsource import slug
from promptkit.prompts.import_yaml import load_yaml
from promptkit.prompts.lm_eval import LmEvalTask
from promptkit.prompts.peer_code import function_of
from promptkit.prompts.peer_forms import PeerForm
from promptkit.prompts.peer_keys import FewshotKeys, LmEvalKeys
from promptkit.prompts.trust import code_allowed

#: Fields that may be functions, where code is trusted.
MAY_RUN = ("doc_to_text", "doc_to_target", "doc_to_choice", "process_docs")
#: Metrics that are computed.
METRICS = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info", "f1", "mcc", "brier_score")
#: Aggregations that are the metrics' own.
AGGREGATIONS = ("mean", "f1", "matthews_corrcoef", "brier_score")
#: What changes no prompt and no score.
IGNORED = frozenset(
    "task task_alias tag group include metadata dataset_kwargs should_decontaminate "
    "doc_to_decontamination_query output_type repeats generation_kwargs filter_list".split()
)
#: What would change them, and is not known here.
UNKNOWN = frozenset(
    "use_prompt process_results doc_to_image doc_to_audio custom_dataset unsafe_code".split()
)
_DEPTH = 16


class Function(str):
    """What ``!function`` names: ``module.function``."""


def _loader() -> type[yaml.SafeLoader]:
    class Loader(yaml.SafeLoader):
        """SafeLoader that takes ``!function`` as a name, and runs nothing."""

    def named(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Function:
        return Function(loader.construct_scalar(node))

    Loader.add_constructor("!function", named)
    return Loader


def lm_eval_template(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The content of a template file for a task, and what of it is left out.

    Raises:
        SpecError: No multiple-choice task, code that is not trusted, or something that is not
            known here: the message names it.
    """
    told = task_content(path)
    functions = dict(_functions(told))
    if functions and not code_allowed():
        named = ", ".join(f"{key}: {name}" for key, name in functions.items())
        raise SpecError(
            f"{path}: runs Python functions ({named}); read them, and say --trust-code to import it"
        )
    if isinstance(told.get("task"), list) or "group" in told:
        raise SpecError(f"{path}: is a group of tasks; import the files of its tasks")
    kind = told.get("output_type", "generate_until")
    if kind != "multiple_choice":
        raise SpecError(f"{path}: output_type is {kind!r}; tasks of multiple_choice are imported")
    for key in UNKNOWN:
        if told.get(key):
            raise SpecError(f"{path}: {key!r} is not known here; the task cannot be imported")
    own = _keys(path, told, functions)
    notes = [] if not told.get("filter_list") else ["filter_list has no effect on choices"]
    return _content(path, own), notes


def task_content(path: Path, depth: int = 0) -> dict[str, Any]:
    """A task file with what it includes; its own keys win.

    Raises:
        SpecError: A file that cannot be read, or that includes itself.
    """
    if depth > _DEPTH:
        raise SpecError(f"{path}: files include each other more than {_DEPTH} deep")
    told = load_yaml(path, _loader())
    included = told.pop("include", None)
    found: dict[str, Any] = {}
    for one in [included] if isinstance(included, str) else included or []:
        base = task_content(path.parent / str(one), depth + 1)
        moved = (path.parent / str(one)).parent
        found |= {key: _beside(value, moved, path.parent) for key, value in base.items()}
    return found | told


def _beside(value: Any, there: Path, here: Path) -> Any:
    """A function of an included file, named as from this one."""
    if isinstance(value, Function) and there != here:
        raise SpecError(f"{there}: {value}: functions of included files in other folders")
    return value


def _functions(told: Any, at: str = "") -> list[tuple[str, str]]:
    """Every place where a function is named."""
    if isinstance(told, Function):
        return [(at, str(told))]
    inside: list[tuple[str, Any]] = []
    if isinstance(told, Mapping):
        inside = [(str(key), value) for key, value in told.items()]
    elif isinstance(told, list):
        inside = [(str(place), value) for place, value in enumerate(told)]
    return [one for key, x in inside for one in _functions(x, f"{at}.{key}" if at else key)]


def _keys(path: Path, told: Mapping[str, Any], functions: Mapping[str, str]) -> dict[str, Any]:
    known = set(LmEvalKeys.model_fields) - {"functions", "label", "version"}
    for key in told:
        if key not in known | IGNORED | UNKNOWN | set(MAY_RUN):
            raise SpecError(f"{path}: unknown key {key!r}; {nearest(key, [*known, *IGNORED])}")
    for key, name in functions.items():
        if key not in MAY_RUN and not key.startswith("metric_list."):
            raise SpecError(f"{path}: a function cannot stand at {key!r} ({name})")
    runs = {
        key: _file_of(str(told[key]), path, key)
        for key in MAY_RUN
        if isinstance(told.get(key), Function)
    }
    own = {key: told[key] for key in told if key in known}
    own |= {key: str(told[key]) for key in runs if key != "process_docs"}
    if "metric_list" in own:
        own["metric_list"] = [_metric(path, one) for one in own["metric_list"] or []]
        named = [one for one in own["metric_list"] if "aggregation" in one]
        runs |= {f"aggregation of {one['metric']}": one["aggregation"] for one in named}
    if "fewshot_config" in own:
        own["fewshot_config"] = _fewshot(path, own["fewshot_config"] or {})
    own |= {"task": str(told.get("task") or path.stem), "functions": runs}
    version = (told.get("metadata") or {}).get("version")
    own |= {} if version is None else {"version": str(version)}
    return {key: value for key, value in own.items() if value not in (None, {})}


def _metric(path: Path, told: Any) -> dict[str, Any]:
    if not isinstance(told, Mapping) or told.get("metric") not in METRICS:
        name = told.get("metric") if isinstance(told, Mapping) else told
        raise SpecError(
            f"{path}: metric {name!r} is not known for choices; known are {', '.join(METRICS)}"
        )
    aggregation = told.get("aggregation")
    if isinstance(aggregation, Function):
        return {
            "metric": told["metric"],
            "aggregation": _file_of(str(aggregation), path, "metric_list"),
        }
    if aggregation not in (None, *AGGREGATIONS):
        raise SpecError(f"{path}: aggregation {aggregation!r} is not known")
    return {"metric": told["metric"]}


def _fewshot(path: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    known = set(FewshotKeys.model_fields)
    for key in told:
        if key == "fewshot_indices":
            continue  # the harness takes it, and does not look at it
        if key not in known:
            raise SpecError(f"{path}: fewshot_config.{key} is not known; {nearest(key, known)}")
    return {key: value for key, value in told.items() if key in known and value is not None}


def _file_of(function: str, path: Path, key: str) -> str:
    """``module.function`` as ``module.py:function``; the module must lie beside the task."""
    module, _, name = function.rpartition(".")
    if "." in module:
        raise SpecError(
            f"{path}, {key!r}: {function}: the module must be a file beside the task; put it there"
        )
    told = f"{module}.py:{name}"
    function_of(told, path.parent, f"{path}, {key!r}")
    return told


def _content(path: Path, own: dict[str, Any]) -> dict[str, Any]:
    where = f"{path}"
    keys = LmEvalKeys.model_validate(own)
    task = LmEvalTask(keys, where, path.parent)
    fields = _columns(keys, where)
    content: dict[str, Any] = {
        "name": slug(keys.task),
        "description": f"{keys.task}, imported from lm-evaluation-harness.",
    }
    labels = _labels(task, fields)
    if labels is not None:
        own["label"], said = labels
        kind: dict[str, Any] = {"kind": "classify", "fields": fields}
        words = {label: {"words": [word]} for label, word in said.items()}
        content |= {"task": kind, "labels": words}
    else:
        kind = {"kind": "choose", "choices": "answer_choices", "fields": fields}
        content |= {"task": kind, "labels": "open"}
    if keys.num_fewshot:
        content["shots"] = keys.num_fewshot
    return content | {"separator": task.between, "lm_eval": own}


def _columns(keys: LmEvalKeys, where: str) -> list[str]:
    """The columns that a prompt reads: those that are named, and those that forms print."""
    found: list[str] = []
    for told in (keys.doc_to_text, keys.doc_to_choice, keys.description, keys.gen_prefix):
        if not isinstance(told, str) or told in keys.functions.values():
            continue
        if told.isidentifier():
            found.append(told)
        elif "{" in told:
            found += sorted(PeerForm(told, where, "lm_eval").uses)
    named = {key for key in keys.functions if key in MAY_RUN}
    if not found and not named:
        raise SpecError(f"{where}: doc_to_text reads no column")
    return list(dict.fromkeys(found))


def _labels(task: LmEvalTask, fields: list[str]) -> tuple[str, dict[Any, str]] | None:
    """The column of the gold label and each label's word, where all rows have the same choices."""
    keys = task.keys
    told, choices = keys.doc_to_target, keys.doc_to_choice
    choices = list(choices.values()) if isinstance(choices, dict) else choices
    static = isinstance(choices, list) and len(set(choices)) == len(choices) > 1
    if not static or keys.functions or not isinstance(told, str) or task.multiple_input:
        return None
    assert isinstance(choices, list)
    if told.isidentifier():
        return (told, dict(enumerate(choices))) if told not in fields else None
    form = PeerForm(told, task.where, "lm_eval")
    if len(form.uses) != 1 or form.uses & set(fields):
        return None
    (label,) = form.uses
    for values in (range(len(choices)), form.constants):
        reached = {task_place(task, label, value, choices): value for value in values}
        reached.pop(None, None)
        if len(reached) == len(choices):
            return label, {reached[place]: word for place, word in enumerate(choices)}
    return None


def task_place(task: LmEvalTask, label: str, value: Any, choices: list[str]) -> int | None:
    """The place of the choice that a value of the label's column leads to, if it does."""
    try:
        right = task.target({label: value}, "")
    except DataError:
        return None
    place = choices.index(right) if isinstance(right, str) and right in choices else right
    return place if isinstance(place, int) and 0 <= place < len(choices) else None
