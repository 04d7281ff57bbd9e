"""A masked language model is tuned on the very scores by which it is asked."""

import pytest
import torch

from promptkit.backends.hf import HFBackend
from promptkit.backends.meter import Meter
from promptkit.backends.weights import locate
from promptkit.errors import CapabilityError
from promptkit.prompts import find_template
from promptkit.protocols import FitContext
from promptkit.strategies.cloze_tuning import ClozeTuning, _Clozes, collated
from promptkit.strategies.language_tuning import LanguageOptions
from promptkit.strategies.preference import first_words
from promptkit.strategies.prompt_based import PromptBased
from promptkit.types import Example
from tests.strategies.tuned import family

TEMPLATE = find_template("sentiment_cloze").with_labels(["negative", "positive"])
WORDS = {"negative": ("broken", "late"), "positive": ("lovely", "quick")}


def rows(n):
    labels = TEMPLATE.task.labels
    return [
        Example(
            f"r{i}",
            {"text": f"The waiter was {WORDS[labels[i % 2]][i // 2 % 2]}" + " indeed" * (i % 3)},
            labels[i % 2],
        )
        for i in range(n)
    ]


@pytest.mark.parametrize("name", ["bert", "roberta", "modernbert"])
def test_the_loss_is_that_of_the_scores(name):
    train = rows(5)
    tuning = ClozeTuning(locate(family(name)), LanguageOptions(), Meter())
    scorer = tuning._scorer
    words = [first_words(TEMPLATE.candidates(row, "text")) for row in train]
    seen = [scorer.seen(TEMPLATE.prompt(row)) for row in train]
    requests = scorer.requests(seen, words)
    batch = [{"request": r, "place": i % 2} for i, r in enumerate(requests)]
    with torch.no_grad():
        loss = _Clozes.compute_loss(None, tuning.model.eval(), collated(batch, scorer._pad))
    backend = HFBackend(family(name))
    scores = torch.tensor(
        [one.log_p for one in backend.score([TEMPLATE.prompt(row) for row in train], words)]
    )
    wanted = torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1, 0, 1, 0]))
    assert float(loss) == pytest.approx(float(wanted), abs=1e-4)


@pytest.mark.parametrize("name", ["bert", "roberta", "modernbert"])
def test_it_learns_and_is_taken_up_again(name, tmp_path):
    losses = []
    one = PromptBased(
        TEMPLATE, model=family(name), epochs=40, learning_rate=6e-3, precision="float32", seed=2
    ).fit(rows(16), FitContext(on_step=lambda step: losses.append(step.loss)))
    seen = [loss for loss in losses if loss is not None]
    assert sum(seen[-3:]) < 0.7 * sum(seen[:3])
    right = [p.label == r.label for p, r in zip(one.predict(rows(16)), rows(16), strict=True)]
    assert sum(right) >= 14
    one.save(tmp_path)
    again = PromptBased(TEMPLATE, model=family("bert")).restore(tmp_path)
    assert again.predict(rows(6)) == one.predict(rows(6))
    assert locate(str(tmp_path / "model")).kind() == "masked"


def test_what_cannot_be_is_refused():
    with pytest.raises(CapabilityError, match="use --strategy instruct"):
        PromptBased(TEMPLATE, model=family("llama")).fit(rows(4))
    with pytest.raises(CapabilityError, match="no cloze"):
        PromptBased(find_template("sentiment_zero_shot"), model=family("bert")).fit(rows(4))
    with pytest.raises(CapabilityError, match="no labels that all rows share"):
        PromptBased(find_template("multiple_choice"), model=family("bert"))
    with pytest.raises(CapabilityError, match="tuned as a whole"):
        PromptBased(TEMPLATE, model=family("bert"), way="lora").fit(rows(4))
