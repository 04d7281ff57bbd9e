"""A head trained by gradient: it learns, it stops, it says when it cannot."""

import math

import numpy as np
import pytest
import torch

from promptkit.errors import BackendError
from promptkit.protocols import unwatched
from promptkit.strategies.classifier_head import ClassifierHead
from promptkit.strategies.head_training import Features, HeadRecipe, train_head


def made(n=80, seed=0, noise=1.0):
    draw = np.random.default_rng(seed)
    targets = np.arange(n) % 2
    rows = draw.normal(size=(n, 6)) * noise
    rows[:, 0] += 4 * targets
    return Features(torch.tensor(rows, dtype=torch.float32), targets)


def recipe(**changes):
    given = {"learning_rate": 0.05, "epochs": 12, "batch_size": 8, "weight_decay": 0.0}
    return HeadRecipe(**{**given, "patience": 3, "seed": 0, **changes})


def fresh(rows):
    torch.manual_seed(0)
    head = ClassifierHead(6, 2)
    head.standardise(rows.states)
    return head


def test_it_learns_what_there_is_to_learn():
    rows = made()
    head = fresh(rows)
    assert train_head(head, rows, None, None, recipe(), unwatched).epochs == 12
    found = head.eval()(rows.states).argmax(1).numpy()
    assert (found == rows.targets).mean() > 0.9


def test_with_held_out_rows_it_stops_and_keeps_the_best_epoch():
    rows, held = made(noise=3.0), made(seed=1, noise=3.0)
    steps = []
    head = fresh(rows)
    found = train_head(head, rows, held, None, recipe(epochs=60), steps.append)
    assert found.epochs < 60
    assert len(steps) == found.epochs + 3
    assert steps[found.epochs - 1].score == found.score
    scored = (head(held.states).argmax(1).numpy() == held.targets).mean()
    assert scored == pytest.approx(found.score)


def test_stopping_after_an_epoch_is_the_beginning_of_going_on():
    rows, states = made(), {}
    for until in (2, None):
        head = fresh(rows)
        watch = []
        train_head(head, rows, None, None, recipe(), watch.append, until)
        states[until] = watch
    assert states[2] == states[None][:2]


def test_weights_of_labels_move_the_boundary():
    rows = made(noise=3.0)
    shares = []
    for weights in ((1.0, 1.0), (1.0, 20.0)):
        head = fresh(rows)
        train_head(head, rows, None, weights, recipe(), unwatched)
        shares.append(head.eval()(rows.states).argmax(1).float().mean().item())
    assert shares[1] > shares[0]


def test_a_loss_that_is_no_number_is_an_error_with_a_way_out():
    rows = made()
    broken = Features(rows.states * math.nan, rows.targets)
    with pytest.raises(BackendError, match="lower learning_rate"):
        train_head(fresh(rows), broken, None, None, recipe(), unwatched)
