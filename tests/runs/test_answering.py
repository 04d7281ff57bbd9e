"""A batch is answered as if it were the first: its digits do not hang on those before it."""

from promptkit.backends.afresh import may_know, note
from promptkit.runs import EvalSpec
from promptkit.runs.answering import Answered, Answering, Digest
from promptkit.runs.answers import AnswerColumns
from promptkit.runs.predictor import Predictor, predictor_of

ROWS = [{"text": text} for text in ("good", "bad food", "so so", "never again", "good", "")]


class Remembering:
    """Answers as another strategy does, and notes which texts a memory would give it."""

    def __init__(self, own):
        self.own, self.memory, self.known = own, {}, []

    def predict(self, examples):
        texts = [example.fields["text"] for example in examples]
        self.known.append([text for text in texts if may_know(self.memory, text)])
        note(self.memory, texts)
        return self.own.predict(examples)


def test_what_was_read_for_earlier_batches_is_not_looked_at():
    # a text that an encoder remembers leaves its batch, and moves the last digits of the others
    made = predictor_of(EvalSpec(template="sentiment_zero_shot", backend="fake"))
    strategy = Remembering(made.strategy)
    labels = made.template.task.labels
    answering = Answering(
        Predictor(strategy, made.template, {}, "key"),
        AnswerColumns(labels, tuple(map(str, labels)), proba=True), {"text": "text"}, ".csv",
    )  # fmt: skip
    done = Answered()
    first, again = answering.rows(ROWS, done), answering.rows(ROWS, done)
    assert first == again
    assert strategy.known == [[], []]
    assert done.problems == {"'text' is empty": 2}


def test_a_digest_tells_rows_and_not_how_they_came():
    whole, parts, other = Digest(), Digest(), Digest()
    whole.add(ROWS)
    parts.add(ROWS[:2])
    parts.add(ROWS[2:])
    other.add(ROWS[::-1])
    assert whole.text() == parts.text() != other.text()
