"""Models and layers are ranked in one pass, honestly: what cannot be told apart is not."""

import json

import numpy as np
import pytest

from promptkit.backends.hidden import HiddenStates
from promptkit.errors import BackendError, DataError, SpecError
from promptkit.report.choice import choice_csv, choice_html, choice_json, choice_markdown
from promptkit.runs import eval_spec
from promptkit.runs.choose import Candidates, ModelFacts, choose_for, decide, drawn
from promptkit.runs.choose.facts import card_of, distance, reads_both_sides
from promptkit.runs.choose.nouns import View
from promptkit.runs.choose.verify import LEADERS, chosen_to_verify, probe_accuracy
from promptkit.runs.search.outcome import accuracy
from promptkit.transferability import prepared, scored
from promptkit.transferability.separability import left_out
from promptkit.types import Piece
from tests.strategies.tuned import family


def asked(rows, **more):
    return eval_spec(None, {"data": str(rows), "strategy": "features", **more})


def choose_model(rows, models, **more):
    return choose_for(asked(rows), Candidates(tuple(models), **more))


@pytest.fixture
def rows(tmp_path):
    """Sixty rows of two labels that a word gives away."""
    file = tmp_path / "rows.jsonl"
    lines = [
        {"text": f"The {thing} was {word} at {hour}.", "label": label}
        for hour in range(5)
        for thing in ("soup", "bus", "film")
        for word, label in (("lovely", "good"), ("great", "good"), ("awful", "bad"),
                            ("broken", "bad"))
    ]  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def view(model, layer, right, **scores):
    right = np.array(right, bool)
    return View(model, layer, "mean", {"ridge": right.mean(), **scores}, accuracy(right),
                tuple(right))  # fmt: skip


def test_every_layer_is_judged_as_a_plain_pass_and_plain_scores_say(home, rows):
    choice = choose_model(rows, ["minilm", family("llama")], cache=False)
    texts = [json.loads(line) for line in rows.read_text().splitlines()]
    states = HiddenStates("minilm").pooled(
        [(Piece(row["text"], row=True),) for row in texts], ["mean"]
    )["mean"]
    targets = np.array([["bad", "good"].index(row["label"]) for row in texts])
    for layer in range(7):
        found = next(v for v in choice.views if (v.model, v.layer, v.pooling) ==
                     ("minilm", layer, "mean"))  # fmt: skip
        assert found.scores == pytest.approx(scored(states[:, layer], targets), rel=1e-3, abs=1e-3)
        right = left_out(prepared(states[:, layer]), targets) == targets
        assert found.accuracy.value == pytest.approx(right.mean())
        assert found.accuracy.low < found.accuracy.value <= found.accuracy.high + 1e-9
    assert (choice.n, choice.n_labels, choice.majority) == (60, 2, 0.5)
    assert [v.accuracy.value for v in choice.views] == sorted(
        (v.accuracy.value for v in choice.views), reverse=True
    )
    encoder, causal = choice.models
    assert (encoder.attention, encoder.bits_per_byte) == ("both sides", None)
    assert (causal.attention, causal.objective) == ("left alone", "the next token")
    assert causal.bits_per_byte > 0
    assert encoder.licence == "apache-2.0"
    assert encoder.seconds_per_1000 > 0


@pytest.mark.parametrize(
    ("name", "both"), [("llama", False), ("gpt2", False), ("bert", True), ("modernbert", True),
                       ("t5", True)])  # fmt: skip
def test_what_a_token_sees_is_tried_and_not_believed(name, both):
    assert reads_both_sides(HiddenStates(family(name))) is both


def test_the_best_is_named_or_a_smaller_one_that_is_as_good():
    right = [True] * 400 + [False] * 100
    near = [True] * 395 + [False] * 5 + [True] * 3 + [False] * 97
    far = [True] * 250 + [False] * 250
    sizes = [ModelFacts("large", parameters=100), ModelFacts("small", parameters=10),
             ModelFacts("tiny", parameters=1)]  # fmt: skip
    views = [view("large", 3, right), view("small", 2, near), view("tiny", 1, far)]
    chosen, alike = decide(views, sizes)
    assert chosen.model == "small"
    assert [one.model for one in alike] == ["large", "small"]
    assert decide([views[0], views[2]], sizes)[0].model == "large"
    # of few rows the better one is the better bet, though they do not tell the two apart
    few = [view("large", 3, [True] * 6 + [False] * 4), view("small", 2, [True, False] * 5)]
    chosen, alike = decide(few, sizes)
    assert chosen.model == "large"
    assert len(alike) == 2


def test_as_many_rows_are_drawn_as_were_asked_for_and_labels_keep_their_shares():
    targets = np.array([0] * 80 + [1] * 30 + [2] * 10)  # sorted, as some files are
    found = drawn(targets, 90, 0)
    assert len(found) == len(set(found)) == 90
    assert (np.diff(found) > 0).all()
    assert np.bincount(targets[found]).tolist() == pytest.approx([60, 22.5, 7.5], abs=1)
    assert (drawn(targets, 500, 0) == np.arange(120)).all()
    assert drawn(targets, 90, 1).tolist() != found.tolist()


