"""A round of labelling: what is read, what is left out, what is suggested."""

import csv
import json

import pytest

from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.report.to_label import to_label_csv, to_label_jsonl
from promptkit.runs import eval_spec
from promptkit.runs.label_next import WAYS, Request, label_next_of, read_round, round_of, suggest

GOOD = ("lovely", "great", "superb", "charming")
BAD = ("awful", "broken", "dreadful", "poor")
THINGS = ("soup", "bus", "film", "hotel", "phone")
TEXTS = [f"The {thing} was {word}." for thing in THINGS for word in (*GOOD, *BAD)]


def written(path, rows, columns=("text", "label")):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def label_of(text):
    return "good" if text.split()[-1].rstrip(".") in GOOD else "bad"


def asked(path, **more):
    return eval_spec(None, {"data": str(path), "strategy": "features", **more})


@pytest.fixture
def pool(home):
    return written(home / "pool.csv", [(text, "web") for text in TEXTS], ("text", "source"))


@pytest.fixture
def labelled(home):
    return written(home / "done.csv", [(text, label_of(text)) for text in TEXTS[:6]])


@pytest.mark.parametrize("by", [way for way in WAYS if way != "auto"])
def test_every_way_gives_rows_of_the_pool_once_and_the_order_of_the_file_does_not_matter(
    pool, labelled, home, by
):
    request = Request(5, by)
    found = label_next_of(asked(pool), request, str(labelled))
    texts = [row.text for row in found.rows]
    assert len(set(texts)) == 5
    assert not set(texts) & set(TEXTS[:6])
    assert (found.by, found.n_labelled, found.n_pool) == (by, 6, 34)
    turned = written(home / "turned.csv", [(text, "web") for text in reversed(TEXTS)],
                     ("text", "source"))  # fmt: skip
    again = label_next_of(asked(turned), request, str(labelled))
    assert [row.text for row in again.rows] == texts
    assert all(row.why for row in found.rows)


def test_a_model_adapted_to_labelled_rows_suggests_labels(pool, labelled):
    found = label_next_of(asked(pool), Request(10), str(labelled))
    assert found.by == "informative"
    assert sum(row.label == label_of(row.text) for row in found.rows) >= 8
    assert found.labels == ("bad", "good")
    assert any("left out, as labelled already" in note for note in found.notes)


def test_without_labelled_rows_it_is_a_draw_balanced_where_labels_are_named(pool):
    drawn = label_next_of(asked(pool), Request(4))
    assert (drawn.by, drawn.labels, drawn.model) == ("random", (), "")
    assert {row.label for row in drawn.rows} == {None}
    assert "--labels" in drawn.notes[0]
    named = label_next_of(asked(pool, labels="bad,good"), Request(4))
    assert named.by == "balanced"
    assert sorted(row.label for row in named.rows) == ["bad", "bad", "good", "good"]


def test_one_label_alone_tells_nothing_apart(pool, home):
    one = written(home / "one.csv", [(TEXTS[0], "good")])
    found = label_next_of(asked(pool), Request(3), str(one))
    assert found.by == "random"
    assert "all labelled rows are 'good'" in found.notes[0]
    assert label_next_of(asked(pool, labels="bad,good"), Request(3), str(one)).by == "balanced"
    with pytest.raises(SpecError, match="--by margin asks a model"):
        label_next_of(asked(pool), Request(3, "margin"), str(one))


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_the_output_is_filled_in_and_given_back(pool, home, ending):
    first = label_next_of(asked(pool, labels="bad,good"), Request(12))
    made = {"csv": to_label_csv, "jsonl": to_label_jsonl}[ending](first)
    file = home / f"next.{ending}"
    if ending == "csv":
        lines = list(csv.DictReader(made.splitlines()))
        assert list(lines[0]) == ["text", "source", "label", "suggested", "probability", "why"]
        assert {line["label"] for line in lines} == {""}
    else:
        lines = [json.loads(line) for line in made.splitlines()]
        assert {line["label"] for line in lines} == {None}
    for line in lines[:8]:
        line["label"] = label_of(line["text"])
    if ending == "csv":
        written(file, [line.values() for line in lines], lines[0])
    else:
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    second = label_next_of(asked(pool), Request(5), str(file))
    assert second.n_labelled == 8
    assert second.by == "informative"
    assert f"4 of 12 rows of {file} have no label yet, and are taken as unlabelled" in second.notes
    # as the pool itself: what is filled in is learned from, the rest is suggested
    alone = label_next_of(asked(file), Request(9))
    assert (alone.n_labelled, alone.n_pool, len(alone.rows)) == (8, 4, 4)
    assert alone.columns == ("text", "source")
    assert "9 rows were asked for, and 4 are left" in alone.notes


def test_copies_are_suggested_once_and_not_where_one_is_labelled(home, labelled):
    rows = [(TEXTS[0].upper(),), ("New text.",), ("new  TEXT.",), ("Another one.",)]
    file = written(home / "copies.csv", rows, ("text",))
    made = read_round(asked(file), str(labelled))
    assert sorted(row.fields["text"] for row in made.pool) == [
        "Another one.",
        "New text.",
    ] or sorted(row.fields["text"] for row in made.pool) == ["Another one.", "new  TEXT."]
    assert "copies of one text are suggested once: 3 rows have 2 different texts" in made.notes
    with pytest.raises(DataError, match="no row is left to label"):
        read_round(asked(labelled))


def test_what_cannot_be_used_is_said_in_a_line(pool, labelled, home):
    empty = written(home / "empty.csv", [("Fine.", ""), ("", "")])
    with pytest.raises(DataError, match=r"empty.csv line 3: 'text' is empty"):
        read_round(asked(empty))
    strange = written(home / "strange.csv", [(TEXTS[0], "good"), (TEXTS[1], "odd")])
    with pytest.raises(DataError, match=r"strange.csv line 3: label 'odd' is none of the task's"):
        read_round(asked(pool, labels="bad,good"), str(strange))
    named = written(home / "named.csv", [("Fine.", "so")], ("text", "why"))
    with pytest.raises(SpecError, match="has a column 'why', which is the name"):
        read_round(asked(named))
    with pytest.raises(SpecError, match=r"no way 'margins' .*did you mean 'margin'"):
        Request(by="margins")
    with pytest.raises(SpecError, match="n is 0"):
        Request(0)
    with pytest.raises(CapabilityError, match="label-next is for rows with one label"):
        read_round(asked(pool, template="star_rating"))


def test_labels_may_stand_in_a_column_that_the_pool_does_not_have(pool, home):
    done = written(home / "told.csv", [(t, label_of(t)) for t in TEXTS[:4]], ("text", "mood"))
    made = read_round(asked(pool, label_field="mood"), str(done))
    assert (len(made.labelled), made.label_column) == (4, "mood")


def test_a_large_pool_is_looked_at_in_part_and_that_is_said(pool, labelled, monkeypatch):
    from promptkit.runs.label_next import ways

    monkeypatch.setattr(ways, "LOOKED_AT", 10)
    made = read_round(asked(pool), str(labelled))
    found = suggest(made, Request(4))
    assert len(found.rows) == 4
    assert any("rows were looked at, drawn by their ids" in note for note in found.notes)


def test_rows_in_python_make_a_round_too(pool):
    made = read_round(asked(pool))
    again = round_of("rows", made.template, (), made.pool, made.rows, columns=("text",),
                     label_column="label", known=False)  # fmt: skip
    assert again.pool == made.pool
