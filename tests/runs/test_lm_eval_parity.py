"""The harness itself and ``--profile lm-eval``, on the same tasks, rows and model."""

import pytest

from tests.lm_eval_tasks import (
    OWN,
    PUBLIC,
    ROWS,
    TASKS,
    arguments_of,
    asked_of,
    by_harness,
    by_profile,
    results_of,
    written,
)


def check(name, shots, folder, model):
    path, train, test = written(folder, name)
    samples, results = by_harness(path, model, shots)
    trial, record = by_profile(path, folder, train, test, model, shots)
    strategy, rows = trial.strategy(True).fit(()), trial.data.examples
    assert len(samples) == len(rows) <= ROWS
    for sample, row, evidence in zip(samples, rows, strategy.gather(rows), strict=True):
        assert asked_of(strategy, row) == arguments_of(sample)
        log_p = [float(one[0][0]) for one in sample["resps"]]
        behind = evidence.members[0].log_p if evidence.members else ()
        assert [*evidence.log_p, *behind] == pytest.approx(log_p, abs=1e-4)
    found = {score.metric: score.value for score in record.report.scores}
    for metric, value in results_of(results).items():
        assert found[metric] == pytest.approx(value, abs=1e-9), metric


@pytest.mark.parametrize("shots", [0, 3])
@pytest.mark.parametrize("name", sorted(OWN))
def test_a_task_is_asked_scored_and_judged_as_the_harness_does(
    name, shots, tmp_path, causal_folder
):
    if name == "several_right" and shots:
        pytest.skip("the harness itself shows no demonstration that has several right answers")
    check(name, shots, tmp_path, causal_folder("llama"))


@pytest.mark.reference
@pytest.mark.skipif(not TASKS.is_dir(), reason="the harness's task files do not lie beside")
@pytest.mark.parametrize("shots", [0, 3])
@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_tasks_of_the_harness_give_its_prompts_scores_and_metrics(
    name, shots, tmp_path, causal_folder
):
    check(name, shots, tmp_path, causal_folder("gpt2"))
