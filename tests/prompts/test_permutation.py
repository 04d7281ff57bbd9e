"""Labels and choices listed in other orders."""

import pytest

from promptkit.errors import SpecError
from promptkit.prompts import find_template
from promptkit.prompts.permutation import listed
from promptkit.types import Example, flat

ROW = Example("r", {"question": "Which is wet?", "choices": ["sand", "rain", "salt"]}, "rain")


def test_zero_is_as_written_and_a_number_is_always_the_same_order():
    assert listed(4, 0) == (0, 1, 2, 3)
    assert listed(4, 7) == listed(4, 7)
    assert sorted(listed(4, 7)) == [0, 1, 2, 3]


@pytest.mark.parametrize("start", [1, 5, 9])
def test_as_many_orders_in_a_row_as_labels_put_each_in_each_place_once(start):
    orders = [listed(4, number) for number in range(start, start + 4)]
    for place in range(4):
        assert sorted(order[place] for order in orders) == [0, 1, 2, 3]


def test_after_a_round_another_draw_begins_and_rows_have_their_own():
    assert len({listed(5, number) for number in range(1, 40)}) > 25
    assert len({listed(5, 1, f"row {number}") for number in range(40)}) > 30


def test_words_are_listed_in_another_order_and_labels_stay_in_theirs():
    template = find_template("news_topic_zero_shot")
    turned, row = template.permuted(2), Example("a", {"text": "x"})
    words = ["world", "sports", "business", "technology"]
    told = ", ".join(words[place] for place in listed(4, 2))
    assert f"Sections: {told}" in flat(turned.prompt(row).instruction)
    assert told != ", ".join(words)
    assert turned.task.labels == template.task.labels
    assert turned.candidates(row, "text") == template.candidates(row, "text")
    assert turned.hash() != template.hash()
    assert turned.with_labels(template.task.labels[:3]).permutation == 2


def test_choices_and_their_letters_move_together_and_keep_their_labels():
    template = find_template("multiple_choice_letters").permuted(1)
    order = listed(3, 1, "r")
    query = flat(template.prompt(ROW).query)
    for place, choice in enumerate(order):
        assert f"{'ABC'[place]}. {ROW.fields['choices'][choice]}" in query
    letters = [flat(c.text).strip() for c in template.candidates(ROW, "text")]
    assert letters == ["ABC"[order.index(label)] for label in range(3)]
    assert template.target(ROW) == 1


def test_a_demonstration_shows_its_own_order_and_the_letter_that_is_right_there():
    template = find_template("multiple_choice_letters").permuted(1)
    shot = template.prompt(Example("q", ROW.fields), [ROW]).shots[0]
    assert f"{flat(shot.answer).strip()}. rain" in flat(shot.query)


def test_a_template_that_lists_no_labels_says_so():
    template = find_template("sentiment_zero_shot")
    assert template.permuted(0).permutation == 0
    with pytest.raises(SpecError, match="lists no labels in its prompts"):
        template.permuted(1)
