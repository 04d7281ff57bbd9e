"""Logistic regression on unit vectors: as scikit-learn has it, over all labels of the task."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from promptkit.errors import StoreError
from promptkit.strategies.unit_head import UnitHead


def drawn(n, k):
    random = np.random.default_rng(0)
    vectors = random.normal(size=(n, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, np.arange(n) % k


@pytest.mark.parametrize("k", [2, 4])
def test_probabilities_are_those_of_scikit_learn(k):
    vectors, targets = drawn(24, k)
    theirs = LogisticRegression(C=3.0, max_iter=2000).fit(vectors.astype(float), targets)
    ours = UnitHead.fitted(vectors, targets, k, 3.0).log_p(vectors)
    assert np.exp(ours) == pytest.approx(theirs.predict_proba(vectors.astype(float)), abs=1e-6)


def test_a_label_that_no_row_had_is_impossible():
    vectors, targets = drawn(24, 3)
    head = UnitHead.fitted(vectors, targets + 2, 7, 1.0)
    log_p = head.log_p(vectors)
    assert np.isneginf(log_p[:, [0, 1, 5, 6]]).all()
    assert np.exp(log_p).sum(axis=1) == pytest.approx(1)


def test_one_label_alone_is_certain():
    vectors, _ = drawn(3, 1)
    log_p = UnitHead.fitted(vectors, np.array([1, 1, 1]), 3, 1.0).log_p(vectors)
    assert (log_p == [-np.inf, 0.0, -np.inf]).all()


@pytest.mark.parametrize("k", [1, 2, 4])
def test_a_saved_head_is_the_same_head(k, tmp_path):
    vectors, targets = drawn(24, k)
    head = UnitHead.fitted(vectors, targets, 5, 1.0)
    head.save(tmp_path / "head.safetensors")
    again = UnitHead.restored(tmp_path / "head.safetensors", 5)
    assert (again.log_p(vectors) == head.log_p(vectors)).all()
    assert again.size == head.size


def test_a_missing_or_broken_file_is_said_so(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        UnitHead.restored(tmp_path / "head.safetensors", 3)
    (tmp_path / "head.safetensors").write_bytes(b"nothing")
    with pytest.raises(StoreError, match="cannot be read"):
        UnitHead.restored(tmp_path / "head.safetensors", 3)


def test_a_head_of_more_labels_is_refused(tmp_path):
    vectors, targets = drawn(24, 4)
    UnitHead.fitted(vectors, targets, 4, 1.0).save(tmp_path / "head.safetensors")
    with pytest.raises(StoreError, match="more than 3 labels"):
        UnitHead.restored(tmp_path / "head.safetensors", 3)
