"""``promptkit words`` prints a block that can be pasted, and what it is worth."""

import pytest
import yaml

ROWS = "text,label\n" + "".join(
    f"{word} number {i},{label}\n"
    for i in range(6)
    for word, label in (("good", "positive"), ("bad", "negative"), ("a table", "neutral"))
)


def test_it_prints_accuracies_words_and_a_block(promptkit, home, causal_folder):
    (home / "rows.csv").write_text(ROWS)
    told = ("words", "-t", "sentiment_zero_shot", "--model", causal_folder("gpt2"))
    status, out, err = promptkit(*told, "--train-data", "rows.csv", "--top", 3)
    assert status == 0, err
    for part in ("template's words", "held-out rows", "rows chosen on", "chosen in 5 parts"):
        assert part in out
    block = out[out.index("labels:") :]
    labels = yaml.safe_load(block)["labels"]
    assert list(labels) == ["negative", "neutral", "positive"]
    assert len({keys["words"][0] for keys in labels.values()}) == 3
    assert labels["negative"]["statements"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "minilm"), "give a causal or a masked language model with --model"),
        (("--model", "minilm", "--top", "0"), "--top 0: it must be 1 or more"),
        (("--model", "minilm", "--label-map", "5"), "--label-map '5': write it as"),
    ],
)
def test_what_is_wrong_is_one_line(promptkit, options, said):
    status, _, err = promptkit("words", "-t", "sentiment_zero_shot", *options)
    assert status == 2
    assert said in " ".join(err.split())


def test_without_rows_each_label_gets_words_that_lie_near_its_own(promptkit, home, causal_folder):
    told = ("words", "-t", "sentiment_zero_shot", "--model", causal_folder("gpt2"), "--expand", 4)
    status, out, err = promptkit(*told)
    assert status == 0, err
    labels = yaml.safe_load(out[out.index("labels:") :])["labels"]
    words = [keys["words"] for keys in labels.values()]
    assert [own[0] for own in words] == ["negative", "neutral", "positive"]
    further = [word for own in words for word in own[1:]]
    assert len(further) == len({word.lower() for word in further}) == 12
    assert all(word.isalpha() for word in further)
    status, _, err = promptkit(*told, "--train-data", "rows.csv")
    assert (status, "--expand reads no rows" in err) == (2, True)
    status, _, err = promptkit(*told[:-1], 0)
    assert (status, "--expand 0: it must be 1 or more" in err) == (2, True)
    status, _, err = promptkit("words", "-t", "intent_zero_shot", *told[3:])
    assert (status, "declares no labels" in err) == (2, True)


def test_a_word_goes_to_the_label_that_it_is_nearest_to():
    import numpy as np

    from promptkit.runs.expansion import chosen

    words = ("fine", "Good", "sour", "FINE", "table")
    cosines = np.array(
        [[0.9, 1.0, 0.1, 0.8, 0.2], [0.5, 0.6, 0.2, 0.7, 0.1], [0.3, 0.2, 0.7, 0.1, 0.3]]
    )
    # good and nice stand for the first label, bad for the second
    found = chosen(words, cosines, np.array([0, 0, 1]), {"good", "nice", "bad"})
    assert found == [[("fine", 0.9)], [("sour", 0.7), ("table", 0.3)]]


def test_labels_may_be_numbers_and_are_narrowed_by_their_text(promptkit, home, causal_folder):
    (home / "t.yaml").write_text(
        "name: t\ndescription: Stars.\ntask: {fields: [text]}\n"
        'query: "{{ text }} It was"\n'
        "labels: {1: {words: [bad]}, 2: {words: [fine]}, 3: {words: [good]}}\n"
    )
    told = ("words", "-t", "t.yaml", "--model", causal_folder("gpt2"), "--expand", 2)
    status, out, err = promptkit(*told, "--labels", "1,3")
    assert status == 0, err
    labels = yaml.safe_load(out[out.index("labels:") :])["labels"]
    assert {label: keys["words"][0] for label, keys in labels.items()} == {1: "bad", 3: "good"}
