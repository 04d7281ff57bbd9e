"""Saved models by HTTP: what they learned, when they abstain, and what is refused."""

import numpy as np
import pytest

from promptkit.errors import CapabilityError, PromptkitError
from promptkit.runs.predictor import predictor_of
from promptkit.runs.tune import tune
from promptkit.serving.answers import Answers
from promptkit.serving.served import load
from promptkit.types import Example
from tests.serving.site import asked, running, site

SAID = {"positive": ("great", "lovely"), "negative": ("awful", "bad")}


def write(path, rng, n):
    """Rows of which half say a word that tells, the others one that does not."""
    lines = ["body,label"]
    for i in range(n):
        label = ("positive", "negative")[int(rng.integers(2))]
        word = SAID[label][0] if rng.random() < 0.5 else SAID[("positive", "negative")[i % 2]][1]
        lines.append(f"{word} {path.stem} {i},{label}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("saved"), np.random.default_rng(0)
    for name, n in (("learned", 200), ("labelled", 300)):
        write(folder / f"{name}.csv", rng, n)
    rows = asked(strategy="tfidf", data=str(folder / "learned.csv"), text_field="body")
    tune(rows, folder / "model")
    return folder


@running
async def test_it_answers_as_promptkit_predict_does(folder):
    strategy = predictor_of(asked(model=str(folder / "model"))).strategy
    async with site(asked(model=str(folder / "model"))) as served:
        for text in ("great", "awful thing", "nothing known"):
            (expected,) = strategy.predict([Example("x", {"text": text})])
            answer = (await served.predict({"row": {"body": text}})).json()["answer"]
            assert answer["label"] == expected.label
            assert list(answer["probabilities"].values()) == pytest.approx(np.exp(expected.log_p))
        card = (await served.get("/")).json()
        assert (card["model"], card["strategy"]) == ("model", "tfidf")
        assert card["columns"] == {"text": "body"}
        assert card["hash"] == (await served.predict({"row": "a"})).json()["model"]


@running
async def test_it_abstains_where_it_is_not_sure_and_says_by_which_line(folder):
    chosen = {"train_data": str(folder / "labelled.csv"), "abstain": "0.9 accuracy"}
    model = asked(model=str(folder / "model"), conformal="0.9", **chosen)
    async with site(model) as served:
        rows = ["great", "lovely bad", ""]
        sure, unsure, empty = (await served.predict({"rows": rows})).json()["answers"]
        assert (sure["abstained"], unsure["abstained"]) == (False, True)
        assert unsure["label"] is not None  # what it would say, for whoever looks the row over
        line = sure["threshold"]
        assert max(sure["probabilities"].values()) > line >= max(unsure["probabilities"].values())
        assert sure["label_set"] == [sure["label"]]
        assert (empty["abstained"], empty["label_set"]) == (True, None)
        card = (await served.get("/")).json()
        assert card["abstains"]["above"] == line
        assert card["label_sets"]["level"] == 0.9
        assert "note message=" in "".join(served.lines)  # rows must be none that it learned from
        metrics = (await served.get("/metrics")).text
        assert 'promptkit_rows_total{outcome="abstained"} 1.0' in metrics


@running
async def test_a_threshold_that_answers_every_row_is_told_in_json(folder):
    chosen = {"train_data": str(folder / "labelled.csv"), "abstain": "0.99 coverage"}
    async with site(asked(model=str(folder / "model"), **chosen)) as served:
        answer = await served.predict({"row": "great"})
        assert answer.status_code == 200
        assert (await served.get("/")).status_code == 200
        assert (await served.get("/openapi.json")).status_code == 200


@running
async def test_labels_of_other_names_are_chosen_on_by_what_they_stand_for(folder, tmp_path):
    renamed = tmp_path / "renamed.csv"
    stars = {"positive": "5", "negative": "1"}
    header, *lines = (folder / "labelled.csv").read_text().splitlines()
    told = (line.rpartition(",") for line in lines)
    renamed.write_text("\n".join([header, *(f"{a},{stars[b]}" for a, _, b in told)]) + "\n")
    model = {"model": str(folder / "model"), "abstain": "0.9 accuracy"}
    with pytest.raises(PromptkitError):
        load(asked(**model, train_data=str(renamed)))
    meant = {"5": "positive", "1": "negative"}
    async with (
        site(asked(**model, train_data=str(folder / "labelled.csv"))) as plain,
        site(asked(**model, train_data=str(renamed), label_map=meant)) as mapped,
    ):
        lines = [(await one.get("/")).json()["abstains"] for one in (plain, mapped)]
    assert lines[0] == lines[1]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"template": "sentiment_zero_shot"}, "leave out --template"),
        ({"abstain": "0.9 accuracy"}, "--train-data"),
        ({"strategy": "full"}, "--strategy"),
        ({"fields": {"txt": "body"}}, "no such field"),
    ],
)
def test_options_that_do_not_go_with_it_are_refused(folder, options, why):
    with pytest.raises(PromptkitError, match=why):
        load(asked(model=str(folder / "model"), **options))


def test_what_learns_from_the_rows_that_are_asked_together_is_not_served(tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text(
        "text,label\n" + "".join(f"a {i},{'positive'}\nb {i},negative\n" for i in range(4))
    )
    options = {"calibration": "batch", "calibration_rows": "evaluated", "backend": "fake"}
    rule = {"strategy": "in_context", "template": "sentiment_binary_zero_shot"}
    tune(asked(data=str(rows), strategy_options=options, **rule), tmp_path / "model")
    with pytest.raises(CapabilityError, match="rows that are predicted together"):
        load(asked(model=str(tmp_path / "model")))


def test_an_answer_holds_no_number_that_json_has_no_word_for(folder):
    served = load(asked(model=str(folder / "model")))
    row = served.reader.read("great")
    (found,) = served.predictor.strategy.predict([row.example])
    assert isinstance(served.answers, Answers)
    from dataclasses import replace

    odd = served.answers.of(row, replace(found, log_p=(float("-inf"), 0.0)), "")
    assert list(odd["probabilities"].values()) == [0.0, 1.0]
    broken = served.answers.of(row, replace(found, log_p=(float("nan"), 0.0)), "")
    assert list(broken["probabilities"].values()) == [None, 1.0]
