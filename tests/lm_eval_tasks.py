"""Tasks of lm-evaluation-harness with rows of the box in their columns, for it and for us."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from promptkit.box import box
from promptkit.prompts.importing import import_file
from promptkit.runs import EvalSpec, build
from promptkit.runs.runner import run
from promptkit.types import flat
from tests.conftest import REFERENCE

TASKS = REFERENCE / "peer_formats" / "lm_eval"
ROWS, POOL = 12, 60


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
        "doc_to_choice": (
            "{% set s = sentence.split('_') %}{{ [s[0] + option1, s[0] + option2] }}"
        ),
    }),
    "prefixed": (reviews, {
        "doc_to_text": "Review: {{sentence}}", "doc_to_target": "label",
        "doc_to_choice": ["no", "yes"], "gen_prefix": "Did they like it?",
        "fewshot_delimiter": "\n",
        "metric_list": [{"metric": "acc"}, {"metric": "f1"}, {"metric": "mcc"}],
    }),
    "informed": (reviews, {
        "doc_to_text": "sentence", "doc_to_target": "{{ ['terrible', 'great'][label] }}",
        "doc_to_choice": {"a": "terrible", "b": "great"},
        "description": "Rate {{ 1 + 1 }} ways.\n",
        "metric_list": [{"metric": one} for one in ("acc", "acc_mutual_info", "brier_score")],
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


def written(folder: Path, name: str, n: int = ROWS) -> tuple[Path, Path, Path]:
    """The task file, and its rows in a file for each split."""
    rows, own = (PUBLIC[name], {}) if name in PUBLIC else OWN[name]
    files = {}
    for split, part in (("train", "train"), ("test", "test")):
        kept = rows(part)[: n if split == "test" else POOL]
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


def by_profile(path: Path, folder: Path, train: Path, test: Path, model: Path, shots: int):
    """(trial, record) of the same task, imported, with ``--profile lm-eval``."""
    (one,) = import_file(path)
    assert not one.problem, one.problem
    template = folder / f"{one.name}.yaml"
    template.write_text(one.text, encoding="utf-8")
    asked = EvalSpec(
        template=str(template), data=str(test), train_data=str(train), model=str(model),
        profile="lm-eval", shots=shots,
    )  # fmt: skip
    trial = build(asked)
    return trial, run(trial)


def arguments_of(sample: dict) -> list[tuple[str, str]]:
    """What the harness scored of a row: context and continuation."""
    told = sample["arguments"]
    if isinstance(told, dict):
        return [tuple(told[f"gen_args_{n}"].values()) for n in range(len(told))]
    return [tuple(one) for one in told]


def asked_of(strategy, row) -> list[tuple[str, str]]:
    """What we score of it."""
    return [
        (flat(strategy.backend.tokens.flat(prompt).text), flat(candidate.text))
        for prompt, candidates in strategy.asked(row)
        for candidate in candidates
    ]


def results_of(results: dict) -> dict[str, float]:
    """The harness's metrics by name."""
    found = {key.partition(",")[0]: value for key, value in results.items() if ",none" in key}
    return {name: value for name, value in found.items() if not name.endswith("_stderr")}
