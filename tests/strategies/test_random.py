"""A guess for every row."""

import numpy as np
import pytest

from promptkit.strategies.random import Random
from promptkit.strategies.reading import Reading
from promptkit.types import Example

LABELS = ("a", "b", "c", "d")
TRAIN = [Example(f"t{i}", {"text": "same"}, "abd"[i % 3]) for i in range(6)]
ROWS = [Example(f"r{i}", {"text": "same"}) for i in range(3000)]


def guesses(seed=0, rows=ROWS):
    return Random(LABELS, Reading(("text",)), seed=seed).fit(TRAIN).predict(rows)


def test_each_label_of_the_training_rows_is_guessed_about_as_often():
    found = [prediction.label for prediction in guesses()]
    assert set(found) == {"a", "b", "d"}
    for label in "abd":
        assert found.count(label) == pytest.approx(1000, abs=100)


def test_probabilities_are_uniform_but_for_a_millionth():
    for prediction in guesses(rows=ROWS[:5]):
        assert np.exp(prediction.log_p) == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=1e-6)
        assert not prediction.tied


def test_another_seed_makes_other_guesses_and_the_same_seed_the_same():
    one, same, other = ([p.label for p in guesses(seed)] for seed in (1, 1, 2))
    assert one == same
    alike = [a == b for a, b in zip(one, other, strict=True)]
    assert np.mean(alike) == pytest.approx(1 / 3, abs=0.05)


def test_the_guess_follows_the_id_and_not_the_place():
    assert guesses(rows=ROWS[::-1])[::-1] == guesses()
