"""A fitted estimator travels as what it learned; the model below it stays where it is."""

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score

from promptkit import (
    ContrastiveClassifier,
    FeatureClassifier,
    FineTunedClassifier,
    LayerFeatures,
    PromptClassifier,
)
from promptkit.errors import PromptkitError, StoreError
from tests.tiny_encoder import tiny_encoder

TEXTS = [f"{word} {place}" for word in ("lovely food", "broken parcel") for place in range(8)]
Y = ["good"] * 8 + ["bad"] * 8
NEW = ["lovely staff", "broken engine", "a parcel came"]
MADE = {
    "prompt": lambda: PromptClassifier(
        "topic_zero_shot", tiny_encoder(), shots=2, selector="nearest", calibration="contextual"
    ),
    "features": lambda: FeatureClassifier(tiny_encoder(), statements={"good": ["lovely"]}),
    "contrastive": lambda: ContrastiveClassifier(tiny_encoder(), epochs=1),
    "head": lambda: FineTunedClassifier("head", tiny_encoder(), epochs=3),
    "lora": lambda: FineTunedClassifier("lora", tiny_encoder(), epochs=1),
    "top_layers": lambda: FineTunedClassifier("top_layers", tiny_encoder(), epochs=1),
    "full": lambda: FineTunedClassifier("full", tiny_encoder(), epochs=1),
}


def weights(model: str) -> int:
    return (Path(model) / "model.safetensors").stat().st_size


@pytest.mark.parametrize("name", MADE)
def test_a_journey_by_pickle_changes_no_prediction(name):
    model = MADE[name]().fit(TEXTS, Y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(NEW), model.predict_proba(NEW))
    assert again.classes_.tolist() == ["bad", "good"]
    assert again.get_params() == model.get_params()
    twice = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(again))))
    assert np.array_equal(twice.predict_proba(NEW), model.predict_proba(NEW))


@pytest.mark.parametrize("name", ["prompt", "features", "head"])
def test_a_model_that_was_not_changed_is_not_in_the_pickle(name):
    model = MADE[name]().fit(TEXTS, Y)
    assert len(pickle.dumps(model)) < weights(tiny_encoder()) / 2
    assert len(pickle.dumps(MADE[name]())) < 2000


def test_a_prompt_without_demonstrations_takes_no_rows_along():
    secret = ["the code is 1234", *TEXTS[1:]]
    plain = PromptClassifier("topic_zero_shot", tiny_encoder()).fit(secret, Y)
    assert b"1234" not in pickle.dumps(plain)
    shown = PromptClassifier("topic_zero_shot", tiny_encoder(), shots=2).fit(secret, Y)
    assert b"1234" in pickle.dumps(shown)


def test_the_model_is_loaded_when_it_is_needed_and_not_before(monkeypatch):
    model = MADE["full"]().fit(TEXTS, Y)
    packed = pickle.dumps(model)
    loaded = []
    restore = type(model.strategy_).restore
    monkeypatch.setattr(
        type(model.strategy_),
        "restore",
        lambda self, folder: loaded.append(1) or restore(self, folder),
    )
    again = pickle.loads(packed)
    assert "FineTunedClassifier(" in repr(again)
    assert pickle.loads(pickle.dumps(again)).classes_.tolist() == ["bad", "good"]
    assert not loaded
    again.predict(NEW)
    again.predict(NEW)
    assert loaded == [1]


def test_arguments_that_were_changed_after_the_fit_change_nothing_that_was_fitted():
    model = MADE["lora"]().fit(TEXTS, Y)
    before = model.predict_proba(NEW)
    model.set_params(model="nowhere", options={"rank": 3})
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(NEW), before)
    assert again.get_params()["model"] == "nowhere"


def test_a_model_that_is_gone_is_named(tmp_path):
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder(), folder)
    packed = pickle.dumps(FeatureClassifier(str(folder)).fit(TEXTS, Y))
    shutil.rmtree(folder)
    with pytest.raises(PromptkitError, match="encoder"):
        pickle.loads(packed).predict(NEW)


def test_a_clone_has_learned_nothing():
    model = MADE["features"]().fit(TEXTS, Y)
    with pytest.raises(NotFittedError):
        clone(model).predict(NEW)
    assert not hasattr(clone(model), "strategy_")


def test_a_prompt_is_not_asked_of_another_model(tmp_path):
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder(), folder)
    packed = pickle.dumps(PromptClassifier("topic_zero_shot", str(folder)).fit(TEXTS, Y))
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: tensor * 1.5 for name, tensor in weights.items()}, folder / "model.safetensors"
    )
    with pytest.raises(StoreError, match="fitted on a model with the hash"):
        pickle.loads(packed).predict(NEW)


_ELSEWHERE = """
import sys, joblib, numpy
models = joblib.load(sys.argv[1])
numpy.save(sys.argv[2], [model.predict_proba({rows!r}) for model in models])
"""


def test_another_process_predicts_the_same(tmp_path):
    models = [MADE[name]().fit(TEXTS, Y) for name in ("prompt", "features", "lora", "contrastive")]
    joblib.dump(models, tmp_path / "models.joblib")
    command = [sys.executable, "-W", "ignore", "-c", _ELSEWHERE.format(rows=NEW)]
    subprocess.run([*command, tmp_path / "models.joblib", tmp_path / "proba.npy"], check=True)
    expected = [model.predict_proba(NEW) for model in models]
    assert np.load(tmp_path / "proba.npy") == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.slow
def test_workers_search_and_validate_side_by_side():
    model = FeatureClassifier(tiny_encoder(), layers=-1, pooling="mean")
    alone = cross_val_score(model, TEXTS, Y, cv=2)
    assert np.array_equal(cross_val_score(model, TEXTS, Y, cv=2, n_jobs=2), alone)
    search = GridSearchCV(model, {"regularisation": [0.1, 1.0]}, cv=2, n_jobs=2)
    assert search.fit(TEXTS, Y).predict(NEW).shape == (3,)


def test_threads_share_one_model():
    with joblib.parallel_backend("threading"):
        model = FeatureClassifier(tiny_encoder(), layers=-1, pooling="mean")
        assert len(cross_val_score(model, TEXTS, Y, cv=4, n_jobs=2)) == 4


def test_features_need_nothing_of_a_fit():
    model = LayerFeatures(tiny_encoder()).fit(TEXTS)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.transform(NEW), model.transform(NEW))
    assert len(pickle.dumps(model)) < 2000
