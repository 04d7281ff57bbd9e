"""The head: standardised features, a start from logistic regression, a file and back."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from promptkit.errors import StoreError
from promptkit.strategies.classifier_head import _START_C, ClassifierHead


def features(n=60, w=5, k=2):
    draw = np.random.default_rng(0)
    targets = np.arange(n) % k
    rows = draw.normal(size=(n, w)) * 7 + 30
    rows[:, 0] += 9 * targets
    return torch.tensor(rows, dtype=torch.float32), targets


@pytest.mark.parametrize("k", [2, 3])
def test_it_starts_as_the_logistic_regression_of_scikit_learn(k):
    rows, targets = features(k=k)
    head = ClassifierHead(5, k).eval()
    head.start_from_features(rows, targets, None)
    plain = (rows.numpy() - rows.numpy().mean(0)) / rows.numpy().std(0)
    probe = LogisticRegression(C=_START_C / 5, max_iter=200, tol=1e-3).fit(plain, targets)
    found = head(rows).softmax(1).detach().numpy()
    assert found == pytest.approx(probe.predict_proba(plain), abs=1e-3)


def test_the_scale_of_a_feature_does_not_matter():
    rows, targets = features()
    one, other = ClassifierHead(5, 2).eval(), ClassifierHead(5, 2).eval()
    one.start_from_features(rows, targets, None)
    other.start_from_features(rows * torch.tensor([1.0, 100.0, 1.0, 0.01, 1.0]), targets, None)
    assert torch.allclose(one.out.weight, other.out.weight, atol=1e-3)


def test_a_feature_that_never_varies_is_left_out_of_account():
    rows, targets = features()
    rows[:, 2] = 5.0
    head = ClassifierHead(5, 2).eval()
    head.start_from_features(rows, targets, None)
    moved = rows.clone()
    moved[:, 2] = 1e6
    assert torch.equal(head(rows), head(moved))


def test_rows_that_are_all_the_same_are_no_reason_to_divide_by_zero():
    head = ClassifierHead(4, 2).eval()
    head.start_from_features(torch.ones(6, 4), np.array([0, 1] * 3), None)
    assert torch.isfinite(head(torch.ones(1, 4))).all()


@pytest.mark.parametrize("hidden", [0, 3])
def test_what_was_saved_is_what_is_loaded(tmp_path, hidden):
    rows, _ = features()
    head = ClassifierHead(5, 2, hidden).eval()
    head.standardise(rows)
    head.save(tmp_path / "head.safetensors")
    assert torch.equal(ClassifierHead.load(tmp_path / "head.safetensors")(rows), head(rows))


@pytest.mark.parametrize("content", [None, b"nothing that is a tensor"])
def test_a_file_that_is_missing_or_broken_is_named(tmp_path, content):
    file = tmp_path / "head.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StoreError, match=r"head\.safetensors: cannot be read"):
        ClassifierHead.load(file)


def test_a_label_without_a_row_begins_below_what_others_have_without_features():
    head = ClassifierHead(3, 4)
    features = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    head.start_from_features(features, np.array([0, 2, 3] * 10), None)
    assert int(head.out.bias.argmin()) == 1
    assert head.out.weight[1].abs().sum() == 0
