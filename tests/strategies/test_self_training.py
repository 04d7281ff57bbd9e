"""A strategy that labels rows for itself: which rows, how often, and what is told of it."""

import numpy as np
import pytest

from promptkit.backends.meter import Meter
from promptkit.errors import SpecError
from promptkit.protocols import FitContext
from promptkit.strategies import STRATEGIES
from promptkit.strategies.classified import Classified, evidence_of, targets_of
from promptkit.strategies.self_training import SelfTraining, distinct
from promptkit.types import Example
from tests.strategies.tuned import LABELS, READING, family, rows

FITS: list[list[tuple[str, object]]] = []


class Knower(Classified):
    """Knows the right label of a text; how sure it is grows with the rows that it learned."""

    def __init__(self, labels, reading, *, sure=0.7, seed=0):
        self.labels, self.reading, self.sure, self.seed = labels, reading, sure, seed
        self._meter = Meter()

    def fit(self, train, context=None):
        targets_of(train, self.labels)
        FITS.append([(row.id, row.label) for row in train])
        self.n_ = len(train)
        return self

    def gather(self, examples):
        good = np.array([any(w in row.fields["text"] for w in ("lovely", "quick", "kind"))
                         for row in examples], bool)  # fmt: skip
        p = np.full(len(examples), min(0.99, self.sure + self.n_ / 1000))
        log_p = np.log(np.where(good[:, None], np.stack([1 - p, p], 1), np.stack([p, 1 - p], 1)))
        return evidence_of(examples, log_p, "knower")

    def describe(self):
        return {"name": "knower", "sure": self.sure}

    def save(self, folder):
        (folder / "n.json").write_text(str(self.n_))

    def restore(self, folder):
        self.n_ = int((folder / "n.json").read_text())
        return self


@pytest.fixture(autouse=True)
def knower(monkeypatch):
    monkeypatch.setitem(STRATEGIES._targets, "knower", "tests.strategies.test_self_training:Knower")
    FITS.clear()


def unlabelled(n, start=100):
    return [Example(row.id, row.fields) for row in rows(n, start=start)]


def texts(n):
    return [Example(f"u{i}", {"text": f"so {'kind' if i % 2 else 'rude'} {i}"}) for i in range(n)]


def built(**options):
    given = {"of": "knower", "unlabelled": texts(40), "threshold": 0.6, "rounds": 1}
    return SelfTraining(LABELS, READING, **{**given, **options})


def test_it_is_fitted_on_labelled_rows_and_then_on_those_that_it_labelled():
    strategy = built().fit(rows(4))
    assert [len(fit) for fit in FITS] == [4, 4 + 16]
    own = dict(FITS[-1][4:])
    assert set(own.values()) == {"bad", "good"}
    assert all(label == ("good" if int(name[12:]) % 2 else "bad") for name, label in own.items())
    assert strategy.rounds_ == [16]


def test_no_label_is_given_more_rows_than_a_multiple_of_its_own():
    uneven = [*rows(6, ("bad",)), Example("g", {"text": "lovely"}, "good")]
    built(per_labelled=2, threshold=0.5).fit(uneven)
    given = [label for _, label in FITS[-1][7:]]
    assert (given.count("bad"), given.count("good")) == (12, 2)


def test_rounds_label_anew_and_end_where_nothing_changes():
    strategy = built(rounds=5).fit(rows(4))
    assert strategy.rounds_ == [16], "the same rows again would be the same fit"


def test_nothing_is_learned_where_no_row_is_sure_enough():
    strategy = built(threshold=0.995).fit(rows(4))
    assert (strategy.rounds_, strategy.pseudo_labelled_, len(FITS)) == ([], 0, 1)
    assert strategy.predict(rows(1))[0].kind == "knower, 0 pseudo-labelled rows"


