"""--order from the spec to the prompts."""

import pytest

from promptkit.backends import embedding_cache
from promptkit.errors import PromptkitError
from promptkit.estimators.prompt import PromptClassifier
from promptkit.prompts import find_template
from promptkit.runs import EvalSpec, build, eval_spec, run
from promptkit.runs.build import demonstrations
from promptkit.runs.models import forget_backends
from promptkit.runs.parts import showing
from promptkit.runs.recipe import Recipe
from promptkit.runs.rows import rows_for
from promptkit.runs.saved import load_model, save
from promptkit.types import Example

FEW = {"template": "sentiment_few_shot", "backend": "fake", "shots": 4, "limit": 6}


def asked(**options):
    return EvalSpec(**{**FEW, **options})


def test_only_another_order_than_the_selectors_enters_the_spec(home):
    plain = build(asked()).spec
    assert "order" not in plain.strategy
    assert build(asked(order="as_selected")).spec == plain
    other = build(asked(order="random")).spec
    assert other.strategy == {**plain.strategy, "order": "random"}
    assert other.fingerprint() != plain.fingerprint()


@pytest.mark.parametrize("strategy", ["in_context", "generate"])
def test_both_strategies_that_ask_show_shots_in_that_order(home, strategy):
    def evidence(order):
        trial = build(asked(order=order, selector="random", strategy=strategy))
        made = trial.strategy(True)
        made.fit(trial.train.examples)
        return [one.shots for one in made.gather(trial.data.examples)]

    plain, mixed = evidence("as_selected"), evidence("interleaved")
    assert [sorted(own) for own in plain] == [sorted(own) for own in mixed]
    assert plain != mixed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"order": "nearest"}, "no order named 'nearest'; did you mean 'nearest_"),
        ({"order": "random", "shots": 0}, "--order random arranges demonstrations.*add --shots"),
        (
            {"order": "random", "strategy": "tfidf", "shots": None, "backend": "auto"},
            "--order is for prompting",
        ),
        ({"strategy_options": {"ordr": "random"}}, "did you mean 'order'"),
    ],
)
def test_what_is_wrong_is_said_before_a_model_is_loaded(home, change, said):
    with pytest.raises(PromptkitError, match=said):
        build(asked(**change))


def test_a_spec_file_and_strategy_options_name_an_order(home):
    (home / "mine.yaml").write_text("template: sentiment_few_shot\norder: interleaved\nshots: 2\n")
    assert eval_spec("mine.yaml", {}).order == "interleaved"
    one = build(asked(strategy_options={"order": "random"})).spec
    assert one == build(asked(order="random")).spec


def test_what_is_previewed_is_what_is_shown(home):
    spec = asked(selector="mmr", order="random", selector_options={"diversity": 0.9})
    template, data, train, _ = rows_for(spec)
    trial = build(spec)
    made = trial.strategy(True).fit(trial.train.examples)
    for row, one in zip(data.examples, made.gather(data.examples), strict=True):
        seen = [shot.id for shot in demonstrations(spec, template, train, row)]
        assert tuple(seen) == one.shots


def test_the_selector_and_the_order_share_one_encoder(home):
    selector, order = showing(asked(selector="nearest", order="nearest_first"), 4, True, "fake", {})
    assert selector.encoder is order.encoder is not None
    selector, order = showing(
        asked(selector="nearest", order="nearest_first"), 4, True, "fake", {}, with_model=False
    )
    assert selector.encoder is order.encoder is None


def test_an_encoder_borrowed_for_the_order_alone_is_part_of_the_spec(home, trained_folder):
    def spec(**options):
        trial = build(asked(backend="hf", model=str(trained_folder), **options))
        return trial.spec.strategy

    assert spec()["encoder"] is None
    assert spec(order="random")["encoder"] is None
    assert spec(order="nearest_last")["encoder"] == spec(selector="mmr")["encoder"]


def test_a_saved_model_keeps_its_order(home):
    template = find_template("sentiment_few_shot").with_labels(["negative", "positive"])
    rows = [Example(f"r{i}", {"text": f"text {i}"}, template.task.labels[i > 3]) for i in range(8)]
    options = {"shots": 6, "backend": "fake", "selector": "balanced", "order": "interleaved"}
    made = Recipe("in_context", template, options, seed=3)
    strategy = made.build().fit(rows)
    trained_on = {"name": "rows", "n": len(rows), "hash": "0123456789abcdef"}
    save(strategy, home / "model", recipe=made, trained_on=trained_on)
    again = load_model(home / "model").strategy
    one, other = strategy.gather(rows)[0].shots, again.gather(rows)[0].shots
    assert one == other
    labels = {row.id: row.label for row in rows}
    seen = [labels[name] for name in one]
    assert seen in (seen[:2] * 3, [seen[0], *seen[1:3] * 2, seen[-1]])
    assert len(set(seen[:2])) == 2


def test_a_classifier_takes_an_order():
    texts = [f"text {i}" for i in range(9)]
    labels = ["negative", "positive", "positive"] * 3

    def proba(**options):
        model = PromptClassifier("sentiment_few_shot", backend="fake", shots=6, **options)
        return model.fit(texts, labels).predict_proba(["one", "two"]).tolist()

    assert proba(order="as_selected") == proba()
    assert proba(order="random") != proba()  # the fake backend hashes what it would read


def test_vectors_of_a_pool_are_kept_for_the_next_run_unless_nothing_is_to_be_kept(
    home, monkeypatch
):
    monkeypatch.setattr(embedding_cache, "_WORTH", 3)
    few = {"backend": "auto", "selector": "nearest", "shots": 1, "limit": 2}

    def computed(**options):
        forget_backends()
        return run(build(asked(**few, **options))).fit_cost.computed_tokens

    assert computed(cache=False) > 0
    assert not (home / ".promptkit" / "features").exists()
    whole = computed()
    files = list((home / ".promptkit" / "features").rglob("*.safetensors"))
    assert len(files) == 1
    assert computed() == 0
    assert computed(fresh=True) == whole
    assert list((home / ".promptkit" / "features").rglob("*.safetensors")) == files