def test_a_model_that_cannot_be_read_is_told_and_the_others_go_on(home, rows, tmp_path):
    (tmp_path / "empty").mkdir()
    choice = choose_model(rows, [str(tmp_path / "empty"), "minilm"], layers=(0, -1), limit=20)
    assert {v.layer for v in choice.views} == {0, 6}
    assert "no weights" in choice.models[0].problem
    assert choice.n == 20
    assert choice.notes == ("20 of 60 rows are read, labels in proportion",)
    with pytest.raises(BackendError, match="no weights"):
        choose_model(rows, [str(tmp_path / "empty")])
    with pytest.raises(SpecError, match="layer 9: the model has the layers 0"):
        choose_model(rows, ["minilm"], layers=(9,))
    with pytest.raises(SpecError, match="no models to choose among"):
        choose_model(rows, [])
    one = tmp_path / "one.jsonl"
    one.write_text('{"text": "a", "label": "x"}\n' * 4)
    with pytest.raises((DataError, SpecError), match="label"):
        choose_model(one, ["minilm"])


def test_probes_that_are_trained_say_what_scores_were_worth(home, rows):
    choice = choose_model(rows, ["minilm"], verified=True, cache=False)
    tried = [v for v in choice.views if v.verified is not None]
    assert len(tried) == len(choice.views)  # fewer than LEADERS
    by_name = {one.score: one for one in choice.verified}
    best = max(v.verified for v in tried)
    first = max(choice.views, key=lambda v: v.scores["logme"])
    assert by_name["logme"].lost == pytest.approx(100 * (best - first.verified))
    many = [view("m", layer, [layer % 3 > 0] * 10, other=-layer) for layer in range(60)]
    places = chosen_to_verify(many, ["ridge", "other"])
    assert 0 in places
    assert 59 in places
    assert len(places) <= LEADERS
    draw = np.random.default_rng(0)
    targets = np.arange(60) % 2
    told = draw.normal(size=(60, 5)).astype(np.float32)
    told[:, 0] += 6 * targets
    assert probe_accuracy(told, targets, 0) > 0.85
    assert probe_accuracy(told[draw.permutation(60)], targets, 0) < 0.75


def test_the_distance_from_other_text_is_0_where_there_is_none_and_2_at_most():
    draw = np.random.default_rng(0)
    same = draw.normal(size=(120, 6)).astype(np.float32)
    assert distance(same, draw.normal(size=(120, 6)).astype(np.float32)) < 0.5
    assert distance(same, same + 9) == pytest.approx(2, abs=0.05)


def test_a_card_is_read_as_data(tmp_path):
    file = tmp_path / "README.md"
    file.write_text("---\nlicense: mit\ndatasets:\n- one\n- two\n---\n# x\n")
    assert card_of(tmp_path) == ("mit", ("one", "two"))
    file.write_text("---\nlicense: !!python/object/apply:os.system ['true']\n---\n")
    assert card_of(tmp_path) == ("", ())
    file.write_text("# no head\n---\n---\n")
    assert card_of(tmp_path) == ("", ())
    file.unlink()
    assert card_of(tmp_path) == ("", ())


def test_a_classifiers_own_classes_are_asked(home, rows, tmp_path):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tmp_path / "classifier"
    AutoTokenizer.from_pretrained(family("bert")).save_pretrained(folder)
    AutoModelForSequenceClassification.from_pretrained(
        family("bert"), num_labels=3
    ).save_pretrained(folder)
    (found,) = choose_model(rows, [str(folder)]).models
    assert -1 < found.leep < 0  # chance is the entropy of two labels
    assert found.objective == "labels of texts"


def test_results_leave_for_other_programs(home, rows):
    choice = choose_model(rows, ["minilm"], layers=(3, 6), verified=True)
    content = json.loads(choice_json(choice))
    assert content["chosen"]["layer"] == choice.chosen.layer
    assert "right" not in content["views"][0]
    head, *lines = choice_csv(choice).splitlines()
    assert head.startswith("model,layer,pooling,accuracy,low,high,logme")
    assert len(lines) == len(choice.views)
    assert "| minilm |" in choice_markdown(choice)
    html = choice_html(choice, "promptkit tune --data a<b.csv")
    assert "a&lt;b.csv" in html
    assert "http" not in html.replace("http-equiv", "")


def test_python_takes_rows_as_scikit_learn_does(home, rows, tmp_path):
    import promptkit

    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    texts, labels = [row["text"] for row in lines], [row["label"] for row in lines]
    chosen = promptkit.choose(texts, labels, "minilm", layers=[0, 6])
    assert (chosen.model, chosen.pooling) == ("minilm", "mean")
    assert chosen.layer in (0, 6)
    assert "minilm" in str(chosen)
    assert "<pre" in chosen._repr_html_()
    assert json.loads(chosen.to("json"))["n"] == 60
    chosen.plot(tmp_path / "x.svg")
    assert (tmp_path / "x.svg").read_text().startswith("<?xml")
    with pytest.raises(SpecError, match="60 rows and y has 59"):
        promptkit.choose(texts, labels[1:])
    with pytest.raises(SpecError, match="format 'yml'"):
        chosen.to("yml")


def test_rows_are_compared_with_a_reference_and_a_template_may_render_them(home, rows, tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_text("".join(
        json.dumps({"text": f"Whale {i} swam north of the island."}) + "\n" for i in range(40)
    ))  # fmt: skip
    choice = choose_model(rows, ["minilm"], layers=(6,), reference=str(other), limit=40)
    assert choice.models[0].distance > 1.5
    same = choose_model(rows, ["minilm"], layers=(6,), reference=str(rows), limit=40)
    assert same.models[0].distance < choice.models[0].distance
    plain = next(v for v in choice.views if v.pooling == "mean")
    told = choose_for(asked(rows, template="sentiment_binary_zero_shot",
                            label_map={"good": "positive", "bad": "negative"}),
                      Candidates(("minilm",), layers=(6,), limit=40))  # fmt: skip
    read = next(v for v in told.views if v.pooling == "mean")
    assert read.scores["logme"] != plain.scores["logme"]
