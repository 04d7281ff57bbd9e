"""Whole data sets looked over: what is read, what stops it, and what is left out."""

import json

import pandas
import pytest

from promptkit import check_data
from promptkit.data.inspection import lengths, looking
from promptkit.errors import DataError, MissingExtra, SpecError

pytest.importorskip("datasketch")


def kinds(data, **options):
    options.setdefault("language", "any")
    return {one.kind: one for one in check_data(data, **options).findings}


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


SENTENCES = [f"a row of words, number {n * 7919 % 1000} of those {n}" for n in range(12)]
CLEAN = [{"text": text, "label": "xy"[n % 2]} for n, text in enumerate(SENTENCES)]


def test_clean_rows_are_found_clean():
    found = check_data(CLEAN)
    assert found.findings == ()
    assert found.ok
    assert "nothing found" in str(found)
    assert repr(found) == "<CheckedData of 12 rows: nothing found>"


def test_splits_of_a_folder_are_compared(home):
    (home / "set").mkdir()
    (home / "set" / "train.jsonl").write_text(lines(*CLEAN))
    copied = [{**CLEAN[0]}, {**CLEAN[1], "text": CLEAN[1]["text"].upper() + "."},
              {**CLEAN[2], "text": CLEAN[2]["text"] + " s"}]  # fmt: skip
    (home / "set" / "test.jsonl").write_text(lines(*copied))
    found = kinds("set")
    assert {name: one.n for name, one in found.items() if "leak" in name} == {
        "leak": 1, "leak-folded": 1, "leak-near": 1,
    }  # fmt: skip
    assert found["leak"].spots[0].note == "as in set/train.jsonl line 1"
    assert found["leak-near"].spots[0].note.endswith("like set/train.jsonl line 3")
    assert "leak" not in kinds("set", split="test")
    with pytest.raises(SpecError, match="no split 'dev'; known: test, train"):
        check_data("set", split="dev")


def test_a_leak_is_told_even_where_a_row_of_its_own_split_is_more_like_it():
    text = "the parcel came on {} and was left with the neighbours of the house"
    train = [{"text": text.format("Monday morning"), "label": "x"}]
    test = [{"text": text.format("Monday evening"), "label": "x"},
            {"text": text.format("Monday evenings"), "label": "x"}]  # fmt: skip
    assert kinds({"train": train, "test": test}, near=0.7)["leak-near"].n == 2


def test_a_broken_file_is_a_finding_and_the_others_are_read(home):
    (home / "set").mkdir()
    (home / "set" / "train.csv").write_text("text,label\na row,x\nanother\nand more,x\n")
    (home / "set" / "test.csv").write_text("text,label\nthe test,x\n")
    found = check_data("set", language="any")
    broken = found.findings[0]
    assert (broken.kind, broken.severity) == ("unreadable", "breaks")
    assert "set/train.csv line 3: 1 column where the header has 2" in broken.note
    assert found.inspection.splits() == {"train": 1, "test": 1}


def test_rows_are_named_by_file_and_line_of_a_pattern(home):
    for name in "ab":
        (home / f"{name}.csv").write_text(f'text,label\n"{name}\n{name}",x\n ,x\n')
    found = kinds("?.csv")["empty"]
    rows = check_data("?.csv", language="any").inspection.rows
    assert [rows[spot.row].where for spot in found.spots] == ["a.csv line 4", "b.csv line 4"]


def test_ids_and_columns(home):
    (home / "set").mkdir()
    (home / "set" / "train.jsonl").write_text(
        lines({"id": 1, "text": "a", "label": "x", "e": ""}, {"id": 1, "text": "b", "label": "x"},
              {"id": None, "text": "c", "label": "x"}, {"id": 4, "body": "d", "label": "x"})
    )  # fmt: skip
    (home / "set" / "test.jsonl").write_text(lines({"id": 4, "text": "e", "label": "x"}))
    found = kinds("set")
    assert found["repeated-id"].spots[0].note == "id '1' as in set/train.jsonl line 1"
    assert (found["no-id"].n, found["id-across"].n, found["no-column"].n) == (1, 1, 1)
    assert found["columns-differ"].note == "test lacks 'body', 'e'"
    assert found["empty-columns"].note == "'e' of train"


