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
