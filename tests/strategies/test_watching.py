"""The best weights are kept, and training stops when they stay the best."""

from types import SimpleNamespace

import pytest
import torch

from promptkit.errors import BackendError
from promptkit.strategies.checkpoints import Best
from promptkit.strategies.classifier_head import ClassifierHead
from promptkit.strategies.pooled_classifier import PooledClassifier
from promptkit.strategies.watching import Watch


def watched(scores, patience=2):
    """The watch after epochs with these (accuracy, loss), and after which of them it stopped."""
    classifier = PooledClassifier(torch.nn.Linear(2, 2), "mean", ClassifierHead(2, 2))
    watch, stopped = Watch(classifier, patience, Best(), lambda step: None), None
    for epoch, (accuracy, loss) in enumerate(scores, start=1):
        with torch.no_grad():
            classifier.head.out.bias.fill_(epoch)
        control = SimpleNamespace(should_training_stop=False)
        state = SimpleNamespace(epoch=float(epoch), global_step=epoch, max_steps=9)
        metrics = {"eval_accuracy": accuracy, "eval_loss": loss}
        watch.on_evaluate(None, state, control, metrics)
        if control.should_training_stop:
            stopped = epoch
            break
    return watch, stopped


def test_the_highest_accuracy_is_kept_though_the_loss_rises():
    watch, _ = watched([(0.6, 0.5), (0.8, 0.9), (0.7, 0.4)])
    assert (watch.best.epoch, watch.best.score) == (2, 0.8)
    assert watch.best.state["head.out.bias"].tolist() == [2.0, 2.0]


def test_of_equal_accuracies_the_lower_loss_is_kept():
    assert watched([(0.8, 0.5), (0.8, 0.4), (0.8, 0.6)])[0].best.epoch == 2


def test_it_stops_when_the_best_has_stayed_the_best_for_so_many_epochs():
    assert watched([(0.8, 0.5), (0.9, 0.5), (0.7, 0.5), (0.6, 0.5), (0.9, 0.1)])[1] == 4
    assert watched([(0.8, 0.5), (0.7, 0.5)], patience=1)[1] == 2


def test_an_accuracy_of_nothing_is_kept_too():
    assert watched([(0.0, 9.0)])[0].best.epoch == 1


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_training(loss):
    watch, _ = watched([])
    state = SimpleNamespace(global_step=3, max_steps=9)
    with pytest.raises(BackendError, match="the loss of step 3"):
        watch.on_log(None, state, None, {"loss": loss})
