"""A saved model on labelled rows: its own strategy, template and labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptkit.data import Dataset, apply_labels, columns_of, load
from promptkit.errors import DataError, SpecError, nearest
from promptkit.prompts import Template, find_template
from promptkit.prompts.imported import ImportedTemplate
from promptkit.protocols import Strategy
from promptkit.runs.adapt import ASKING, uses_model
from promptkit.runs.columns import load_options
from promptkit.runs.imported_rows import in_terms, knowing_words
from promptkit.runs.kinds import STRUCTURED
from promptkit.runs.labels import settle_labels
from promptkit.runs.manifest import read_manifest
from promptkit.runs.method import NONE, Method
from promptkit.runs.models import LEARNING_PACKAGES, dtype_for, package_versions
from promptkit.runs.plugins import packages_of
from promptkit.runs.recipe import Recipe, recipe_of
from promptkit.runs.saved import ASKED_MODELS_ONLY, load_model
from promptkit.runs.spec import EvalSpec, flag
from promptkit.runs.trial import Trial, trial_of

#: What is chosen on training rows, of which a saved model brings none.
UNCERTAINTY = ("abstain", "conformal", "out_of_scope")
#: Options of an evaluation that a saved model has settled.
SETTLED = (
    "shots",
    "selector",
    "order",
    "permutation",
    "templates",
    "draws",
    "permutations",
    "selector_options",
    "verbalizer",
    "verbalizer_options",
    "calibration",
    "chat",
    "adapter",
    "train_data",
    "dry_run",
    *ASKED_MODELS_ONLY,
    *UNCERTAINTY,
)


def saved_trial(asked: EvalSpec) -> Trial:
    """Check everything and load the rows.

    Raises:
        PromptkitError: The first thing that is wrong.
    """
    _check(asked)
    meta = read_manifest(asked.model)
    recipe = recipe_of(asked.model, meta, asked.base_model)
    data, notes = _rows(asked, recipe)
    if data.content_hash() == meta["trained_on"]["hash"]:
        notes.append(
            "these are the rows that the model learned from: the scores say nothing about others"
        )
    return trial_of(asked, _method(asked, meta, recipe), recipe.template, data, None, notes)


def columns_for(
    template: Template,
    learned: Mapping[str, str],
    there: tuple[str, ...],
    *,
    text_field: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The column of each field: as told, else as in the training rows, else the field's own name.

    Args:
        template: Whose fields.
        learned: Field to column of the training rows, where they differ.
        there: The columns that there are.
        text_field: The column of the only field.
        fields: Field to column.

    Raises:
        SpecError: A field that the template does not have.
    """
    told, own = dict(fields or {}), template.task.fields
    for name in told:
        if name not in own:
            raise SpecError(f"--field {name}: the model has no such field; {nearest(name, own)}")
    if text_field is not None:
        if len(own) > 1:
            raise SpecError(
                f"--text-field is for models that read one field; this one reads {', '.join(own)}: "
                f"use --field {own[0]}=COLUMN for each"
            )
        told[own[0]] = text_field
    found = {}
    for name in own:
        usual = learned.get(name, name)
        found[name] = told.get(name, name if usual not in there and name in there else usual)
    return found


def _check(asked: EvalSpec) -> None:
    usual = EvalSpec()
    if asked.strategy != usual.strategy or asked.strategy_options:
        raise SpecError(
            f"--model {asked.model} holds a saved model, which brings its strategy with it: leave "
            "out --strategy and --option"
        )
    for name in SETTLED:
        if getattr(asked, name) != getattr(usual, name):
            raise SpecError(
                f"--{flag(name)} cannot be chosen for the saved model in "
                f"{asked.model}; leave it out"
            )
    if asked.data is None and asked.template is None:
        raise SpecError("no rows given to evaluate the saved model on; say which with --data FILE")


def _rows(asked: EvalSpec, recipe: Recipe) -> tuple[Dataset, list[str]]:
    template, notes = recipe.template, []
    source = asked.data
    if asked.template is not None:
        other = find_template(asked.template)
        source = source or other.keys.data
        if other.hash() != template.hash():
            notes.append(
                f"template {other.name!r} names the rows and nothing else: the saved model brings "
                "its own"
            )
    if source is None:
        raise SpecError(f"template {asked.template!r} has no rows of its own; give --data FILE")
    columns = columns_for(
        template,
        recipe.columns,
        columns_of(source, split=asked.split),
        text_field=asked.text_field,
        fields=asked.fields,
    )
    data = load(source, split=asked.split, **load_options(asked, template, columns))
    if template.task.kind == "classify":
        labels = template.task.labels
        known_as = knowing_words(asked, template).label_map
        data, dropped = apply_labels(data, labels, known_as, keep=asked.labels)
        if dropped:
            notes.append(f"{dropped} rows with other labels than those of --labels are left out")
    elif template.task.kind in STRUCTURED:
        # several labels in one cell of a CSV, a rating as text: as they were read to be learned
        known = asked.model_copy(update={"labels": asked.labels or list(template.task.labels)})
        rated = template.task.kind == "rate"
        _, data, _, _ = settle_labels(asked if rated else known, template, data, None)
    if isinstance(template, ImportedTemplate):
        data, told = in_terms(template, data)
        notes += told
    data = data.limited(asked.limit)
    if not data.examples:
        raise DataError(f"{data.origin}: no rows left to evaluate; check --labels and --limit")
    return data, notes


def _method(asked: EvalSpec, meta: Mapping[str, Any], recipe: Recipe) -> Method:
    described = dict(meta["strategy"]["described"])
    prompts = recipe.name in ASKING or recipe.reading.template is not None
    plugins = packages_of({**recipe.options, "strategy": recipe.name})
    packages = package_versions(*LEARNING_PACKAGES) | plugins

    def make(with_model: bool) -> Strategy:
        if not with_model:
            return recipe.build(with_model=False)
        chosen = {"device": asked.device, "dtype": asked.dtype}
        return load_model(asked.model, base_model=asked.base_model, **chosen).strategy

    shots = {"shots": described["shots"]} if recipe.name in ASKING else {}
    named = {"name": recipe.template.name, "hash": recipe.template.hash()}
    return Method(
        template=named if prompts else {"name": NONE},
        backend={
            "name": NONE,
            "model": Path(asked.model).expanduser().resolve().name,
            "weights": meta["hash"],
            "dtype": dtype_for(asked) if uses_model(recipe.name, recipe.options) else None,
            "packages": packages,
        },
        strategy={"name": recipe.name, **shots, "described": described},
        seed=meta["seed"],
        make=make,
        packages=packages,
        located=None,
        fits=False,
        learned_from=meta["trained_on"],
    )
