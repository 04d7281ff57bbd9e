"""The keys of a template that was imported from another tool, whose forms stay as they are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Scalar = Annotated[str | int | float | bool, Field(union_mode="smart")]
#: What a field of a harness task may be: a form, a column, or what it says in so many words.
Words = Annotated[str | list[str], Field(union_mode="smart")]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PromptsourceKeys(_Keys):
    """A template of promptsource.

    Args:
        jinja: Input and target, ``|||`` between them once they are rendered.
        answer_choices: What may be answered, ``|||`` between them; a form of its own.
        label: The variable that holds the gold label; None where the target says it by itself.
        truncate: Cut every printed value to 2,048 characters, as promptsource does unless told
            otherwise.
        dataset: The data set that it was written for.
        id: Its name in promptsource.
        reference: What its author says of it.
        choices_in_prompt: Whether the input lists the choices.
        metrics: What its author would measure.
        languages: Of its text.
    """

    jinja: str
    answer_choices: str | None = None
    label: str | None = None
    truncate: bool = False
    dataset: str = ""
    id: str = ""
    reference: str = ""
    choices_in_prompt: bool | None = None
    original_task: bool | None = None
    metrics: list[str] | None = None
    languages: list[str] | None = None


class MetricKeys(_Keys):
    """One entry of ``metric_list``.

    Args:
        metric: ``acc``, ``acc_norm``, ``acc_bytes``, ``acc_mutual_info``, ``f1``, ``mcc`` or
            ``brier_score``.
        aggregation: A function of the task's own that makes one number of all rows.
    """

    metric: str
    aggregation: str | None = None


class FewshotKeys(_Keys):
    """How demonstrations differ from the evaluated row; what is None is as there.

    Args:
        sampler: ``default`` draws at random, ``first_n`` takes the first rows.
        samples: The rows to draw from, where the task brings them.
    """

    sampler: Literal["default", "first_n"] = "default"
    split: str | None = None
    samples: list[dict[str, Any]] | None = None
    doc_to_text: str | int | None = None
    doc_to_choice: Words | dict[str, str] | None = None
    doc_to_target: str | int | list[Any] | None = None
    gen_prefix: str | None = None
    fewshot_delimiter: str | None = None
    target_delimiter: str | None = None


class LmEvalKeys(_Keys):
    """A multiple-choice task of lm-evaluation-harness, its fields by their names there.

    Args:
        task: Its name.
        doc_to_text: What a row asks: a column, or a form.
        doc_to_target: What is right: an index, a column, or a form.
        doc_to_choice: What may be answered: a list, a column, or a form that prints a list.
        description: Stands before everything, as it is; may be a form over the evaluated row.
        target_delimiter: Between question and answer.
        fewshot_delimiter: After each demonstration.
        gen_prefix: What an answer begins with.
        num_fewshot: Demonstrations, unless the user says otherwise.
        fewshot_config: How demonstrations differ.
        fewshot_split, test_split, validation_split, training_split: Names of splits.
        metric_list: What is measured.
        dataset_path, dataset_name: The data that it was written for.
        functions: Field to ``file.py:function``; they run only where that is allowed.
        label: The column of the gold label, where labels are the same for all rows.
        version: Of the task.
    """

    task: str
    doc_to_text: str | int
    doc_to_target: str | int | list[Any]
    doc_to_choice: Words | dict[str, str] | None = None
    description: str = ""
    target_delimiter: str = " "
    fewshot_delimiter: str = "\n\n"
    gen_prefix: str | None = None
    num_fewshot: int | None = None
    fewshot_config: FewshotKeys = FewshotKeys()
    fewshot_split: str | None = None
    test_split: str | None = None
    validation_split: str | None = None
    training_split: str | None = None
    metric_list: list[MetricKeys] = [MetricKeys(metric="acc"), MetricKeys(metric="acc_norm")]
    dataset_path: str = ""
    dataset_name: str = ""
    functions: dict[str, str] = {}
    label: str | None = None
    version: str = ""
