"""What ``--profile lm-eval`` decides, and what it refuses."""

from __future__ import annotations

import json

import pytest

from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.prompts.importing import import_file
from promptkit.runs import EvalSpec, build
from promptkit.strategies.lm_eval import drawn_shots
from promptkit.types import Example

TASK = """
task: moods
output_type: multiple_choice
doc_to_text: "{{ text }}\\nMood:"
doc_to_target: label
doc_to_choice: [low, high]
training_split: train
"""


@pytest.fixture
def asked(home, causal_folder):
    (home / "task.yaml").write_text(TASK, encoding="utf-8")
    (one,) = import_file(home / "task.yaml")
    (home / "moods.yaml").write_text(one.text, encoding="utf-8")
    rows = [{"text": f"Text {n}.", "label": n % 2} for n in range(6)]
    for name in ("rows", "train"):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (home / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return EvalSpec(
        template="moods.yaml",
        data="rows.jsonl",
        profile="lm-eval",
        model=str(causal_folder("llama")),
    )


def changed(asked: EvalSpec, **options) -> EvalSpec:
    return EvalSpec(**{**asked.model_dump(exclude_unset=True), **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"calibration": "batch"}, "--calibration: lm-evaluation-harness decides that itself"),
        ({"selector": "nearest"}, "--selector: "),
        ({"labels": [0, 1]}, "--labels: "),
        ({"strategy_options": {"samples": 3}}, "--option samples: .* fewshot_seed=N alone"),
        ({"template": "sentiment_zero_shot", "data": None}, "is none; import one"),
    ],
)
def test_what_the_harness_decides_is_refused(options, message, asked):
    with pytest.raises(SpecError, match=message):
        build(changed(asked, **options))


def test_only_causal_models_are_scored(asked):
    with pytest.raises(CapabilityError, match="scores with a causal language model"):
        build(changed(asked, model="minilm"))
    with pytest.raises(CapabilityError, match="leave out --backend vllm"):
        build(changed(asked, backend="vllm"))


def test_demonstrations_need_the_split_that_they_are_drawn_from(asked):
    with pytest.raises(DataError, match=r"from its split 'train'.*--train-data FILE"):
        build(changed(asked, shots=2))
    trial = build(changed(asked, shots=2, train_data="train.jsonl"))
    assert trial.spec.strategy["fewshot_seed"] == 1234
    other = build(
        changed(asked, shots=2, train_data="train.jsonl", strategy_options={"fewshot_seed": 1})
    )
    assert other.spec.fingerprint() != trial.spec.fingerprint()


def test_a_limit_changes_no_draw(asked):
    whole = build(changed(asked, shots=2, train_data="train.jsonl")).strategy(False).fit(())
    part = build(changed(asked, shots=2, train_data="train.jsonl", limit=3))
    first = part.strategy(False).fit(()).asked(part.data.examples[2])
    assert first == whole.asked(part.data.examples[2])


def example(n: int, text: str = "") -> Example:
    return Example(f"{n}", {"text": text or f"text {n}"})


def shown(rows, pool, shots, **more):
    usual = {"sampler": "default", "exclude": False, "seed": 1234}
    found = drawn_shots(rows, pool, shots, document=lambda row: row.fields, **(usual | more))
    return [[shot.id for shot in found[row.id]] for row in rows]


def test_one_generator_draws_for_all_rows_in_order():
    import random

    pool = [example(n) for n in range(9)]
    generator = random.Random(1234)
    expected = [[str(n) for n in generator.sample(range(9), 3)] for _ in range(4)]
    assert shown([example(n) for n in range(20, 24)], pool, 3) == expected


def test_the_first_rows_are_shown_without_the_row_itself():
    pool = [example(n) for n in range(4)]
    assert shown(pool[:2], pool, 2, sampler="first_n", exclude=True) == [["1", "2"], ["0", "2"]]
    assert shown(pool[:2], pool, 2, sampler="first_n") == [["0", "1"], ["0", "1"]]


def test_copies_of_a_row_are_not_shown_to_it():
    pool = [example(n, "same" if n < 6 else "") for n in range(9)]
    for ids in shown(pool, pool, 3, exclude=True)[:6]:
        assert sorted(ids) == ["6", "7", "8"]


def test_a_pool_that_is_too_small_is_told():
    with pytest.raises(DataError, match="3 demonstrations cannot be drawn from 3 rows"):
        shown([example(1)], [example(n) for n in range(3)], 3, exclude=True)