def test_columns_are_told_by_what_they_hold_and_it_is_said(home):
    rows = [{"n": n, "body": SENTENCES[n], "topic": "ab"[n % 2], "more": SENTENCES[-n]}
            for n in range(12)]  # fmt: skip
    found = check_data(rows, language="any").inspection
    assert (found.text_columns, found.label_column) == (("body",), "topic")
    assert any("--text-field" in note for note in found.notes)
    assert any("'more'" in note and "(--field more)" in note for note in found.notes)
    both = check_data(rows, language="any", text_field=["body", "more"]).inspection
    assert both.rows[1].text == f"{SENTENCES[1]}\n{SENTENCES[-1]}"


def test_a_column_that_is_not_there_is_refused():
    for option, told in (("text_field", "no column 'x'"), ("label_field", "no column 'x'")):
        with pytest.raises(DataError, match=told):
            check_data(CLEAN, **{option: "x"})
    with pytest.raises(DataError, match="no column reads like text"):
        check_data([{"a": 1}, {"a": 2}])


def test_frames_and_sets_of_splits_are_read():
    frame = pandas.DataFrame(CLEAN)
    assert check_data(frame, language="any").inspection.splits() == {"all": 12}
    found = check_data({"test": frame, "train": frame}, language="any")
    assert found.findings[0].kind == "leak"
    assert {found.inspection.rows[spot.row].split for spot in found.findings[0].spots} == {"test"}


def test_labels_may_be_renamed_as_elsewhere():
    rows = [{"text": text, "label": "Pos" if n % 2 else "pos"} for n, text in enumerate(SENTENCES)]
    assert "labels-alike" in kinds(rows)
    assert "labels-alike" not in kinds(rows, label_map={"Pos": "pos"})


def test_lengths_are_words_or_the_tokens_of_a_model():
    rows = [*CLEAN, {"text": "long " * 200, "label": "x"}, {"text": "長" * 1300, "label": "y"}]
    found = kinds(rows)["long"]
    assert [spot.note for spot in found.spots] == ["200 words", "1,300 characters"]
    assert found.severity == "look"
    assert kinds(rows, max_length=300).get("long") is None
    minilm = kinds(rows, model="minilm")["long"]
    assert minilm.severity == "misleads"
    assert minilm.spots[0].note == "1,302 tokens"
    assert minilm.title == "texts longer than minilm reads (256 tokens)"


def test_a_language_is_that_of_the_model_where_it_is_known(monkeypatch):
    pytest.importorskip("lingua")
    german = "Die Lieferung kam zwei Tage zu spät, und niemand hat auf die Briefe geantwortet."
    rows = [{"text": german + str(n), "label": "x"} for n in range(3)]
    assert "language" not in kinds(rows, language=None)
    assert kinds(rows, language=None, model="minilm")["language"].n == 3
    assert kinds(rows, language="en")["language"].n == 3


def test_what_is_not_installed_is_left_out_and_said(monkeypatch):
    monkeypatch.setattr(looking, "find_spec", lambda name: None)
    notes = check_data(CLEAN).inspection.notes
    assert "not looked for: near-duplicates (pip install 'promptkit[check]')" in notes
    assert "not looked at: languages (pip install 'promptkit[check]')" in notes
    monkeypatch.setattr("promptkit.data.inspection.language.find_spec", lambda name: None)
    with pytest.raises(MissingExtra):
        check_data(CLEAN, language="en")


def test_no_more_than_the_first_rows_are_read(home):
    (home / "rows.jsonl").write_text(lines(*CLEAN) + "{broken")
    assert check_data("rows.jsonl", limit=5).inspection.splits() == {"rows": 5}
    with pytest.raises(SpecError, match="--limit 0"):
        check_data("rows.jsonl", limit=0)


def test_a_frame_has_a_line_for_each_row_of_each_finding():
    rows = [*CLEAN, CLEAN[0], {"text": "", "label": "x"}]
    frame = check_data(rows, language="any").to_frame()
    assert list(frame["finding"]) == ["empty", "copy"]
    assert list(frame["line"]) == [14, 13]
    assert frame.loc[1, "text"] == CLEAN[0]["text"]


def test_the_whole_look_is_told_step_by_step():
    steps = []
    check_data(CLEAN, on_step=lambda what, done, total: steps.append(what))
    assert {"folding texts", "comparing texts", "looking at characters"} <= set(steps)


def test_half_characters_do_not_stop_the_counting():
    rows = [*CLEAN, {"text": "half \ud83d of it", "label": "x"}]
    assert kinds(rows, model="minilm")["half-character"].severity == "breaks"


def test_the_limits_are_said():
    settings = looking.Settings(max_length=9)
    assert lengths.limit_words(settings) == "length limit: 9 words"
