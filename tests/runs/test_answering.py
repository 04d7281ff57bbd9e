"""A batch is answered as if it were the first: its digits do not hang on those before it."""

from promptkit.runs import EvalSpec
from promptkit.runs.answering import Answered, Answering, Digest
from promptkit.runs.answers import AnswerColumns
from promptkit.runs.predictor import predictor_of

SHORT = [{"text": text} for text in ("good", "bad food", "so so", "never again")]
#: The same texts beside longer ones, so that they are padded to another length.
MIXED = [*SHORT, {"text": "the room was quiet, and nobody answered my question about dinner " * 3}]


def answering():
    predictor = predictor_of(EvalSpec(template="sentiment_zero_shot"))
    labels = predictor.template.task.labels
    answers = AnswerColumns(labels, tuple(map(str, labels)), proba=True)
    return Answering(predictor, answers, {"text": "text"}, ".csv")


def test_what_was_answered_before_moves_no_digit():
    alone, later = answering(), answering()
    later.rows(SHORT, Answered())
    assert later.rows(MIXED, Answered()) == alone.rows(MIXED, Answered())


def test_a_digest_tells_rows_and_not_how_they_came():
    whole, parts, other = Digest(), Digest(), Digest()
    whole.add(MIXED)
    parts.add(MIXED[:2])
    parts.add(MIXED[2:])
    other.add(MIXED[::-1])
    assert whole.text() == parts.text() != other.text()
