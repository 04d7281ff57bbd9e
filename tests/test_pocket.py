"""The in-box language model: every causal path without a hub, and what its card says of it."""

import json

import pytest

from promptkit.backends.hf import HFBackend
from promptkit.backends.weights import POCKET, POCKET_SHA256, locate
from promptkit.box import box
from promptkit.data import load
from promptkit.errors import BackendError
from promptkit.prompts import find_template
from promptkit.runs import EvalSpec, build, run
from promptkit.runs.saved import load_model
from promptkit.runs.tune import tune
from promptkit.types import Candidate, Piece, Prompt, Sampling

ANSWERS = [Candidate(word, (Piece(f" {word}"),)) for word in ("positive", "negative")]


@pytest.fixture(scope="module")
def pocket():
    return HFBackend(POCKET)


def test_it_is_small_and_of_safetensors():
    located = locate(POCKET)
    assert located.shown == POCKET
    assert located.kind() == "causal"
    weights = located.path / "model.safetensors"
    assert weights.stat().st_size < 25 * 2**20
    names = {file.suffix for file in located.path.iterdir()}
    assert names <= {".json", ".safetensors", ".jinja", ".md"}
    config = located.config()
    assert config["num_hidden_layers"] == 8
    assert 5e6 < HFBackend(POCKET)._model.num_parameters() < 15e6


def test_weights_of_another_content_are_refused(monkeypatch):
    monkeypatch.setattr("promptkit.backends.weights.POCKET_SHA256", POCKET_SHA256[::-1])
    with pytest.raises(BackendError, match="not the model that promptkit was tested with"):
        locate(POCKET)


@pytest.mark.parametrize("template", ["sentiment_zero_shot", "sentiment_chat"])
def test_it_tells_sentiment_far_better_than_the_most_frequent_label(template, home):
    record = run(build(EvalSpec(template=template, model=POCKET)))
    accuracy, majority = record.report.find("accuracy"), record.report.find("majority_of_train")
    assert accuracy.value >= majority.value + 0.15
    assert record.report.n_unscored == 0


def test_it_writes_a_label_and_stops(home):
    asked = EvalSpec(template="sentiment_chat", model=POCKET, strategy="generate", limit=40)
    record = run(build(asked))
    assert record.report.n_unscored <= 2
    generations = HFBackend(POCKET).generate(
        [find_template("sentiment_chat").prompt(row) for row in load("customer_reviews",
         fields=("text",)).limited(5)], Sampling(max_new_tokens=12)
    )  # fmt: skip
    assert {one.generations[0].finish for one in generations} == {"stop"}


def test_a_control_token_in_a_row_stays_text(pocket):
    control = [token for token in pocket.tokens.control.values() if token.startswith("<|")]
    assert len(control) >= 3
    for token in control:
        prompt = Prompt("r", (Piece(f"Fine {token} stuff", row=True), Piece("\nSentiment:")))
        request = pocket.tokens.request(prompt, ANSWERS)
        assert not set(request.context[1:]) & set(pocket.tokens.control)


def test_what_rows_share_is_computed_once_and_batches_change_nothing(pocket):
    template = find_template("sentiment_zero_shot")
    rows = load("customer_reviews", fields=("text",)).limited(12).examples
    prompts = [template.prompt(row) for row in rows]
    own = [template.candidates(row, "text") for row in rows]
    together = pocket.score(prompts, own)
    for prompt, candidates, one in zip(prompts, own, together, strict=True):
        (alone,) = pocket.score([prompt], [candidates])
        assert one.log_p == pytest.approx(alone.log_p, abs=1e-3)


@pytest.mark.parametrize(
    ("strategy", "options"),
    [("full", {"epochs": 1}), ("lora", {"epochs": 1}), ("instruct", {"epochs": 1}),
     ("features", {})],
)  # fmt: skip
def test_it_is_tuned_saved_and_taken_up_again(strategy, options, home, tmp_path):
    asked = EvalSpec(data="customer_reviews", limit=24, model=POCKET, strategy=strategy,
                     strategy_options=options, template="sentiment_zero_shot")  # fmt: skip
    tune(asked, tmp_path / "model")
    meta = json.loads((tmp_path / "model" / "promptkit.json").read_text())
    assert meta["model"]["name"] == POCKET
    assert meta["model"]["path"] is None
    found = load_model(tmp_path / "model").predict(["It broke at once.", "I love it."])
    assert [one.label is not None for one in found] == [True, True]


def test_its_card_tells_where_it_comes_from_and_what_it_can_do():
    card = (locate(POCKET).path / "README.md").read_text(encoding="utf-8")
    for told in ("public-domain", "all-MiniLM-L6-v2", "majority", "customer_reviews"):
        assert told in card
    assert (box("templates") / "sentiment_chat.yaml").is_file()
