"""The harness itself and ``--profile lm-eval``, on the same tasks, rows and model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from promptkit.box import box
from promptkit.prompts.importing import import_file
from promptkit.runs import EvalSpec, build
from promptkit.runs.runner import run
from promptkit.types import flat
from tests.conftest import REFERENCE

TASKS = REFERENCE / "peer_formats" / "lm_eval"
ROWS = 12


def rows_of(name: str, split: str) -> list[dict]:
    lines = (box("evals") / "data" / name / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in lines.splitlines()]


def reviews(split: str) -> list[dict]:
    kept = [row for row in rows_of("customer_reviews", split) if row["label"] != "neutral"]
    return [{"sentence": r["text"], "label": int(r["label"] == "positive")} for r in kept]


def pairs(split: str) -> list[dict]:
    return [
        {
            "sentence1": row["premise"], "sentence2": row["hypothesis"],
            "passage": row["premise"], "question": row["hypothesis"].rstrip("."),
            "premise": row["premise"], "hypothesis": row["hypothesis"],
            "label": int(row["label"] == "entailment"),
        }
        for row in rows_of("entailment", split)
    ]  # fmt: skip


def questions(split: str) -> list[dict]:
    found = []
    for row in rows_of("everyday_choices", split):
        if len(row["choices"]) >= 4:
            choices = row["choices"][:4]
            if row["label"] < 4:
                found.append(
                    {"question": row["question"], "choices": choices, "answer": row["label"]}
                )
    return found


def arc(split: str) -> list[dict]:
    return [
        {
            "question": row["question"], "answerKey": "ABCD"[row["answer"]],
            "choices": {"text": row["choices"], "label": list("ABCD")},
        }
        for row in questions(split)
    ]  # fmt: skip


def science(split: str) -> list[dict]:
    # the third row has no support: the harness reads an empty text, and so do we
    return [
        {
            "question": row["question"], "support": "" if place == 2 else f"  Fact {place}.",
            "distractor1": row["choices"][1], "distractor2": row["choices"][2],
            "distractor3": row["choices"][3], "correct_answer": row["choices"][0],
        }
        for place, row in enumerate(questions(split))
    ]  # fmt: skip


def blanks(split: str) -> list[dict]:
    return [
        {
            "sentence": f"{row['question'].rstrip('?')}, said _ to us.",
            "option1": row["choices"][0], "option2": row["choices"][1],
            "answer": str(1 + row["answer"] % 2),
        }
        for row in questions(split)
    ]  # fmt: skip


def endless(split: str) -> list[dict]:
    """Texts that are longer than a tiny model reads: the harness cuts them from the left."""
    return [{**row, "sentence": f"{row['sentence']} " * 40} for row in reviews(split)]


#: Tasks of the harness itself, and the rows that stand in their columns.
PUBLIC = {
    "sst2": reviews, "boolq": pairs, "rte": pairs, "mmlu_anatomy": questions, "arc_easy": arc,
    "sciq": science, "sglue_rte": pairs,
}  # fmt: skip

#: Tasks of our own, for what those do not show.
OWN = {
    "no_delimiter": (reviews, {
        "doc_to_text": "{{sentence}}\nSentiment: ", "doc_to_target": "label",
        "doc_to_choice": ["bad", "good enough"], "target_delimiter": "",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}, {"metric": "acc_bytes"}],
    }),
    "multiple_input": (blanks, {
        "doc_to_text": "{{ {'1': 0, '2': 1}[answer] }}",
        "doc_to_target": "{{ sentence.split('_')[1].strip() }}",
        "doc_to_choice": "{{ [sentence.split('_')[0] + option1, sentence.split('_')[0] + option2] }}",
    }),
    "prefixed": (reviews, {
        "doc_to_text": "Review: {{sentence}}", "doc_to_target": "label",
        "doc_to_choice": ["no", "yes"], "gen_prefix": "Did they like it?", "fewshot_delimiter": "\n",
        "metric_list": [{"metric": "acc"}, {"metric": "f1"}, {"metric": "mcc"}],
    }),
    "informed": (reviews, {
        "doc_to_text": "sentence", "doc_to_target": "{{ ['terrible', 'great'][label] }}",
        "doc_to_choice": {"a": "terrible", "b": "great"}, "description": "Rate {{ 1 + 1 }} ways.\n",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_mutual_info"}, {"metric": "brier_score"}],
    }),
    "from_test": (reviews, {
        "doc_to_text": "{{sentence}} =>", "doc_to_target": "label", "doc_to_choice": ["no", "yes"],
        "fewshot_split": "test", "training_split": None,
    }),
    "too_long": (
        endless,
        {
            "doc_to_text": "{{sentence}}\nMood:",
            "doc_to_target": "label",
            "doc_to_choice": ["low", "high and mighty"],
        },
    ),
    "several_right": (questions, {
        "doc_to_text": "{{question}}", "doc_to_target": "{{ [answer, (answer + 1) % 4] }}",
        "doc_to_choice": "choices",
    }),
    "sampled": (reviews, {
        "doc_to_text": "{{sentence}}\nMood:", "doc_to_target": "label",
        "doc_to_choice": ["low", "high"], "training_split": None,
        "fewshot_config": {"sampler": "first_n", "samples": [
            {"sentence": "Fine.", "label": 1}, {"sentence": "Awful.", "label": 0},
            {"sentence": "Lovely.", "label": 1},
        ]},
    }),
}  # fmt: skip


def written(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """The task file, and its rows in a file for each split."""
    rows, own = (PUBLIC[name], {}) if name in PUBLIC else OWN[name]
    files = {}
    for split, part in (("train", "train"), ("test", "test")):
        kept = rows(part)[: ROWS if split == "test" else 60]
        files[split] = folder / f"{split}.jsonl"
        text = "".join(json.dumps(row) + "\n" for row in kept)
        files[split].write_text(text, encoding="utf-8")
    here = {
        "task": f"ours_{name}", "dataset_path": "json", "dataset_name": None,
        "output_type": "multiple_choice", "test_split": "test", "validation_split": None,
        "training_split": "train", **own,
        "dataset_kwargs": {"data_files": {key: str(path) for key, path in files.items()}},
    }  # fmt: skip
    if name in PUBLIC:
        here["include"] = str(TASKS / f"{name}.yaml")
    if name == "mmlu_anatomy":
        here["fewshot_split"] = "train"
    path = folder / f"{name}_task.yaml"
    path.write_text(yaml.safe_dump(here, sort_keys=False), encoding="utf-8")
    return path, files["train"], files["test"]


def by_harness(path: Path, model: Path, shots: int) -> tuple[list[dict], dict]:
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    served = HFLM(pretrained=str(model), device="cpu", batch_size=4, dtype="float32")
    name = yaml.safe_load(path.read_text(encoding="utf-8"))["task"]
    manager = TaskManager(include_path=str(path.parent), include_defaults=False)
    found = lm_eval.simple_evaluate(
        model=served, tasks=[name], num_fewshot=shots, task_manager=manager, log_samples=True,
        bootstrap_iters=0,
    )  # fmt: skip
    samples = sorted(found["samples"][name], key=lambda one: one["doc_id"])
    return samples, found["results"][name]


def both(tmp_path: Path, name: str, model: Path, shots: int):
    """(samples, results) of the harness; (strategy, trial, record) of the profile."""
    path, train, test = written(tmp_path, name)
    samples, results = by_harness(path, model, shots)
    (one,) = import_file(path)
    assert not one.problem, one.problem
    template = tmp_path / f"{one.name}.yaml"
    template.write_text(one.text, encoding="utf-8")
    asked = EvalSpec(
        template=str(template), data=str(test), train_data=str(train), model=str(model),
        profile="lm-eval", shots=shots,
    )  # fmt: skip
    trial = build(asked)
    return samples, results, trial, run(trial)


def compare(samples, results, trial, record) -> None:
    strategy = trial.strategy(True).fit(())
    tokens = strategy.backend.tokens
    rows = trial.data.examples
    assert len(samples) == len(rows) == ROWS or len(samples) == len(rows)
    for sample, row, evidence in zip(samples, rows, strategy.gather(rows), strict=True):
        asked = [
            (flat(tokens.flat(prompt).text), flat(candidate.text))
            for prompt, candidates in strategy.asked(row)
            for candidate in candidates
        ]
        theirs = [tuple(sample["arguments"][f"gen_args_{n}"].values()) if isinstance(
            sample["arguments"], dict) else tuple(sample["arguments"][n])
            for n in range(len(sample["arguments"]))]  # fmt: skip
        assert asked == theirs
        log_p = [float(one[0][0]) for one in sample["resps"]]
        behind = evidence.members[0].log_p if evidence.members else ()
        assert [*evidence.log_p, *behind] == pytest.approx(log_p, abs=1e-4)
    found = {score.metric: score for score in record.report.scores}
    for key, value in results.items():
        metric, _, kind = key.partition(",")
        if kind != "none" or metric.endswith("_stderr"):
            continue
        assert found[metric].value == pytest.approx(value, abs=1e-9), metric


@pytest.mark.parametrize("shots", [0, 3])
@pytest.mark.parametrize("name", sorted(OWN))
def test_a_task_is_asked_scored_and_judged_as_the_harness_does(
    name, shots, tmp_path, causal_folder
):
    if name == "several_right" and shots:
        pytest.skip("the harness itself shows no demonstration that has several right answers")
    compare(*both(tmp_path, name, causal_folder("llama"), shots))


@pytest.mark.reference
@pytest.mark.skipif(not TASKS.is_dir(), reason="the harness's task files do not lie beside")
@pytest.mark.parametrize("shots", [0, 3])
@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_tasks_of_the_harness_give_its_prompts_scores_and_metrics(
    name, shots, tmp_path, causal_folder
):
    compare(*both(tmp_path, name, causal_folder("gpt2"), shots))
