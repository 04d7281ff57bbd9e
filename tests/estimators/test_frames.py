"""Data frames of every library, whatever their types, read by the names of their columns."""

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from promptkit import FeatureClassifier, LayerFeatures, PromptClassifier
from promptkit.errors import DataError
from promptkit.estimators.refused import InputRefused
from tests.tiny_encoder import tiny_encoder

PAIRS = {
    "premise": ["A dog runs.", "It rains.", "He sleeps.", "She sings."],
    "hypothesis": ["An animal moves.", "It is dry.", "He snores.", "It is loud."],
    "stars": [1, 2, 3, 4],
}
Y = ["entailment", "contradiction", "neutral", "neutral"]
FRAMES = {
    "pandas": lambda: pd.DataFrame(PAIRS),
    "pandas, other index": lambda: pd.DataFrame(PAIRS, index=[9, 9, 1, 5]),
    "pandas, columns in another order": lambda: pd.DataFrame(PAIRS)[
        ["stars", "hypothesis", "premise"]
    ],
    "pandas string": lambda: pd.DataFrame(PAIRS).astype(
        {"premise": "string", "hypothesis": "string"}
    ),
    "pandas string[pyarrow]": lambda: pd.DataFrame(PAIRS).astype(
        {"premise": "string[pyarrow]", "hypothesis": "string[pyarrow]"}
    ),
    "pandas object": lambda: pd.DataFrame(PAIRS).astype(object),
    "pandas category": lambda: pd.DataFrame(PAIRS).astype("category"),
    "polars": lambda: pl.DataFrame(PAIRS),
    "polars category": lambda: pl.DataFrame(PAIRS).with_columns(
        pl.col("premise").cast(pl.Categorical)
    ),
    "pyarrow": lambda: pa.table(PAIRS),
    "datasets": lambda: datasets.Dataset.from_dict(PAIRS),
    "mappings": lambda: pd.DataFrame(PAIRS).to_dict("records"),
}


def asked(**options):
    return PromptClassifier("entailment_zero_shot", backend="fake", shots=1, **options)


@pytest.mark.parametrize("name", FRAMES)
def test_a_template_of_two_fields_reads_any_frame(name):
    rows = FRAMES[name]()
    model = asked().fit(rows, Y)
    expected = asked().fit(pd.DataFrame(PAIRS), Y).predict_proba(pd.DataFrame(PAIRS))
    assert np.array_equal(model.predict_proba(rows), expected)
    assert model.feature_names_in_.tolist() == ["premise", "hypothesis"]
    assert model.n_features_in_ == 2


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_may_follow_upon_another_kind(name):
    model = asked().fit(pd.DataFrame(PAIRS), Y)
    assert np.array_equal(
        model.predict_proba(FRAMES[name]()), model.predict_proba(pd.DataFrame(PAIRS))
    )


SERIES = {
    "pandas": pd.Series,
    "pandas string": lambda values: pd.Series(values, dtype="string"),
    "pandas string[pyarrow]": lambda values: pd.Series(values, dtype="string[pyarrow]"),
    "pandas category": lambda values: pd.Series(values, dtype="category"),
    "pandas index": pd.Index,
    "polars": pl.Series,
    "polars category": lambda values: pl.Series(values, dtype=pl.Categorical),
    "polars enum": lambda values: pl.Series(values, dtype=pl.Enum(sorted(set(values)))),
    "pyarrow": pa.array,
    "pyarrow chunked": lambda values: pa.chunked_array([values[:1], values[1:]]),
    "numpy": np.array,
    # numpy 1 has no strings of its own
    "numpy strings": lambda values: np.array(
        values, getattr(np.dtypes, "StringDType", lambda: object)()
    ),
    "generator": lambda values: (value for value in values),
}


@pytest.mark.parametrize("name", SERIES)
def test_texts_and_labels_may_be_columns_of_any_library(name):
    texts = ["lovely food", "broken parcel", "kind staff", "rude staff"]
    labels = ["positive", "negative", "positive", "negative"]
    model = PromptClassifier(backend="fake", shots=1)
    model.fit(SERIES[name](texts), SERIES[name](labels))
    expected = PromptClassifier(backend="fake", shots=1).fit(texts, labels)
    assert model.classes_.tolist() == ["negative", "positive"]
    assert np.array_equal(model.predict_proba(texts), expected.predict_proba(texts))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda v: pd.Series(v, dtype="Int64"), "i"),
        (lambda v: pd.Series(v, dtype="category"), "i"),
        (lambda v: pl.Series(v), "i"),
        (lambda v: pa.array(v), "i"),
        (lambda v: pd.Series(v).astype("Float64"), "f"),
        (lambda v: pd.Series(v).astype(bool).astype("boolean"), "b"),
        (lambda v: np.array(v, dtype=object), "i"),
    ],
)
def test_labels_of_nullable_types_become_plain_arrays(make, kind):
    model = FeatureClassifier(tiny_encoder(), layers=-1, pooling="mean", regularisation=0.1)
    model.fit(["a thing", "the food", "kind", "staff"], make([0, 1, 0, 1]))
    assert model.classes_.dtype.kind == kind
    assert model.predict(["food"]).dtype == model.classes_.dtype


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, float("nan"), pd.NaT], ids=repr)
def test_what_is_missing_is_named_with_its_row(missing):
    frame = pd.DataFrame(PAIRS).astype(object)
    frame.loc[2, "hypothesis"] = missing
    with pytest.raises(InputRefused, match="contains NaN: X row 3 has no 'hypothesis'"):
        asked().fit(frame, Y)
    with pytest.raises(InputRefused, match="y row 2: no label"):
        asked().fit(pd.DataFrame(PAIRS), [Y[0], missing, *Y[2:]])


