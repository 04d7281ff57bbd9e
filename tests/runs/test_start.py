"""What ``init`` writes: right at once, run at once, and about the user's own labels."""

import json
from pathlib import Path

import pytest

from promptkit.data.survey import survey
from promptkit.errors import SpecError, StoreError
from promptkit.prompts import find_template
from promptkit.prompts.lint import advice
from promptkit.runs import build, eval_spec, run
from promptkit.runs.start import slug, start, write

ODD = ['with "quotes"', "{{ braces }}", "colon: here", "ümläut 😀", "back\\slash", "line\nbreak",
       "yes", "null", "#no", "a\u2028b", "1e5"]  # fmt: skip


@pytest.fixture
def rows(home):
    def file(labels, name="rows.jsonl", column="label", text="text"):
        lines = [
            json.dumps(
                {text: f"what customer number {i} wrote to us", column: labels[i % len(labels)]}
            )
            for i in range(6 * len(labels))
        ]
        Path(name).write_text("\n".join(lines) + "\n")
        return name

    return file


def written(file, folder=".", **told):
    made = start(survey(file, **told), Path(folder))
    write(made)
    return made


@pytest.mark.parametrize(
    "labels",
    [
        ["not_happy", "happy"],
        ["positive", "negative", "neutral"],
        ["1", "2", "3", "4", "5"],
        [0, 1],
        [True, False],
        [0.5, 1.5],
        ODD,
        [f"intent_{i}" for i in range(77)],
        ["a b", "a_b", "a-b"],
    ],
    ids=str,
)
def test_both_files_are_right_and_run_as_they_are(rows, labels):
    made = written(rows(labels))
    template = find_template(str(made.template))
    told = [one for one in advice(template) if "holds" not in one]
    assert told == []
    record = run(build(eval_spec(str(made.spec), {"backend": "fake"})))
    assert {(type(one), one) for one in record.labels} == {(type(one), one) for one in labels}
    assert record.report.n == 6 * len(labels)
    assert record.report.n_unscored == 0


def test_words_come_from_the_names_of_labels(rows):
    labels = find_template(str(written(rows(["not_happy", "veryHappy"])).template)).keys.labels
    assert labels["not_happy"].words == ["not happy"]
    assert labels["not_happy"].statements[1] == "This text is about not happy."


def test_labels_called_much_the_same_keep_words_of_their_own(rows):
    made = written(rows(["a b", "a_b"]))
    labels = find_template(str(made.template)).keys.labels
    assert [said.words for said in labels.values()] == [["a b"], ["a_b"]]
    assert "EDIT: another label is called much the same" in made.template_text


def test_labels_of_feelings_are_said_as_the_box_says_them(rows):
    labels = find_template(str(written(rows(["positive", "negative"])).template)).keys.labels
    assert len(labels["positive"].statements) > 5


def test_numbers_are_to_be_edited(rows):
    assert written(rows(["0", "1"])).template_text.count("EDIT: say in words what") == 2


def test_stars_are_said_in_words_that_are_called_a_guess(rows):
    made = written(rows([1, 2, 3, 4, 5], column="stars"))
    labels = find_template(str(made.template)).keys.labels
    words = [said.words[0] for said in labels.values()]
    assert words == ["terrible", "bad", "okay", "good", "great"]
    assert made.template_text.count("a guess: say what it means") == 5


def test_the_columns_and_the_file_are_named_in_the_spec(rows, home):
    Path("data").mkdir()
    file = rows(["a", "b"], name="data/My Rows.jsonl", column="out come", text="body: x")
    made = written(file, "specs/new")
    assert made.spec == Path("specs/new/my_rows.yaml")
    assert made.template == Path("specs/new/my_rows_template.yaml")
    spec = eval_spec(str(made.spec), {"backend": "fake"})
    assert (spec.text_field, spec.label_field) == ("body: x", "out come")
    assert '"../../data/My Rows.jsonl"' in made.spec_text
    assert len(build(spec).data) == 12


def test_an_id_column_is_used(home):
    lines = [json.dumps({"ticket_id": f"T{i}", "text": f"what customer number {i} wrote",
                         "label": "ab"[i % 2]}) for i in range(8)]  # fmt: skip
    Path("rows.jsonl").write_text("\n".join(lines))
    trial = build(eval_spec(str(written("rows.jsonl").spec), {"backend": "fake"}))
    assert trial.data.examples[3].id == "T3"


def test_what_is_in_the_way_stands_in_the_spec(rows):
    file = rows(["a", "b"])
    with Path(file).open("a") as opened:
        opened.write('{"text": "", "label": "a"}\n')
    assert "# BEFORE IT RUNS: 1 row without text (line 13)" in written(file).spec_text


def test_nothing_is_written_over_unless_it_is_asked_for(rows):
    made = written(rows(["a", "b"]))
    made.template.write_text("mine")
    made.spec.unlink()
    with pytest.raises(SpecError, match="is there already, perhaps edited; --force"):
        write(made)
    assert not made.spec.exists()
    assert made.template.read_text() == "mine"
    write(made, force=True)
    assert made.template.read_text(encoding="utf-8") == made.template_text


def test_a_folder_that_cannot_be_written_is_told(rows):
    file = rows(["a", "b"])
    Path("taken").write_text("")
    with pytest.raises(StoreError, match="--output DIR writes elsewhere"):
        written(file, "taken")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("My Data.csv", "my_data"), ("a/b/train.csv.gz", "train"), ("数据.csv", "rows"),
     ("2024-01.tsv", "2024_01")],
)  # fmt: skip
def test_a_template_is_called_like_the_file(name, expected):
    assert slug(Path(name)) == expected
