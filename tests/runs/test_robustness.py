"""A method over ways of asking: ordinary runs, and what they say together."""

from dataclasses import replace

import numpy as np
import pytest

from promptkit.errors import Interrupted
from promptkit.metrics import evaluate
from promptkit.prompts import find_template
from promptkit.runs import EvalSpec, Store, build, run
from promptkit.runs import robustness as module
from promptkit.runs.robustness import concluded, robustness
from promptkit.runs.ways import Factor, Ways
from promptkit.types import Prediction
from tests.report.samples import record


def asked(**options):
    given = {"template": "sentiment_zero_shot", "backend": "fake", "limit": 12, "shots": 2}
    return EvalSpec(**{**given, **options})


def test_each_way_is_the_run_that_eval_would_make(home):
    found = robustness(asked(robustness_runs=8), Store())
    assert len(found.ways) == 8
    for way in found.ways:
        template, seed = way.levels[0], int(way.levels[1].removeprefix("seed "))
        alone = run(build(asked(template=template, seed=seed, order=way.levels[2])))
        assert way.fingerprint == alone.spec.fingerprint()
        assert way.scores == alone.report.scores
    values = [way.scores[0].value for way in found.ways]
    assert found.ranges["accuracy"].best == max(values)
    assert found.ranges["accuracy"].worst == min(values)
    assert found.parts.effects[0].means[0] == pytest.approx(np.mean(values[:4]))
    assert found.metric == "accuracy"
    assert "ece" not in found.ranges  # of which less is better


def test_the_run_that_was_asked_for_is_the_first(home):
    found = robustness(asked(seed=3))
    assert found.as_asked().fingerprint == build(asked(seed=3)).spec.fingerprint()
    assert found.record.spec.fingerprint() == found.as_asked().fingerprint


def test_a_second_time_all_is_answered_from_the_store(home):
    first = robustness(asked(), Store())
    again = robustness(asked(), Store())
    assert not any(way.from_store for way in first.ways)
    assert all(way.from_store for way in again.ways)
    assert again.ranges == first.ranges
    assert again.parts == first.parts


def test_what_is_finished_stays_when_it_is_stopped(home, monkeypatch):
    def stopping(trial, store, **options):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(trial.spec.fingerprint())
        return run(trial, store, **options)

    done = []
    with monkeypatch.context() as patched:
        patched.setattr(module, "run", stopping)
        with pytest.raises(Interrupted, match="interrupted: 3 of 36 runs are stored"):
            robustness(asked(), Store())
    found = robustness(asked(), Store())
    assert [way.fingerprint for way in found.ways if way.from_store] == done


def test_runs_are_told_of_as_they_go(home):
    told = []
    robustness(asked(robustness_runs=2), None, lambda *one: told.append(one))
    assert told[0] == (0, 2, "sentiment_zero_shot")
    assert (1, 2, "sentiment_cloze: 12 of 12 rows") in told
    assert told[-1] == (2, 2, "done")


def evaluated(golds, rows):
    return evaluate(golds, rows, ("a", "b"), resamples=0)


def answered(gold, predicted):
    made = record(labels=("a", "b"), n=len(gold))
    rows = tuple(
        Prediction(f"r{i}", x or None, None, problem="" if x else "no")
        for i, x in enumerate(predicted)
    )
    report = evaluated(tuple(gold), rows)
    return replace(made, golds=tuple(gold), predictions=rows, report=report, notes=())


def ways(*shape):
    factors = tuple(
        Factor(key, key, tuple(range(n)), tuple(f"{key}{i}" for i in range(n)))
        for key, n in zip(("template", "seed"), shape, strict=False)
    )
    template = find_template("sentiment_binary_zero_shot")
    return Ways(EvalSpec(), template, factors, (), ())


def test_shares_and_agreement_by_hand():
    gold = "aaab"
    # accuracies 1.0 and 0.5 for the first template, 0.75 and 0.75 for the second
    runs = [answered(gold, x) for x in ("aaab", "aabb"[:3] + "a", "aaaa", "baab")]
    names = [(f"template{i}", f"seed{j}") for i in range(2) for j in range(2)]
    found = concluded(ways(2, 2), names, runs)
    assert [way.scores[0].value for way in found.ways] == [1.0, 0.5, 0.75, 0.75]
    first, second = found.parts.effects
    assert (first.means, second.means) == ((0.75, 0.75), (0.875, 0.625))
    # squares about 0.75: 0.125 in all; draws make 4 x 0.125 ** 2, both together the rest
    assert (first.share, second.share, found.parts.together) == (0.0, 0.5, 0.5)
    # template alone: aaab/aaaa differ on 1 of 4 rows, aaba/baab on 3; draws: 2 and 2 of 4
    assert found.changed == (0.5, 0.5)
    assert found.ranges["accuracy"].median == 0.75
    assert found.unanimous == 0.25  # the second row
    # pairs that agree, of six: 3, 6, 3 and 2 by row
    assert found.agreement == pytest.approx(14 / 24)


def test_runs_that_all_say_the_same_have_no_shares():
    runs = [answered("ab", "aa")] * 4
    found = concluded(ways(2, 2), [("t", "s")] * 4, runs)
    assert [effect.share for effect in found.parts.effects] == [None, None]
    assert (found.agreement, found.unanimous, found.chance_sd) == (1.0, 1.0, 0.0)
    assert found.notes == tuple(
        f"{key}: no answer changed with it; perhaps the model does not read what it changes"
        for key in ("template", "seed")
    )


def test_an_unscored_row_is_wrong_and_an_answer_of_its_own():
    runs = [answered("ab", ["a", ""]), answered("ab", ["a", "a"])]
    found = concluded(ways(2), [("t0",), ("t1",)], runs)
    assert found.ranges["accuracy"].best == 0.5
    assert found.agreement == 0.5
    assert found.chance_sd == 0.0  # both are wrong on it


def test_rows_without_a_gold_label_count_for_answers_only():
    runs = [answered(["a", None], "aa"), answered(["a", None], "ab")]
    found = concluded(ways(2), [("t0",), ("t1",)], runs)
    assert found.ranges["accuracy"].worst == 1.0
    assert found.agreement == 0.5
    assert found.row_error is None


def test_written_answers_are_scored_by_their_own_metric(home):
    told = asked(template="word_problems", shots=0, strategy="generate",
                 strategy_options={"temperature": 1.0})  # fmt: skip
    found = robustness(told)
    assert found.metric in ("exact_match", "number")
    assert len(found.ways) == 3
    assert found.row_error == 0.0  # the stand-in solves none


def test_the_encoder_in_the_box_is_asked_with_each_template(home):
    found = robustness(asked(backend="auto", shots=0, limit=20))
    (effect,) = found.parts.effects
    assert effect.share == pytest.approx(1.0)
    assert effect.reach > 0
    assert found.changed[0] > 0
    assert found.row_error > 0
