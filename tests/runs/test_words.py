"""Words for labels are found where they are planted, and tried on rows that did not choose them."""

import numpy as np
import pytest

from promptkit.errors import CapabilityError, DataError, PromptkitError
from promptkit.protocols import WordSums
from promptkit.runs import EvalSpec, build, run
from promptkit.runs import words as module
from promptkit.runs.words import find_words
from promptkit.types import Cost, Evidence, flat

TEMPLATE = """\
name: mine
description: Mine.
task:
  fields: [text]
query: "{{ text }}\\nIt was"
labels:
  up: {words: [alpha], statements: [It went up.]}
  down: {words: [omega]}
"""
#: Words that the model knows. It says "the" most of all, whatever the row.
WORDS = ("the", "great", "awful", "alpha", "omega", "heart")


class Stub:
    """Knows what its words have to do with a text; counts the rows it is asked about."""

    name, reads = "stub", "text"

    def __init__(self):
        self.rows, self.asked = 0, []

    @property
    def cost(self):
        return Cost(rows=self.rows)

    def say(self, prompt):
        text = flat(prompt.query)
        said = {"the": -0.5, "great": -1.0, "awful": -1.2, "alpha": -3.0, "omega": -3.0}
        said["great" if "happy" in text else "awful"] += 0.4
        said["heart"] = -0.1 if "memorised" in text else -9.0
        return said

    def score(self, prompts, candidates):
        self.rows += len(prompts)
        found = []
        for prompt, own in zip(prompts, candidates, strict=True):
            said = self.say(prompt)
            log_p = tuple(said[flat(one.text).strip()] for one in own)
            n = len(log_p)
            found.append(Evidence(prompt.example_id, log_p, (1,) * n, (3,) * n, "stub"))
        return found

    def word_sums(self, prompts, candidates, groups, n_groups):
        self.rows += len(prompts)
        self.asked.append(len(prompts))
        sums, counts = np.zeros((n_groups, len(WORDS))), [0] * n_groups
        for prompt, group in zip(prompts, groups, strict=True):
            sums[group] += [self.say(prompt)[word] for word in WORDS]
            counts[group] += 1
        return WordSums(WORDS, sums, tuple(counts))


@pytest.fixture
def backend(monkeypatch):
    made = Stub()
    monkeypatch.setattr(module, "load_backend", lambda name, options: made)
    return made


@pytest.fixture
def asked(home):
    def make(rows=None, **options):
        (home / "mine.yaml").write_text(TEMPLATE)
        rows = rows or [
            (f"text {i} {'happy' if i % 2 else 'sad'}", "up" if i % 2 else "down")
            for i in range(20)
        ]
        lines = ["text,label", *(f"{text},{label}" for text, label in rows)]
        (home / "rows.csv").write_text("\n".join(lines) + "\n")
        return EvalSpec(template="mine.yaml", data="rows.csv", backend="fake", **options)

    return make


@pytest.mark.usefixtures("backend")
def test_the_words_that_answer_the_rows_are_found(asked):
    found = find_words(asked(), top=3)
    assert found.labels == ("up", "down")
    assert found.chosen == ("great", "awful")
    assert found.seen.value == found.held_out.value == 1.0
    assert found.by_hand.value == 0.5  # alpha and omega are even, so that "up" is always said
    assert (found.by_hand.n, found.held_out.n, found.seen.n) == (20, 20, 20)
    assert found.again == (5, 5)
    assert [word for word, _ in found.words[0]] == ["the", "great", "awful"]
    assert [log_p for _, log_p in found.words[0]] == pytest.approx([-0.5, -0.6, -1.2])
    assert not found.shown


@pytest.mark.usefixtures("backend")
def test_the_block_says_the_found_words_and_keeps_the_statements(asked):
    assert find_words(asked(), top=3).block == (
        'labels:\n  "up":\n    words: ["great"]\n    statements:\n      - "It went up."\n'
        '  "down":\n    words: ["awful"]\n'
    )


@pytest.mark.usefixtures("backend")
def test_what_is_learned_by_heart_is_seen_on_held_out_rows(asked):
    """A row has a word that no other has: it is chosen on that row, and says nothing without."""
    rows = [("memorised", "up"), ("plain one", "up"), ("plain two", "down"), ("plain 3", "down")]
    found = find_words(asked(rows), top=6)
    assert found.held_out.value < found.seen.value == 0.75


def test_the_model_is_asked_once_for_all_words_whatever_the_parts(asked, backend):
    assert find_words(asked(), top=3).cost.rows == 20 * 5
    assert backend.asked == [20]  # then their scores, by hand, held out, chosen on


@pytest.mark.usefixtures("backend")
def test_the_same_seed_finds_the_same(asked):
    one, other = (find_words(asked(seed=3)) for _ in range(2))
    assert (one.chosen, one.held_out, one.words) == (other.chosen, other.held_out, other.words)


@pytest.mark.usefixtures("backend")
def test_a_single_row_a_label_holds_nothing_out(asked):
    found = find_words(asked([("happy", "up"), ("sad", "down")]), top=3)
    assert found.held_out is None
    assert found.parts == 0
    assert found.by_hand.n == 2


@pytest.mark.usefixtures("backend")
def test_labels_without_rows_and_labels_with_the_same_words_are_refused(asked):
    with pytest.raises(DataError, match="no row has the label 'down'"):
        find_words(asked([("happy", "up"), ("glad", "up")]))
    with pytest.raises(DataError, match="try more with --top"):
        find_words(asked(), top=1)  # both say "the"


def test_a_backend_that_knows_no_words_is_refused(asked):
    with pytest.raises(CapabilityError, match="cannot be asked which words"):
        find_words(asked())


def test_rows_with_their_own_choices_have_no_words():
    with pytest.raises(PromptkitError, match="no labels that all rows share"):
        find_words(EvalSpec(template="multiple_choice", backend="fake"))


@pytest.mark.parametrize("family", ["gpt2", "roberta"])
def test_with_a_model_accuracy_is_that_of_an_evaluation(family, causal_folder, home, tmp_path):
    from tests.tiny import save_masked

    folder = save_masked(family, tmp_path / "m") if family == "roberta" else causal_folder(family)
    cloze = 'cloze: "{{ text }} It was {{ mask }}."\n'
    (home / "mine.yaml").write_text(TEMPLATE + cloze)
    texts = ["good food", "bad food", "a table", "great staff", "awful noise", "two chairs"] * 2
    lines = ["text,label", *(f"{t} {i},{'up' if i % 2 else 'down'}" for i, t in enumerate(texts))]
    (home / "rows.csv").write_text("\n".join(lines) + "\n")
    asked = EvalSpec(template="mine.yaml", data="rows.csv", model=str(folder))
    found = find_words(asked, top=4)
    before = run(build(asked)).report.find("accuracy").value
    assert found.by_hand.value == pytest.approx(before)
    (home / "mine.yaml").write_text(TEMPLATE[: TEMPLATE.index("labels:")] + found.block + cloze)
    after = run(build(asked)).report.find("accuracy").value
    assert found.seen.value == pytest.approx(after)
    assert after > before
    assert found.cost.rows > 0
