"""Frozen layers as a transformer."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from promptkit import LayerFeatures
from promptkit.backends.hidden import hidden_states
from promptkit.errors import DataError, SpecError
from promptkit.prompts import find_template
from promptkit.strategies.reading import Reading
from promptkit.types import Example, Piece
from tests.tiny_encoder import tiny_encoder

TEXTS = ["lovely food", "kind staff", "awful food", "rude staff"]


def built(**options):
    return LayerFeatures(**{"model": tiny_encoder(), **options})


def states():
    rows = [(Piece(text, True),) for text in TEXTS]
    return hidden_states(tiny_encoder()).pooled(rows, ["mean"])["mean"]


@pytest.mark.parametrize(
    ("layers", "places"), [(-1, [2]), (0, [0]), ([0, -1], [0, 2]), ("all", [0, 1, 2])]
)
def test_layers_stand_side_by_side(layers, places):
    found = built(layers=layers).fit_transform(TEXTS)
    assert np.array_equal(found, states()[:, places].reshape(4, -1))


def test_it_needs_no_fit():
    assert np.array_equal(built().transform(TEXTS), built().fit().transform(TEXTS))


def test_vectors_may_be_of_length_one():
    found = built(layers=[0, -1], normalise=True).transform(TEXTS).reshape(4, 2, 32)
    assert np.linalg.norm(found, axis=-1) == pytest.approx(np.ones((4, 2)))


def test_a_template_renders_the_rows():
    template = find_template("topic_zero_shot").with_labels(["food", "staff"])
    reading = Reading(("text",), template)
    rows = [reading(Example(str(i), {"text": text})) for i, text in enumerate(TEXTS)]
    expected = hidden_states(tiny_encoder()).pooled(rows, ["mean"], [2])["mean"][:, 0]
    assert np.array_equal(built(template=template).transform(TEXTS), expected)
    with pytest.raises(SpecError, match="leaves its labels open"):
        built(template="topic_zero_shot").transform(TEXTS)
    with pytest.raises(SpecError, match="not both"):
        built(template=template, fields="text").transform(TEXTS)


def test_names_say_which_layer():
    model = built(layers=[0, -1])
    names = model.get_feature_names_out()
    assert len(names) == model.transform(TEXTS).shape[1]
    assert (names[0], names[-1]) == ("layer0_0", "layer2_31")


def test_it_stands_in_pipelines_and_beside_other_columns():
    model = make_pipeline(built(layers="all"), LogisticRegression())
    assert clone(model).fit(TEXTS, [1, 1, 0, 0]).predict(TEXTS).shape == (4,)
    frame = pd.DataFrame({"body": TEXTS, "stars": [5, 4, 1, 2]})
    beside = ColumnTransformer([("text", built(), ["body"]), ("stars", "passthrough", ["stars"])])
    assert beside.fit_transform(frame).shape == (4, 33)


def test_no_rows_give_no_features():
    assert built(layers="all").transform([]).shape == (0, 96)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"layers": 9}, "layer 9"), ({"layers": "last"}, "layers"), ({"pooling": "maen"}, "mean")],
)
def test_what_cannot_be_meant_is_refused(options, message):
    with pytest.raises(SpecError, match=message):
        built(**options).fit(TEXTS)


def test_a_column_that_is_not_there_is_refused():
    with pytest.raises(DataError, match="did you mean 'body'"):
        built(fields="bodi").transform(pd.DataFrame({"body": TEXTS}))