def test_it_tells_how_many_rows_were_labelled(tmp_path):
    strategy = built().fit(rows(4))
    assert strategy.predict(rows(2))[0].kind == "knower, 16 pseudo-labelled rows"
    assert strategy.card_facts()["pseudo-labelled rows"] == "16"
    assert strategy.chosen_ == "16 pseudo-labelled rows"
    strategy.save(tmp_path)
    again = built(unlabelled=()).restore(tmp_path)
    assert again.predict(rows(3)) == strategy.predict(rows(3))


def test_how_sure_it_may_be_comes_from_rows_that_were_held_out():
    # held-out rows that are all right make 0.7 nearly certain; where half are wrong, a half
    different = [Example(f"t{i}", {"text": f"{'kind' if i % 2 else 'rude'} indeed {i}"},
                         LABELS[i % 2]) for i in range(20)]  # fmt: skip
    assert built(threshold=0.9).fit(different).rounds_ == [40]
    wrong = [Example(row.id, row.fields, LABELS[i % 4 < 2]) for i, row in enumerate(different)]
    assert built(threshold=0.6).fit(wrong).rounds_ == []


def test_copies_of_labelled_rows_and_of_each_other_are_left_out():
    train = rows(2)
    copies = [Example("c", {"text": train[0].fields["text"].upper()}), *texts(2), *texts(2)]
    assert [row.id for row in distinct(copies, train)] == ["u0", "u1"]


def test_the_order_of_the_rows_changes_nothing():
    built(per_labelled=1).fit(rows(4))
    built(per_labelled=1, unlabelled=texts(40)[::-1]).fit(rows(4))
    assert FITS[1] == FITS[3]
    assert built().describe() == built(unlabelled=texts(40)[::-1]).describe()


def test_its_description_names_the_strategy_and_the_content_of_the_rows():
    one = built(of_options={"sure": 0.8}).describe()
    assert one["of"] == {"name": "knower", "sure": 0.8}
    assert one["unlabelled"] != built(unlabelled=texts(39)).describe()["unlabelled"]


def test_no_label_of_the_rows_is_read():
    labelled = [Example(row.id, row.fields, "bad") for row in texts(40)]
    built(unlabelled=labelled).fit(rows(4))
    assert {label for _, label in FITS[-1][4:]} == {"bad", "good"}


def test_a_tuned_model_trains_itself_and_goes_on_after_a_kill(tmp_path):
    options = {"epochs": 2, "learning_rate": 0.01, "precision": "float32"}
    own = {"of": "full", "of_options": options, "model": family("bert"), "threshold": 0.5,
           "unlabelled": texts(12)}  # fmt: skip
    whole = built(**own).fit(rows(8)).predict(rows(6))
    steps = []

    def on_step(step):
        steps.append(step)
        if len(steps) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        built(**own).fit(rows(8), FitContext(tmp_path, on_step))
    taken_up = built(**own).fit(rows(8), FitContext(tmp_path))
    assert taken_up.rounds_[0] > 0
    for one, other in zip(whole, taken_up.predict(rows(6)), strict=True):
        assert one.log_p == other.log_p


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"of": "featurs"}, "did you mean 'features'"),
        ({"of": "self_training"}, "option 'of' is 'self_training'"),
        ({"of": "in_context"}, "learns no fixed set of labels"),
        ({"of_options": {"shure": 1}}, "did you mean 'sure'"),
        ({"of_options": {"seed": 1}}, "'seed' is said to self_training itself"),
        ({"unlabelled": ()}, "name their file with --option unlabelled=FILE"),
        ({"threshold": 1.0}, "'threshold' is 1.0; it must be from 0 to below 1"),
        ({"rounds": 0}, "'rounds' is 0"),
        ({"per_labelled": 0.5}, "'per_labelled' is 0.5"),
        ({"unlabelled": "rows.csv"}, "option 'unlabelled' is 'rows.csv'; give rows here"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, said):
    with pytest.raises(SpecError, match=said):
        built(**options).fit(rows(4))
