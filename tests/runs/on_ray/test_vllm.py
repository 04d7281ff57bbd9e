"""vLLM in a worker of Ray: the answers of the same model in transformers."""

import json

import pytest

from promptkit.runs import EvalSpec
from promptkit.runs.predictor import predictor_of
from tests.ray_job import RayJob
from tests.runs.on_ray.test_killed import alone, write_csv

pytestmark = pytest.mark.vllm


def test_a_worker_holds_an_engine(home):
    write_csv(home, 60)
    asked = EvalSpec(template="sentiment_zero_shot", model="pocket", backend="hf")
    alone(home, predictor_of(asked), "alone.jsonl")
    job = RayJob(home, "-t", "sentiment_zero_shot", "--model", "pocket", "--backend", "vllm",
                 "--backend-option", "enforce_eager=true", "--backend-option", "max_model_len=512",
                 "--no-cache", "--data", "rows.csv", "--output", "together.jsonl", "--proba",
                 "--workers", 1, "--batch-rows", 16)  # fmt: skip
    status, _, err = job.finish()
    assert status == 0, err
    assert job.all_gone()
    expected, found = read(home / "alone.jsonl"), read(home / "together.jsonl")
    assert len(found) == 60
    for one, other in zip(expected, found, strict=True):
        assert (one["id"], one["problem"]) == (other["id"], other["problem"])
        if one["predicted"] is not None:
            assert [one[name] for name in proba(one)] == pytest.approx(
                [other[name] for name in proba(one)], abs=1e-3
            )


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def proba(row):
    return [name for name in row if name.startswith("p:")]
