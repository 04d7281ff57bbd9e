"""Banking77 with 10 of its 77 intents left out of the labels: are their rows told from the others?

    python -m bench.out_of_scope $DATA/banking77     # about ten minutes of one core; Markdown

Three draws of 10 intents. The other 67 give 10 training rows each, answered by what did not learn
from them, and all rows of the test split are evaluated. A first threshold keeps 95% of the training
rows; a second one has the best balanced accuracy on them and 10 rows of each intent that was left
out. The scores: the probability of the most probable label, the log of the summed evidence, and the
nearness of the nearest training row by the in-box encoder.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from promptkit.backends.weights import MINILM
from promptkit.data.splits import sample
from promptkit.metrics.out_of_scope import balanced_threshold, keeping_threshold, log_sum, scope_of
from promptkit.metrics.rows import Floats
from promptkit.metrics.selective import confidences
from promptkit.runs import EvalSpec, Trial, build
from promptkit.runs.held_out import held_out_trial
from promptkit.runs.models import load_backend
from promptkit.selectors.copies import copy_key
from promptkit.types import Example

OUTSIDE = "none of these"
N_OUTSIDE, PER_LABEL = 10, 10
WAYS = {
    "zero-shot": {"template": "intent_zero_shot"},
    "features": {"template": "intent_zero_shot", "strategy": "features"},
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=3)
    told = parser.parse_args()
    rates = ("kept", "caught", "accuracy", "F1")
    heads = ("draw", "way", "score", "AUROC", "95% interval", "FPR at 95%",
             *(f"{name}, {rule}" for rule in ("95%", "balanced") for name in rates))  # fmt: skip
    print(f"| {' | '.join(heads)} |\n|---|---|---|{'---:|' * (len(heads) - 3)}")
    for draw in range(told.draws):
        for line in lines_of(told.folder, draw):
            print(f"| {' | '.join(line)} |", flush=True)


def lines_of(folder: Path, draw: int) -> list[list[str]]:
    """The lines of one draw of intents."""
    labels = json.loads((folder / "card.json").read_text())["labels"]
    rng = np.random.default_rng(draw)
    left_out = set(rng.choice(labels, N_OUTSIDE, replace=False).tolist())
    inside = [label for label in labels if label not in left_out]
    lines = []
    with tempfile.TemporaryDirectory() as home:
        train = Path(home) / "train.jsonl"
        _write_train(folder / "train.jsonl", train, labels, draw)
        for way, options in WAYS.items():
            asked = EvalSpec(
                data=str(folder), train_data=str(train), label_map=dict.fromkeys(left_out, OUTSIDE),
                out_of_scope=OUTSIDE, seed=draw, **options,
            )  # fmt: skip
            trial = build(asked)
            assert len(trial.template.task.labels) == len(inside)
            lines += [[str(draw), way, *line] for line in _scores(asked, trial)]
    return lines


def _scores(asked: EvalSpec, trial: Trial) -> list[list[str]]:
    held = held_out_trial(asked, trial)
    sure, energy, right = _answered(trial)
    held_sure, held_energy, _ = _answered(held)
    nearness, held_nearness = (_nearness(one, trial) for one in (trial, held))
    pairs = {"highest probability": (sure, held_sure), "summed evidence": (energy, held_energy),
             "nearest row": (nearness, held_nearness)}  # fmt: skip
    inside, own = (np.array([gold is not None for gold in one.golds]) for one in (trial, held))
    lines = []
    for name, (score, chosen_on) in pairs.items():
        if np.ptp(score) < 1e-6:  # evidence that is normalised sums to one in every row
            lines.append([name, *["–"] * 11])
            continue
        thresholds = (
            keeping_threshold(chosen_on[own]),
            balanced_threshold(chosen_on[own], chosen_on[~own]),
        )
        found = [scope_of(score, inside, right, above) for above in thresholds]
        auroc, fpr = found[0].auroc, found[0].false_positive_rate
        rates = [rate for one in found for rate in (one.kept, one.caught, one.accuracy, one.f1)]
        lines.append([name, f"{auroc.value:.3f}", f"{auroc.low:.3f} to {auroc.high:.3f}",
                      *(f"{rate.value:.3f}" for rate in (fpr, *rates))])  # fmt: skip
    return lines


def _answered(trial: Trial) -> tuple[Floats, Floats, np.ndarray]:
    """Confidence, summed evidence and whether the label is right, of every row."""
    strategy = trial.strategy(True)
    strategy.fit(trial.train.examples if trial.train else ())
    rows = trial.data.examples
    evidence = strategy.gather(rows)
    predictions = strategy.conclude(rows, evidence)
    right = [p.label == gold for p, gold in zip(predictions, trial.golds, strict=True)]
    raw = np.array([one.log_p for one in evidence])
    return confidences(predictions), log_sum(raw), np.array(right)


def _nearness(asked: Trial, learned: Trial) -> Floats:
    """(n,) cosine to the nearest training row that is neither the row nor a copy of it."""
    encoder = load_backend("embedding", {"model": MINILM})
    train = learned.train.examples if learned.train else ()
    keys = np.array([copy_key(row) for row in train])
    own, pool = (encoder.encode(_texts(rows)) for rows in (asked.data.examples, train))
    near = own @ pool.T
    for place, row in enumerate(asked.data.examples):
        near[place, keys == copy_key(row)] = -1
    return np.asarray(near.max(axis=1), np.float64)


def _texts(rows: Sequence[Example]) -> list[str]:
    return [str(row.fields["text"]) for row in rows]


def _write_train(source: Path, target: Path, labels: Sequence[str], draw: int) -> None:
    """So many rows of each label."""
    lines = [json.loads(line) for line in source.read_text(encoding="utf-8").split("\n") if line]
    rows = [Example(f"train-{i}", line, line["label"]) for i, line in enumerate(lines)
            if line["label"] in set(labels)]  # fmt: skip
    drawn = sample(rows, PER_LABEL * len(labels), draw)
    text = "".join(json.dumps({"id": row.id, **row.fields}) + "\n" for row in drawn)
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
