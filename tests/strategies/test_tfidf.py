"""Words and a linear classifier, beside scikit-learn's own pipeline."""

import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

from promptkit.errors import SpecError, StoreError
from promptkit.strategies.reading import Reading
from promptkit.strategies.tfidf import Tfidf
from promptkit.types import Example

GOOD = ["lovely food", "lovely staff here", "a lovely day", "I like it", "I liked the room"]
BAD = ["awful food", "awful noise there", "an awful day", "I hate it", "I hated the room"]
TRAIN = [
    Example(f"t{i}", {"text": text}, label)
    for i, (text, label) in enumerate(
        [*((text, "good") for text in GOOD), *((text, "bad") for text in BAD)]
    )
]
ROWS = [Example("x", {"text": "lovely noise"}), Example("y", {"text": "she hates that"})]


def built(labels=("bad", "good"), **options):
    return Tfidf(labels, Reading(("text",)), **options)


@pytest.mark.parametrize("third", [False, True])
def test_probabilities_are_those_of_scikit_learn(third):
    train = [*TRAIN, Example("n", {"text": "two chairs"}, "neutral")] if third else TRAIN
    labels = ("bad", "good", "neutral") if third else ("bad", "good")
    found = built(labels, c=3.0).fit(train).predict(ROWS)
    texts = [*(row.fields["text"] for row in train), "text"]
    union = make_union(
        TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    ).fit(texts)
    model = LogisticRegression(C=3.0, max_iter=2000)
    model.fit(union.transform(texts[:-1]), [row.label for row in train])
    expected = model.predict_proba(union.transform([row.fields["text"] for row in ROWS]))
    assert np.exp([p.log_p for p in found]) == pytest.approx(expected, abs=1e-6)


def test_words_and_the_letters_within_them_are_learned():
    assert [p.label for p in built().fit(TRAIN).predict(ROWS)] == ["good", "bad"]


def test_the_penalty_is_chosen_on_held_out_training_rows():
    strategy = built().fit(TRAIN)
    assert strategy.c_ in (1.0, 10.0, 100.0)
    assert built(c=7).fit(TRAIN).c_ == 7.0


def test_a_label_without_training_rows_is_never_said():
    found = built(("bad", "unheard", "good")).fit(TRAIN).predict(ROWS)
    assert all(p.log_p[1] == -np.inf for p in found)


def test_one_row_a_label_is_enough_however_many_labels_there_are():
    labels = tuple(f"l{i}" for i in range(30))
    train = [Example(label, {"text": f"word{label} said"}, label) for label in labels]
    found = built(labels).fit(train).predict(train)
    assert [p.label for p in found] == list(labels)


def test_one_label_alone_is_certain():
    found = built().fit(TRAIN[:3]).predict(ROWS)
    assert [(p.label, p.log_p) for p in found] == [("good", (-np.inf, 0.0))] * 2


def test_texts_without_a_word_are_no_stumbling_block():
    odd = [Example("a", {"text": "!!!"}, "good"), Example("b", {"text": "???"}, "bad")]
    assert [p.label for p in built().fit(odd).predict(odd)] == ["good", "bad"]


def test_what_was_saved_says_the_same_and_is_json_and_safetensors(tmp_path):
    strategy = built().fit(TRAIN)
    strategy.save(tmp_path)
    assert {file.suffix for file in tmp_path.iterdir()} == {".json", ".safetensors"}
    assert built().restore(tmp_path).predict(ROWS) == strategy.predict(ROWS)
    (tmp_path / "vocabulary.json").write_text(json.dumps({"words": ["a"], "letters": ["b"]}))
    with pytest.raises(StoreError, match="save the model again"):
        built().restore(tmp_path)


def test_it_counts_its_weights_and_rows():
    strategy = built().fit(TRAIN)
    n_weights = strategy.cost.trained_parameters
    assert n_weights == strategy.weights_.size + 2
    strategy.predict(ROWS)
    assert (strategy.cost.rows, strategy.cost.trained_parameters) == (2, n_weights)


@pytest.mark.parametrize("c", ["chose", 0, -1.0, True])
def test_a_penalty_that_is_none_is_an_error(c):
    with pytest.raises(SpecError, match="option 'c'"):
        built(c=c)


def test_the_seed_is_told_only_where_it_matters():
    assert "seed" in built().describe()
    assert "seed" not in built(c=1.0).describe()
