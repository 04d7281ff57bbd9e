"""Demonstrations that are searched by asking: by what they are judged, and that they are kept."""

import numpy as np
import pytest

from promptkit.backends.asking import evidence_of
from promptkit.backends.fake import FakeBackend
from promptkit.errors import CapabilityError
from promptkit.orders import ORDERS
from promptkit.prompts import find_template
from promptkit.protocols import FitContext
from promptkit.selectors import SELECTORS
from promptkit.strategies.generate import Generate
from promptkit.strategies.in_context import InContext
from promptkit.strategies.learned_shots import mean_log_p
from promptkit.types import Example, flat
from promptkit.verbalizers import VERBALIZERS

LABELS = ("negative", "neutral", "positive")
TRAIN = [
    Example(f"t{n:02}", {"text": f"text {n} {LABELS[n % 3]}"}, LABELS[n % 3]) for n in range(30)
]
ROWS = [Example(f"r{n}", {"text": f"some {LABELS[n % 3]} text"}) for n in range(6)]


class Taught(FakeBackend):
    """Reads a row's label out of its text if it is shown t07, and guesses otherwise."""

    def score(self, prompts, candidates):
        found = []
        for prompt, own in zip(prompts, candidates, strict=True):
            shown = any(shot.example_id == "t07" for shot in prompt.shots)
            text = flat(prompt.query)
            log_p = [
                np.log(0.8 if shown and flat(one.text).strip() in text else 0.1) for one in own
            ]
            found.append(evidence_of(prompt, log_p=tuple(log_p), n_tokens=(1, 1, 1), kind="taught"))
        self._meter.add(rows=len(prompts))
        return found


def strategy(backend=None, template="sentiment_zero_shot", order=None, **options):
    return InContext(
        find_template(template),
        backend or Taught(),
        SELECTORS.build("searched", {"budget": 40, "judges": 9, **options}),
        VERBALIZERS.build("words", {}),
        3,
        order=None if order is None else ORDERS.build(order, {}),
    )


def test_the_set_that_teaches_is_found_and_labels_are_right_with_it():
    asked = strategy().fit(TRAIN)
    assert "t07" in asked.selector.searched()
    assert asked.cost.rows <= 40 * 9
    assert [p.label for p in asked.predict(ROWS)] == [LABELS[n % 3] for n in range(6)]
    assert {e.shots for e in asked.gather(ROWS)} == {asked.selector.searched()}


def test_each_set_that_is_tried_is_told():
    steps = []
    strategy(budget=5).fit(TRAIN, FitContext(on_step=steps.append))
    assert [(one.done, one.total) for one in steps] == [(n, 5) for n in range(1, 6)]


def test_it_is_kept_by_a_fit_that_goes_on_and_by_a_saved_strategy(tmp_path):
    (tmp_path / "fit").mkdir()
    first = strategy().fit(TRAIN, FitContext(tmp_path / "fit"))
    again = strategy().fit(TRAIN, FitContext(tmp_path / "fit"))
    assert again.cost.rows == 0
    first.save(tmp_path)
    restored = strategy().restore(tmp_path)
    assert restored.selector.searched() == again.selector.searched() == first.selector.searched()
    assert restored.predict(ROWS) == first.predict(ROWS)


def test_an_order_is_learned_of_what_was_found():
    asked = strategy(order="global_entropy").fit(TRAIN)
    assert sorted(asked.order.learned()) == sorted(asked.selector.searched())


def test_worth_by_hand():
    sure, even = np.log([0.8, 0.2]), np.log([0.5, 0.5])
    assert mean_log_p([sure + 3, even], [0, 1]) == pytest.approx(np.log([0.8, 0.5]).mean())
    assert mean_log_p([sure, None], [1, 0]) == pytest.approx(np.log([0.2, 0.5]).mean())
    # a label that cannot be said costs much, and not everything
    assert mean_log_p([np.array([0.0, -np.inf])], [1]) == -20


def test_texts_and_choices_have_no_search():
    with pytest.raises(CapabilityError, match="brings its own choices; use --selector balanced"):
        strategy(template="multiple_choice")
    with pytest.raises(CapabilityError, match="'generate' has none; use --selector balanced"):
        Generate(find_template("word_problems"), FakeBackend(), SELECTORS.build("searched", {}), 3)
