"""What answers rows of a file: a saved model, or a template and a model that was never tuned."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from promptkit.data.ids import canonical
from promptkit.errors import SpecError
from promptkit.prompts import find_template
from promptkit.prompts.template import Template
from promptkit.protocols import Strategy
from promptkit.runs.adapt import GENERATE, is_learned, prompting_as, suited
from promptkit.runs.labels import wanted_labels
from promptkit.runs.manifest import is_saved, read_manifest
from promptkit.runs.method import prompting
from promptkit.runs.recipe import recipe_of
from promptkit.runs.saved import ASKED_MODELS_ONLY, Saved, load_model
from promptkit.runs.spec import EvalSpec


@dataclass(frozen=True)
class Predictor:
    """A strategy that is ready, and how rows get to it.

    Args:
        strategy: Fitted, unless it was taken without its model.
        template: Whose fields are read, its labels settled.
        columns: Field to column of the rows it was trained on, where they differ.
        key: Names what it answers: two predictors with one key answer alike.
    """

    strategy: Strategy
    template: Template
    columns: Mapping[str, str]
    key: str

    @property
    def writes(self) -> bool:
        """Whether its answers are read from what a model wrote."""
        return bool(self.strategy.describe()["name"] == GENERATE)


def predictor_of(asked: EvalSpec, *, with_model: bool = True) -> Predictor:
    """The predictor that was asked for.

    Args:
        asked: Model, template and options.
        with_model: Whether to load its model; without it nothing can be answered here.

    Raises:
        PromptkitError: No model, or one that cannot be used.
    """
    if is_saved(asked.model):
        if asked.template or asked.labels:
            raise SpecError(
                f"--model {asked.model} holds a saved model, which brings its template and labels "
                "with it: leave out --template and --labels"
            )
        for option in (*ASKED_MODELS_ONLY, "strategy", "strategy_options"):
            if option in asked.model_fields_set:
                raise SpecError(
                    f"--{option.replace('_', '-')} cannot be chosen for the saved model in "
                    f"{asked.model}; leave it out"
                )
        if not with_model:
            return _unloaded(asked)
        found = load_model(
            asked.model, base_model=asked.base_model, device=asked.device, dtype=asked.dtype
        )
        return of_saved(found)
    if asked.template is None:
        raise SpecError(
            f"--model {asked.model} is no saved model (make one with: promptkit tune); to ask a "
            "model that was not tuned, say how with --template NAME"
        )
    return _untuned(asked, with_model)


def of_saved(saved: Saved) -> Predictor:
    """A saved model as a predictor."""
    return Predictor(saved.strategy, saved.template, saved.columns, str(saved.meta["hash"]))


def _unloaded(asked: EvalSpec) -> Predictor:
    meta = read_manifest(asked.model)
    recipe = recipe_of(asked.model, meta, asked.base_model)
    strategy = recipe.build(with_model=False)
    return Predictor(strategy, recipe.template, recipe.columns, str(meta["hash"]))


def _untuned(asked: EvalSpec, with_model: bool) -> Predictor:
    template = find_template(asked.template or "")
    if template.task.kind == "classify":
        if template.open and not asked.labels:
            raise SpecError(
                f"template {template.name!r} leaves its labels open; say which with --labels a,b,c"
            )
        template = template.with_labels(wanted_labels(asked.labels, template.declared))
    if is_learned(asked.strategy):
        raise SpecError(
            f"--strategy {asked.strategy} learns from rows: keep it first with 'promptkit tune', "
            "and give the folder as --model"
        )
    asked = suited(asked, template).model_copy(update={"shots": 0})
    method = prompting(prompting_as(asked), template, False)
    content = [method.template, method.backend, method.strategy, list(template.task.labels)]
    key = hashlib.sha256(canonical(content).encode()).hexdigest()
    strategy = method.make(True).fit(()) if with_model else method.make(False)
    return Predictor(strategy, template, {}, key)
