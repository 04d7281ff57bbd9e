"""Prototypes of labels where their words would stand: means over a prompt's last hidden state."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from promptkit.prompts import find_template
from promptkit.prompts.flatten import flatten
from promptkit.runs.adapt import make_strategy
from promptkit.types import Example, flat

TRAIN = [
    Example(f"{label}{i}", {"text": f"{word} number {i}"}, label)
    for i in range(3)
    for label, word in (("positive", "good"), ("negative", "awful"), ("neutral", "a table"))
]
ROWS = [Example("q1", {"text": "good and bad"}), Example("q2", {"text": "two tables"})]
OPTIONS = {
    "reading": "prompt", "pooling": "last", "layers": -1, "scaling": "unit",
    "classifier": "centroid", "statements": False, "cache": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def state_of(causal_folder):
    """The last state of a row's prompt, of length one."""
    folder = causal_folder("gpt2")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    template = find_template("sentiment_zero_shot")

    def state(example):
        text = flat(flatten(template.prompt(example)).text)
        with torch.inference_mode():
            states = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
        vector = states.hidden_states[-1][0, -1].double().numpy()
        return vector / np.linalg.norm(vector)

    return state


def test_a_row_goes_to_the_nearest_prototype(causal_folder, state_of):
    template = find_template("sentiment_zero_shot")
    strategy = make_strategy(
        "features", template=template, model=str(causal_folder("gpt2")), options=OPTIONS
    ).fit(TRAIN)
    labels = template.task.labels
    means = [
        np.mean([state_of(row) for row in TRAIN if row.label == label], axis=0) for label in labels
    ]
    for row, found in zip(ROWS, strategy.predict(ROWS), strict=True):
        scores = np.array([-np.sum((state_of(row) - mean) ** 2) for mean in means])
        expected = scores - np.log(np.exp(scores).sum())
        assert found.log_p == pytest.approx(expected, abs=1e-4)
        assert found.label == labels[int(scores.argmax())]
