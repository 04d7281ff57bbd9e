"""One evaluation from what was asked for to a record: spec, build, run, store."""

from promptkit.runs.build import build
from promptkit.runs.runner import run
from promptkit.runs.spec import EvalSpec, eval_spec
from promptkit.runs.store import Store
from promptkit.runs.trial import Trial

__all__ = ["EvalSpec", "Store", "Trial", "build", "eval_spec", "run"]
