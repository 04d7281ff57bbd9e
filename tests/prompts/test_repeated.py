"""A template that renders once says what it says otherwise."""

from promptkit.prompts import find_template
from promptkit.prompts.repeated import RepeatedTemplate
from promptkit.types import Example

ROWS = [Example(str(i), {"text": f"text {i}"}, ("positive", "negative")[i % 2]) for i in range(4)]


def test_prompts_are_the_same_and_rendered_once():
    plain = find_template("sentiment_few_shot").with_labels(("negative", "positive"))
    made = RepeatedTemplate.of(plain)
    query = Example("q", {"text": "a question"})
    assert made.task == plain.task
    assert made.hash() == plain.hash()
    for shots in ([], ROWS[:2], ROWS[2:], ROWS[1::-1]):
        assert made.prompt(query, shots) == plain.prompt(query, shots)
        assert made.prompt(query, shots) is made.prompt(query, shots)


def test_another_row_with_the_same_id_is_rendered_anew():
    made = RepeatedTemplate.of(find_template("sentiment_zero_shot"))
    one, other = Example("q", {"text": "one"}), Example("q", {"text": "other"})
    shots = [Example("s", {"text": text}, "positive") for text in ("early", "late")]
    assert made.prompt(one, shots[:1]) != made.prompt(other, shots[:1])
    assert made.prompt(one, shots[:1]) != made.prompt(one, shots[1:])
