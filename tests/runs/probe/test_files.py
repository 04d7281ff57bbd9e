"""Probing sets from files; what is wrong with one is told by file, line and reason."""

import json

import pytest

from promptkit.errors import DataError, SpecError
from promptkit.runs.probe import read_task

ROW = {"tokens": ["The", "cat", "sleeps"],
       "targets": [{"span1": [1, 2], "span2": None, "label": "NOUN"},
                   {"span1": [2, 3], "span2": None, "label": "VERB"}]}  # fmt: skip
CONLLU = """# text = The cat sleeps
1\tThe\t_\tDET\tDT\t_\t2\tdet\t_\t_
2-3\tcat's\t_\t_\t_\t_\t_\t_\t_\t_
2\tcat\t_\tNOUN\tNN\t_\t3\tnsubj\t_\t_
3\tsleeps\t_\tVERB\tVBZ\t_\t0\troot\t_\t_
3.1\tghost\t_\tVERB\t_\t_\t_\t_\t_\t_

1\tDogs\t_\tNOUN\tNNS\t_\t2\tnsubj\t_\t_
2\tbark\t_\tVERB\tVBP\t_\t0\troot\t_\t_
"""


def written(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def rows(n=8):
    return [ROW | {"tokens": ["The", f"cat{i}", "sleeps"]} for i in range(n)]


def test_jsonl_is_parted_by_sentence(tmp_path):
    task = read_task(written(tmp_path / "pos.jsonl", [*rows(), *rows()]))
    assert (task.name, task.labels) == ("pos", ("NOUN", "VERB"))
    assert (len(task.train), len(task.test)) == (12, 4)
    assert not {row.words for row in task.train} & {row.words for row in task.test}
    assert read_task(str(tmp_path / "pos.jsonl"), seed=1) != task


def test_a_folder_has_its_own_sides(tmp_path):
    written(tmp_path / "train.jsonl", rows(5))
    written(tmp_path / "test.jsonl", rows(2))
    task = read_task(str(tmp_path))
    assert (len(task.train), len(task.test)) == (5, 2)


@pytest.mark.parametrize(
    ("column", "labels"), [("upos", ("DET", "NOUN", "VERB")), ("xpos", ("DT", "NN", "VBZ")),
                           ("deprel", ("det", "nsubj"))])  # fmt: skip
def test_conllu_gives_tags_and_arcs(column, labels, tmp_path):
    (tmp_path / "train.conllu").write_text(CONLLU)
    (tmp_path / "test.conllu").write_text(CONLLU)
    task = read_task(str(tmp_path), column)
    assert set(labels) <= set(task.labels)
    first = task.train[0]
    assert first.words == ("The", "cat", "sleeps")
    if column == "deprel":
        assert [(t.span, t.second, t.label) for t in first.targets] == [
            ((1, 2), (0, 1), "det"), ((2, 3), (1, 2), "nsubj")]  # fmt: skip


def test_columns_of_tags(tmp_path):
    text = "-DOCSTART- -X- O\n\nAnna NNP B-PER\nsleeps VBZ O\n\nIn IN O\nLeeds NNP B-LOC\n" * 2
    (tmp_path / "ner.bio").write_text(text.replace("In", "At", 1))
    task = read_task(str(tmp_path / "ner.bio"))
    assert {t.label for row in task.train + task.test for t in row.targets} == {
        "B-PER", "B-LOC", "O"}  # fmt: skip


def test_minimal_pairs_are_known_by_their_fields(tmp_path):
    pairs = [{"sentence_good": f"Dogs {i} bark.", "sentence_bad": f"Dogs {i} barks.",
              "paradigm": "agreement"} for i in range(3)]  # fmt: skip
    task = read_task(written(tmp_path / "pairs.jsonl", pairs))
    assert len(task.pairs) == 3
    assert task.pairs[0].paradigm == "agreement"


def test_what_is_in_the_box_is_sound():
    pos, dep = read_task("pos"), read_task("dep")
    assert len(pos.train) + len(pos.test) == 74
    assert {"NOUN", "VERB", "DET", "ADP"} <= set(pos.labels)
    assert {"nsubj", "obj", "det"} <= set(dep.labels)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: not a JSON object"),
        (json.dumps(ROW | {"tokens": []}), "line 2: 'tokens' must be a list of words"),
        (json.dumps(ROW | {"tokens": ["a", " ", "b"]}), "line 2: word 1 is empty"),
        (json.dumps(ROW | {"targets": {}}), "line 2: 'targets' must be a list"),
        (json.dumps(ROW | {"targets": [{"span1": [2, 4], "label": "x"}]}),
         r"line 2, target 0: span1 \[2, 4\] lies outside of its 3 words"),
        (json.dumps(ROW | {"targets": [{"span1": [1, 1], "label": "x"}]}), "lies outside"),
        (json.dumps(ROW | {"targets": [{"span1": [1], "label": "x"}]}),
         r"'span1' is \[1\]; it must be \[first word"),
        (json.dumps(ROW | {"targets": [{"span1": [True, 2], "label": "x"}]}), "'span1' is"),
        (json.dumps(ROW | {"targets": [{"span1": [0, 1]}]}), "'label' is None"),
        (json.dumps(ROW | {"targets": [3]}), "target 0: not an object"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_told(broken, said, tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps(ROW) + "\n" + broken + "\n")
    with pytest.raises(DataError, match=said) as caught:
        read_task(str(file))
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.conllu", "1\tThe\tDET\n", "line 1: 3 columns; CoNLL-U has ten"),
        ("a.conllu", "2\tx\t_\tX\t_\t_\t0\troot\t_\t_\n", "line 1: word 2 stands at place 1"),
        ("a.conllu", "1\tx\t_\tX\t_\t_\t7\tdet\t_\t_\n", "line 1: head '7' is no word"),
        ("a.bio", "Anna B\nsleeps x O\n", "line 2: 3 columns, and the first line has 2"),
        ("a.jsonl", '{"sentence_good": "a b", "sentence_bad": "a b"}\n', "are the same"),
        ("a.jsonl", '{"sentence_good": "a b", "sentence_bad": ""}\n', "'sentence_bad' is ''"),
    ],
)
def test_a_wrong_file_is_told(name, text, said, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=said):
        read_task(str(tmp_path / name), "deprel")


def test_what_there_is_not_is_refused(tmp_path):
    with pytest.raises(SpecError, match="did you mean 'pos'"):
        read_task("poss")
    with pytest.raises(SpecError, match="--column 'tags'"):
        read_task("pos", "tags")
    with pytest.raises(SpecError, match="holds train and test files"):
        read_task(str(tmp_path))
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(SpecError, match="ends in"):
        read_task(str(tmp_path / "x.txt"))
    (tmp_path / "x.jsonl").write_bytes(b'{"tokens": ["a"]}\n{"tokens": ["\xff"]}\n')
    with pytest.raises(DataError, match="line 2: not UTF-8"):
        read_task(str(tmp_path / "x.jsonl"))
    both = [*rows(4), {"tokens": ["a", "b"], "targets": [
        {"span1": [0, 1], "span2": [1, 2], "label": "x"}]}]  # fmt: skip
    with pytest.raises(DataError, match="some targets have two spans"):
        read_task(written(tmp_path / "both.jsonl", both))
