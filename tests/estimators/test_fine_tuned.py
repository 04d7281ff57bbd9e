"""Fine-tuning in scikit-learn's terms."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from promptkit import FineTunedClassifier
from promptkit.errors import SpecError
from promptkit.estimators.fine_tuned import METHODS
from tests.tiny_encoder import tiny_encoder

TEXTS = ["lovely food", "kind staff", "quick and kind", "lovely", "awful food", "rude staff"] * 2
Y = ["good", "good", "good", "good", "bad", "bad"] * 2


def built(**options):
    return FineTunedClassifier(**{"model": tiny_encoder(), "epochs": 1, **options})


@pytest.mark.parametrize("method", METHODS)
def test_every_method_fits_and_predicts(method):
    model = built(method=method).fit(TEXTS, Y)
    assert model.classes_.tolist() == ["bad", "good"]
    proba = model.predict_proba(TEXTS)
    assert proba.sum(axis=1) == pytest.approx(np.ones(len(TEXTS)))
    assert model.strategy_.describe()["name"] == method
    assert model.cost_.trained_parameters > 0


def test_arguments_that_are_not_given_are_the_methods_own():
    described = built(epochs=None).fit(TEXTS, Y).strategy_.describe()
    given = built(epochs=2, learning_rate=0.01, options={"rank": 2}).fit(TEXTS, Y)
    changed = given.strategy_.describe()
    assert {name for name in described if described[name] != changed[name]} == {
        "epochs",
        "learning_rate",
        "rank",
    }


def test_it_can_be_cloned_and_cross_validated():
    model = clone(built(options={"rank": 2}))
    assert model.get_params()["options"] == {"rank": 2}
    assert len(cross_val_score(model, TEXTS, Y, cv=2)) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "lore"}, "did you mean 'lora'"),
        ({"options": {"rnak": 3}}, "did you mean 'rank'"),
        ({"options": {"epochs": 3}}, "give epochs="),
    ],
)
def test_what_cannot_be_meant_is_refused(options, message):
    with pytest.raises(SpecError, match=message):
        built(**options).fit(TEXTS, Y)
