"""promptkit: adapt a pre-trained language model to a task with a few labels.

Everything public is importable from here and is loaded when it is first used, so that
``import promptkit`` loads neither torch nor transformers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from promptkit.backends.fake import FakeBackend
    from promptkit.choosing import choose
    from promptkit.data import Dataset, load
    from promptkit.errors import PromptkitError
    from promptkit.estimators import PromptClassifier
    from promptkit.estimators.contrastive import ContrastiveClassifier
    from promptkit.estimators.features import FeatureClassifier
    from promptkit.estimators.fine_tuned import FineTunedClassifier
    from promptkit.estimators.layers import LayerFeatures
    from promptkit.labelling import label_errors, label_next
    from promptkit.probing import probe
    from promptkit.prompts import Template, find_template
    from promptkit.report.checked import CheckedData, check_data
    from promptkit.report.chosen import Chosen
    from promptkit.report.compared import Compared, compare
    from promptkit.report.labelled import NextLabels, SuspectLabels
    from promptkit.report.layer_profiles import LayerProfiles
    from promptkit.runs import EvalSpec, Store, build, run
    from promptkit.runs.saved import load_model
    from promptkit.types import Example, Prediction, RunRecord, Score

_HOMES = {
    "CheckedData": "promptkit.report.checked",
    "Chosen": "promptkit.report.chosen",
    "Compared": "promptkit.report.compared",
    "ContrastiveClassifier": "promptkit.estimators.contrastive",
    "Dataset": "promptkit.data",
    "EvalSpec": "promptkit.runs",
    "Example": "promptkit.types",
    "FakeBackend": "promptkit.backends.fake",
    "FeatureClassifier": "promptkit.estimators.features",
    "FineTunedClassifier": "promptkit.estimators.fine_tuned",
    "LayerFeatures": "promptkit.estimators.layers",
    "LayerProfiles": "promptkit.report.layer_profiles",
    "NextLabels": "promptkit.report.labelled",
    "Prediction": "promptkit.types",
    "PromptClassifier": "promptkit.estimators",
    "PromptkitError": "promptkit.errors",
    "RunRecord": "promptkit.types",
    "Score": "promptkit.types",
    "Store": "promptkit.runs",
    "SuspectLabels": "promptkit.report.labelled",
    "Template": "promptkit.prompts",
    "build": "promptkit.runs",
    "check_data": "promptkit.report.checked",
    "choose": "promptkit.choosing",
    "compare": "promptkit.report.compared",
    "find_template": "promptkit.prompts",
    "label_errors": "promptkit.labelling",
    "label_next": "promptkit.labelling",
    "load": "promptkit.data",
    "load_model": "promptkit.runs.saved",
    "probe": "promptkit.probing",
    "run": "promptkit.runs",
}

__version__ = "0.1.0"
__all__ = [
    "CheckedData",
    "Chosen",
    "Compared",
    "ContrastiveClassifier",
    "Dataset",
    "EvalSpec",
    "Example",
    "FakeBackend",
    "FeatureClassifier",
    "FineTunedClassifier",
    "LayerFeatures",
    "LayerProfiles",
    "NextLabels",
    "Prediction",
    "PromptClassifier",
    "PromptkitError",
    "RunRecord",
    "Score",
    "Store",
    "SuspectLabels",
    "Template",
    "build",
    "check_data",
    "choose",
    "compare",
    "find_template",
    "label_errors",
    "label_next",
    "load",
    "load_model",
    "probe",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'promptkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
