"""promptkit's estimators on arrays of numbers, so that scikit-learn's own suite can be run on them.

The suite feeds random numbers. Here each number becomes a word on its way in; everything else
(containers, shapes, missing values, labels, fitting, predicting, pickling) is the estimator's own
code. `EXPECTED` names the checks that cannot pass, and why; one that passes is an error as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.estimator_checks import estimator_checks_generator

from promptkit.estimators.contrastive import ContrastiveClassifier
from promptkit.estimators.features import FeatureClassifier
from promptkit.estimators.fine_tuned import FineTunedClassifier
from promptkit.estimators.layers import LayerFeatures
from promptkit.estimators.prompt import PromptClassifier
from promptkit.prompts import Template
from promptkit.prompts.form import TemplateKeys
from promptkit.prompts.yamlfile import YamlFile, validate
from promptkit.strategies.reading import Reading
from tests.tiny import corpus
from tests.tiny_encoder import tiny_encoder


@cache
def words() -> list[str]:
    """Frequent words of the in-box texts, so that a tiny tokenizer knows them."""
    counts: dict[str, int] = {}
    for word in " ".join(corpus()).lower().split():
        if word.isalpha() and len(word) > 2:
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: (-counts[word], word))[:200]


def said(value: Any, column: int) -> Any:
    """A word for a number; near ones share it. What is no finite number is left as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return value
    return words()[(round(float(value) * 2) + 25 * column) % len(words())]


class Worded:
    """Says numbers in words as they come in."""

    def _table(self, X: Any) -> Any:
        table = super()._table(X)  # type: ignore[misc]
        return table._replace(
            column=lambda place: [said(value, place) for value in table.column(place)]
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = False  # else the suite lays its arrays flat
        return tags


class InFloat32:
    """Gives its probabilities in float32, which is what the models compute in.

    The last digits of a matrix product depend on how many rows it has, and differently so on each
    processor. The suite allows for that by what it is given: where results that should be the same
    are compared, in float32 to 1e-4 of their size, in float64 to 1e-7.
    """

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        return super().predict_proba(X).astype(np.float32)  # type: ignore[misc,no-any-return]


def fields_in(table: Any) -> tuple[str, ...]:
    return table.names or tuple(f"x{place}" for place in range(table.width))


class FieldsOfX:
    """Reads every column of X, whatever there is."""

    def _reading(self, table: Any, labels: Any = ()) -> Reading:
        return Reading(
            getattr(self, "_fields", fields_in(table)) if not labels else fields_in(table)
        )


class WordedFeatures(FieldsOfX, Worded, FeatureClassifier):
    pass


class WordedFineTuned(FieldsOfX, Worded, FineTunedClassifier):
    pass


class WordedContrastive(FieldsOfX, Worded, ContrastiveClassifier):
    pass


class WordedLayers(FieldsOfX, Worded, LayerFeatures):
    pass


class WordedPrompt(Worded, PromptClassifier):
    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # nobody trains the tiny model, which knows nothing
        return tags

    def _read_template(self, table: Any) -> Template:
        fields = [] if table is None else list(fields_in(table))
        keys = {
            "name": "words",
            "description": "A class for a row of words.",
            "task": {"kind": "classify", "fields": fields},
            "query": "".join(f"{{{{ {name} }}}}\n" for name in fields) + "Class:",
            "labels": "open",
            "any_label": {"words": ["{{ label }}"], "statements": ["{{ label }}"]},
            "encoder": {"text": " ".join(f"{{{{ {name} }}}}" for name in fields)},
        }
        file = YamlFile("words", keys)
        return Template(validate(TemplateKeys, file), file)


_FREE = {"head_learning_rate": 0.05, "held_out": 0.0, "dropout": 0.0}
#: What is checked: the estimator's name in the table, and how it is made of a tiny model.
CHECKED: dict[str, Callable[[str], Any]] = {
    "PromptClassifier": lambda model: WordedPrompt(model=model, shots=2),
    "PromptClassifier, calibrated": lambda model: WordedPrompt(
        model=model, shots=2, selector="nearest", calibration="contextual"
    ),
    "FeatureClassifier": lambda model: WordedFeatures(
        model=model, layers=[0, 1], pooling="mean", regularisation=0.01
    ),
    "ContrastiveClassifier": lambda model: WordedContrastive(
        model=model, epochs=1, learning_rate=1e-3, head_c=100.0
    ),
    "LayerFeatures": lambda model: WordedLayers(model=model),
    "FineTunedClassifier, head": lambda model: WordedFineTuned(
        method="head", model=model, epochs=20, learning_rate=2e-2,
        options={"hidden": 16, "held_out": 0.0, "dropout": 0.0, "weight_decay": 0.0},
    ),
    "FineTunedClassifier, lora": lambda model: WordedFineTuned(
        method="lora", model=model, epochs=5, learning_rate=1e-2, options=_FREE
    ),
    "FineTunedClassifier, top_layers": lambda model: WordedFineTuned(
        method="top_layers", model=model, epochs=5, learning_rate=1e-2, options=_FREE
    ),
    "FineTunedClassifier, full": lambda model: WordedFineTuned(
        method="full", model=model, epochs=4, learning_rate=5e-3, options=_FREE
    ),
}  # fmt: skip
#: Those whose suite is quick.
QUICK = ("PromptClassifier", "FeatureClassifier", "LayerFeatures", "FineTunedClassifier, head")
_FLAT = "a list of texts has one dimension, and is how rows usually come: it is read, not refused"
_BY_NAME = (
    "columns are found by their names, as in ColumnTransformer: another order is no mistake, and a "
    "column that is missing is named with the nearest one that is there"
)


#: Checks that compare what was answered for the same row beside others.
SAME_BESIDE_OTHERS = ("check_methods_subset_invariance", "check_methods_sample_order_invariance")


def worded(name: str, check: str = "") -> Any:
    """The estimator that this check of the suite is put to."""
    made = CHECKED[name](tiny_encoder())
    if check not in SAME_BESIDE_OTHERS or not hasattr(made, "predict_proba"):
        return made
    kind = type(type(made).__name__, (InFloat32, type(made)), {})
    return kind(**made.get_params(deep=False))


def suite(name: str) -> list[tuple[str, Callable[[Any], None]]]:
    """The checks that scikit-learn has for it, with their names; no model is made for that."""
    found = estimator_checks_generator(CHECKED[name]("a model"))
    return [(_called(check), check) for _, check in found]


def _called(check: Any) -> str:
    """Such as ``check_classifiers_train (readonly_memmap=True)``."""
    if not isinstance(check, partial):
        return str(check.__name__)
    options = ", ".join(f"{key}={value}" for key, value in check.keywords.items())
    return _called(check.func) + (f" ({options})" if options else "")


#: Checks of the suite that cannot pass, and why.
EXPECTED = {"check_fit1d": _FLAT}


#: Checks of scikit-learn that its suite leaves to its own estimators.
FURTHER_FOR_ALL = ("check_dataframe_column_names_consistency",)
FURTHER_FOR_TRANSFORMERS = (
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_set_output_transform_polars",
    "check_global_output_transform_pandas",
)
EXPECTED_FURTHER = {"check_dataframe_column_names_consistency": _BY_NAME}


def further(name: str) -> list[str]:
    """Names of checks that are run beside the suite."""
    names = list(FURTHER_FOR_ALL)
    return names + list(FURTHER_FOR_TRANSFORMERS) if name == "LayerFeatures" else names
