"""Whose answers are kept, where, and what a run says about it."""

import pytest

from promptkit.backends import response_store
from promptkit.backends.fake import FakeBackend
from promptkit.errors import SpecError, StoreError
from promptkit.runs import EvalSpec, Store, build, caching, run
from promptkit.runs.caching import is_cached, responses_in
from promptkit.runs.models import described_backend
from promptkit.runs.predictor import predictor_of


@pytest.fixture(autouse=True)
def no_other_place(monkeypatch):
    monkeypatch.delenv("PROMPTKIT_CACHE", raising=False)


@pytest.fixture
def asked(monkeypatch):
    """Ids of the rows that the fake backend was asked for."""
    found, score = [], FakeBackend.score

    def watched(self, prompts, candidates):
        found.extend(prompt.example_id for prompt in prompts)
        return score(self, prompts, candidates)

    monkeypatch.setattr(FakeBackend, "score", watched)
    return found


def spec(**options):
    return EvalSpec(**{"template": "sentiment_zero_shot", "backend": "fake", **options})


def evaluate(**options):
    return run(build(spec(**options)), Store())


@pytest.mark.parametrize(
    ("backend", "options", "kept"),
    [
        ("openai", {}, True),
        ("vllm", {}, True),
        ("hf", {}, False),
        ("embedding", {}, False),
        ("fake", {}, False),
        ("openai", {"cache": False}, False),
        ("hf", {"cache": True}, True),
        ("hf", {"cache_folder": "here"}, True),
        ("openai", {"dry_run": True}, False),
        ("hf", {"cache": True, "dry_run": True}, False),
    ],
)
def test_dear_answers_are_kept_and_others_on_request(backend, options, kept):
    assert is_cached(spec(**options), backend) is kept


def test_a_place_for_nothing_is_refused():
    with pytest.raises(SpecError, match="--cache-folder names a place and --no-cache"):
        is_cached(spec(cache=False, cache_folder="here"), "hf")


def test_another_run_on_the_same_rows_asks_only_the_new_ones(home, asked):
    evaluate(cache=True, limit=100)
    del asked[:]
    record = evaluate(cache=True, limit=150)
    assert len(asked) == 50
    assert (record.cost.rows, record.cost.cached_rows) == (50, 100)
    assert record.predictions == run(build(spec(limit=150)), None).predictions
    again = evaluate(cache=True, limit=150)
    assert again.from_store
    assert again.cost == record.cost


def test_without_a_cache_nothing_is_written(home, asked):
    evaluate(limit=70)
    evaluate(limit=80)
    assert len(asked) == 150
    assert not (home / ".promptkit" / "cache").exists()


def test_fresh_asks_anew_and_keeps_what_is_said(home, asked):
    evaluate(cache=True, limit=20)
    record = run(build(spec(cache=True, limit=20, fresh=True)), Store(), fresh=True)
    assert len(asked) == 40
    assert record.cost.cached_rows == 0
    evaluate(cache=True, limit=10)
    assert len(asked) == 40


def test_another_template_model_or_option_asks_anew(home, asked, monkeypatch):
    evaluate(cache=True, limit=10)
    for options in (
        {"template": "sentiment_few_shot", "shots": 0},
        {"backend_options": {"model": "other"}},
        {"backend_options": {"max_words": 500}},
    ):
        evaluate(cache=True, limit=10, **options)
    assert len(asked) == 40
    monkeypatch.setattr("promptkit.runs.models.versions", lambda *_: {"promptkit": "9.9"})
    evaluate(cache=True, limit=10, calibration="none", seed=3)
    assert len(asked) == 50


def test_the_seed_and_what_is_made_of_answers_do_not_matter(home, asked):
    evaluate(cache=True, limit=30)
    evaluate(cache=True, limit=30, calibration="batch", train_data="customer_reviews")
    evaluate(cache=True, limit=30, verbalizer_options={"pool_by": "max"})
    assert len(set(asked)) == len(asked)  # rows of the calibration are new, the others are known


def test_it_lies_where_it_is_told_to(home, asked, monkeypatch):
    evaluate(cache_folder=str(home / "here"), limit=5)
    assert (home / "here" / "responses.sqlite").is_file()
    monkeypatch.setenv("PROMPTKIT_CACHE", str(home / "there"))
    evaluate(cache=True, limit=6)
    assert responses_in(None).held()[0].n == 6
    assert responses_in(str(home / "here")).held()[0].n == 5


def test_a_network_file_system_is_refused_before_a_model_is_loaded(home, monkeypatch):
    monkeypatch.setattr(response_store, "network_file_system", lambda folder: "nfs4")
    monkeypatch.setattr("promptkit.runs.parts.load_backend", None)
    with pytest.raises(StoreError, match=r"\(nfs4\), where SQLite's locks do not hold: --cache-fo"):
        build(spec(cache=True))
    build(spec())


def test_predictions_of_rows_in_a_file_take_known_answers_too(home, asked):
    evaluate(cache=True, limit=10)
    rows = build(spec(limit=10)).data.examples
    del asked[:]
    predictor = predictor_of(spec(cache=True, labels=["negative", "neutral", "positive"]))
    assert len(predictor.strategy.predict(rows)) == 10
    assert asked == []


def test_learning_keeps_no_answers():
    with pytest.raises(SpecError, match="--cache is for prompting"):
        build(EvalSpec(template="sentiment_zero_shot", strategy="tfidf", cache=True))


def test_dear_backends_are_named_as_their_registry_will_name_them():
    assert frozenset({"openai", "vllm"}) == caching.DEAR


def test_an_adapter_is_named_by_its_content(tmp_path):
    options = {"adapter": str(tmp_path)}
    (tmp_path / "adapter_model.safetensors").write_bytes(b"one")
    first = described_backend(spec(), "fake", options, None)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"another")
    second = described_backend(spec(), "fake", options, None)
    assert first["options"] != second["options"]
    assert str(tmp_path) not in str(second)
    assert described_backend(spec(), "fake", {"adapter": "owner/name"}, None)["options"] == {
        "adapter": "owner/name"
    }
