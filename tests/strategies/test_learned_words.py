"""Words that are refined by asking about rows without labels, and what becomes of predictions."""

import numpy as np
import pytest

from promptkit.backends.asking import evidence_of
from promptkit.backends.fake import FakeBackend
from promptkit.calibration import CALIBRATORS
from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.prompts import find_template
from promptkit.prompts.written import template_from
from promptkit.protocols import FitContext
from promptkit.selectors import SELECTORS
from promptkit.strategies.calibrated import Calibration
from promptkit.strategies.in_context import InContext
from promptkit.types import Example, flat
from promptkit.verbalizers import VERBALIZERS

TEMPLATE = template_from(
    """\
name: words
description: Two labels, the second with a word that is said of everything.
task: {fields: [text]}
query: "{{ text }} It was"
labels: {bad: {words: [bad, awful]}, good: {words: [good, usual]}}
""",
    "words",
)
#: By the kind of row: bad, awful, good, usual.
SAID = {"dark": (0.30, 0.20, 0.05, 0.45), "light": (0.05, 0.10, 0.40, 0.45)}
TRAIN = [Example(f"t{n}", {"text": f"{('dark', 'light')[n % 2]} {n}"}, None) for n in range(20)]
ROWS = [Example(f"r{n}", {"text": f"{('dark', 'light')[n % 2]} row {n}"}) for n in range(4)]


class Saying(FakeBackend):
    """Says words with the probabilities above."""

    def score(self, prompts, candidates):
        self._meter.add(rows=len(prompts))
        return [
            evidence_of(
                prompt,
                log_p=tuple(np.log(SAID[flat(prompt.query).split()[0]])),
                n_tokens=(1,) * len(own),
                kind="said",
            )
            for prompt, own in zip(prompts, candidates, strict=True)
        ]


def strategy(verbalizer="refined", template=TEMPLATE, backend=None, calibration=None, **options):
    return InContext(
        template,
        backend or Saying(),
        SELECTORS.build("none", {}),
        VERBALIZERS.build(verbalizer, options),
        calibration=calibration,
    )


def test_a_word_that_is_said_of_everything_decides_no_longer():
    # summed, 'usual' makes everything good: 0.50 to 0.50 on dark rows, and first by the order
    plain = strategy("words", pool_by="max").fit(TRAIN).predict(ROWS)
    assert [one.label for one in plain] == ["good"] * 4
    found = strategy(quantile=0.0).fit(TRAIN).predict(ROWS)
    assert [one.label for one in found] == ["bad", "good", "bad", "good"]


def test_weights_and_priors_by_hand():
    asked = strategy(quantile=0.0).fit(TRAIN)
    found = asked.verbalizer.refined()
    p = np.array(list(SAID.values()))
    assert np.exp(found["log_prior"]) == pytest.approx(p.mean(axis=0))
    unit = p / np.linalg.norm(p, axis=0)
    alike = unit.T @ unit[:, [0, 2]]
    relevance = np.array([alike[c, own] / alike[c, 1 - own] for c, own in enumerate((0, 0, 1, 1))])
    shares = relevance / np.repeat([relevance[:2].sum(), relevance[2:].sum()], 2)
    assert found["weights"] == pytest.approx(shares)
    dark = shares * (np.log(SAID["dark"]) - np.log(p.mean(axis=0)))
    log_p = np.array([dark[:2].sum(), dark[2:].sum()])
    log_p -= np.logaddexp.reduce(log_p)
    assert asked.predict(ROWS)[0].log_p == pytest.approx(log_p)


def test_it_is_concluded_from_stored_evidence_and_kept(tmp_path):
    (tmp_path / "fit").mkdir()
    first = strategy().fit(TRAIN, FitContext(tmp_path / "fit"))
    evidence = first.gather(ROWS)
    assert strategy().conclude(ROWS, evidence) == first.predict(ROWS)
    again = strategy().fit(TRAIN, FitContext(tmp_path / "fit"))
    assert again.cost.rows == 0
    first.save(tmp_path)
    assert strategy().restore(tmp_path).predict(ROWS) == again.predict(ROWS) == first.predict(ROWS)
    # the next fit learns anew
    assert len(first.fit(TRAIN[::2]).verbalizer.refined()["log_prior"]) == 4


def test_labels_are_not_read():
    labelled = [Example(row.id, row.fields, "good") for row in TRAIN]
    assert strategy().fit(labelled).predict(ROWS) == strategy().fit(TRAIN).predict(ROWS)


def test_a_calibration_comes_after_it():
    calibration = Calibration("batch", CALIBRATORS.build("batch", {}), {}, "train")
    asked = strategy(calibration=calibration, quantile=0.0).fit(TRAIN)
    bare = strategy(quantile=0.0).fit(TRAIN)
    refined = np.array([one.log_p for one in bare.predict(ROWS)])
    found = np.array([one.log_p for one in asked.predict(ROWS)])
    assert not np.allclose(found, refined)
    # what batch calibration takes off is the mean over the rows that it learned from
    gaps = (found[:, 0] - found[:, 1]) - (refined[:, 0] - refined[:, 1])
    assert np.ptp(gaps) == pytest.approx(0, abs=1e-9)
    assert strategy(calibration=calibration).conclude(ROWS, asked.gather(ROWS)) == asked.predict(
        ROWS
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: strategy().fit([]), "has 0; give more with --train-data"),
        (lambda: strategy(template=find_template("sentiment_zero_shot"), backend=FakeBackend())
         .fit(TRAIN), "each label here is said by one"),
        (lambda: strategy(template=find_template("multiple_choice")), "use --verbalizer words"),
        (lambda: strategy(quantile=1), "from 0 to below 1"),
        (lambda: strategy(calibration=Calibration("batch", CALIBRATORS.build("batch", {}), {},
                                                  "evaluated")).fit(TRAIN),
         "words are refined beforehand"),
    ],
)  # fmt: skip
def test_what_cannot_be(make, said):
    with pytest.raises((CapabilityError, DataError, SpecError), match=said):
        make()