@pytest.mark.parametrize("frame", [pl.DataFrame, pa.table, lambda rows: pd.DataFrame(rows)])
def test_nulls_of_other_libraries_are_missing_as_well(frame):
    rows = {**PAIRS, "premise": ["A dog runs.", None, "He sleeps.", "She sings."]}
    with pytest.raises(DataError, match="X row 2 has no 'premise'"):
        asked().fit(frame(rows), Y)


def test_a_missing_value_in_a_column_that_is_not_read_is_of_no_interest():
    frame = pd.DataFrame(PAIRS).assign(stars=[1, None, np.inf, 2])
    assert asked().fit(frame, Y).predict(frame).shape == (4,)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"premise": ["a"], "hypothesys": ["b"]}), "did you mean 'hypothesys'"),
        (pl.DataFrame({"premise": ["a"]}), "no column 'hypothesis'"),
        (pd.DataFrame([["a", "b", "c"]], columns=["premise", "hypothesis", 3]), "by text and by"),
        (pd.DataFrame([["a", "b"]], columns=["premise", "premise"]), "two columns 'premise'"),
        (pd.DataFrame([["a", "b", "c"]]), "X has 3 features, .* expecting 2 features"),
        (pd.DataFrame(index=range(3)), "no column 'premise'"),
    ],
)
def test_columns_that_do_not_fit_are_refused(frame, said):
    model = asked().fit(pd.DataFrame(PAIRS), Y)
    with pytest.raises(InputRefused, match=said):
        model.predict(frame)


def test_a_numbered_frame_is_an_array():
    numbered = pd.DataFrame(PAIRS)[["premise", "hypothesis"]].to_numpy()
    model = asked().fit(pd.DataFrame(numbered), Y)
    assert not hasattr(model, "feature_names_in_")
    assert np.array_equal(model.predict_proba(numbered), model.predict_proba(pd.DataFrame(PAIRS)))


def test_an_array_in_place_of_names_is_warned_about():
    model = asked().fit(pd.DataFrame(PAIRS), Y)
    rows = pd.DataFrame(PAIRS)[["premise", "hypothesis"]].to_numpy()
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(rows)


def test_names_of_an_earlier_fit_are_forgotten():
    model = asked().fit(pd.DataFrame(PAIRS), Y)
    model.fit(pd.DataFrame(PAIRS)[["premise", "hypothesis"]].to_numpy(), Y)
    assert not hasattr(model, "feature_names_in_")


# -- features into frames


@pytest.mark.parametrize(("library", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_features_come_as_a_frame_with_names(library, kind, frame):
    rows = frame({"text": PAIRS["premise"], "stars": PAIRS["stars"]})
    model = LayerFeatures(tiny_encoder(), layers=[0, -1]).set_output(transform=library)
    found = model.fit_transform(rows)
    assert isinstance(found, kind)
    assert [found.columns[0], found.columns[-1]] == ["layer0_0", "layer2_31"]
    plain = LayerFeatures(tiny_encoder(), layers=[0, -1]).fit_transform(rows)
    assert np.array_equal(found.to_numpy(), plain)
    if kind is frame is pd.DataFrame:
        assert found.index.equals(rows.index)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_text_column_that_is_chosen_by_name_goes_through_a_whole_pipeline(frame):
    rows = frame({"body": PAIRS["premise"], "title": PAIRS["hypothesis"], "stars": PAIRS["stars"]})
    kind = "pandas" if frame is pd.DataFrame else "polars"
    columns = ColumnTransformer(
        [
            ("body", LayerFeatures(tiny_encoder()), "body"),
            ("title", make_union(LayerFeatures(tiny_encoder(), layers=0)), "title"),
            ("both", LayerFeatures(tiny_encoder(), fields=["title", "body"]), ["body", "title"]),
            ("stars", "passthrough", ["stars"]),
        ]
    ).set_output(transform=kind)
    found = columns.fit_transform(rows)
    assert isinstance(found, frame)
    assert found.shape == (4, 97)
    assert found.columns[0] == "body__layer2_0"
    model = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(rows, [0, 1, 0, 1])
    assert model.predict(rows).tolist() == [0, 1, 0, 1]
    assert model.feature_names_in_.tolist() == ["body", "title", "stars"]


def test_names_that_went_in_are_checked():
    model = LayerFeatures(tiny_encoder()).fit(pd.DataFrame({"body": PAIRS["premise"]}))
    assert len(model.get_feature_names_out(["body"])) == 32
    with pytest.raises(InputRefused, match="input_features is not equal"):
        model.get_feature_names_out(["other"])
    with pytest.raises(InputRefused, match="have length equal to number of features"):
        LayerFeatures(tiny_encoder()).fit(PAIRS["premise"]).get_feature_names_out(["a", "b"])
