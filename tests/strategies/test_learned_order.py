"""An order that is learned by asking: which rows, how often, and that it is kept."""

import numpy as np
import pytest

from promptkit.backends.fake import FakeBackend
from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.orders import ORDERS
from promptkit.prompts import find_template
from promptkit.protocols import FitContext
from promptkit.selectors import SELECTORS
from promptkit.strategies.generate import Generate
from promptkit.strategies.in_context import InContext
from promptkit.strategies.learned_order import PROBES
from promptkit.types import Example
from promptkit.verbalizers import VERBALIZERS

LABELS = ("negative", "neutral", "positive")
TRAIN = [Example(f"t{i}", {"text": f"training text {i}"}, LABELS[i % 3]) for i in range(40)]
ROWS = [Example(f"r{i}", {"text": f"some text {i}"}) for i in range(5)]


def strategy(order="global_entropy", shots=3, selector="fixed", template="sentiment_zero_shot"):
    return InContext(
        find_template(template),
        FakeBackend(),
        SELECTORS.build(selector, {}),
        VERBALIZERS.build("words", {}),
        shots,
        order=ORDERS.build(order, {}),
    )


@pytest.mark.parametrize("name", ["global_entropy", "local_entropy"])
def test_each_order_is_tried_on_the_same_rows_and_the_best_is_shown_to_all(name):
    asked = strategy(name).fit(TRAIN)
    assert asked.cost.rows == 6 * PROBES  # 3! orders
    kept = asked.order.learned()
    assert {evidence.shots for evidence in asked.gather(ROWS)} == {kept}
    entropies = {}
    for ids in [kept, *(tuple(kept[i] for i in p) for p in [(1, 0, 2), (2, 1, 0), (0, 2, 1)])]:
        asked.order.take(ids)
        shown = {row.id: row for row in TRAIN}
        rest = [row for row in TRAIN if row.id not in kept]
        from promptkit.strategies.calibrated import drawn

        probes = drawn(rest, PROBES)
        prompts = [asked.template.prompt(row, [shown[name] for name in ids]) for row in probes]
        pooled = np.array(asked._pooled_prompts(probes, prompts))
        p = np.exp(pooled - pooled.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        if name == "local_entropy":
            entropies[ids] = -(p * np.log(p)).sum(axis=1).mean()
        else:
            share = np.bincount(p.argmax(axis=1), minlength=3) / len(p)
            entropies[ids] = -sum(x * np.log(x) for x in share if x)
    assert max(entropies.values()) == pytest.approx(entropies[kept])


def test_labels_of_training_rows_change_nothing_but_what_is_shown():
    order = strategy().fit(TRAIN).order.learned()
    shown = set(order)
    turned = [
        row if row.id in shown else Example(row.id, row.fields, LABELS[(i + 1) % 3])
        for i, row in enumerate(TRAIN)
    ]
    ids = {"ids": sorted(shown)}
    mine, other = (strategy(), strategy())
    for one, rows in ((mine, TRAIN), (other, turned)):
        one.selector = one._rows.selector = SELECTORS.build("fixed", ids)
        one.fit(rows)
    assert mine.order.learned() == other.order.learned()


def test_it_is_kept_by_a_fit_that_goes_on_and_by_a_saved_strategy(tmp_path):
    (tmp_path / "fit").mkdir()
    first = strategy().fit(TRAIN, FitContext(tmp_path / "fit"))
    again = strategy().fit(TRAIN, FitContext(tmp_path / "fit"))
    assert again.cost.rows == 0
    assert again.order.learned() == first.order.learned()
    first.save(tmp_path)
    restored = strategy().restore(tmp_path)
    assert restored.cost.rows == 0
    assert restored.predict(ROWS) == first.predict(ROWS)


def test_selectors_that_show_each_row_others_are_refused():
    with pytest.raises(SpecError, match="use --selector fixed, k_centre, vote_k or searched"):
        strategy(selector="balanced").fit(TRAIN)


def test_without_other_rows_to_ask_about_it_says_so():
    with pytest.raises(DataError, match="an order of 3 demonstrations is learned by asking"):
        strategy().fit(TRAIN[:3])


def test_texts_and_choices_have_no_order_that_is_learned():
    with pytest.raises(CapabilityError, match="brings its own choices; use --order random"):
        strategy(template="multiple_choice")
    with pytest.raises(CapabilityError, match="'generate' has none; use --order random"):
        Generate(
            find_template("word_problems"),
            FakeBackend(),
            SELECTORS.build("fixed", {}),
            3,
            order=ORDERS.build("local_entropy", {}),
        )
