"""Templates of the box as other tools read them: the same prompts to the letter."""

from __future__ import annotations

import json

import pytest

from promptkit.box import box
from promptkit.errors import CapabilityError, SpecError
from promptkit.prompts import find_template, template_paths
from promptkit.prompts.exporting import export_text
from promptkit.prompts.flatten import flatten
from promptkit.prompts.importing import import_file
from promptkit.types import Example, flat

EXPORTED = [
    name
    for name in template_paths()
    if (one := find_template(name)).task.kind in ("classify", "choose")
    and (one.choosing or not one.open)
]


def examples(template) -> list[Example]:
    data = template.keys.data or "customer_reviews"
    if template.task.fields != ("text",) and not template.keys.data:
        data = "entailment"
    lines = (box("evals") / "data" / data / "test.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines[:6]]
    own = [] if template.choosing else list(template.task.labels)
    return [
        Example(row["id"], {name: row[name] for name in template.task.fields},
                row["label"] if template.choosing else own[place % len(own)])
        for place, row in enumerate(rows)
    ]  # fmt: skip


def again(template, to, tmp_path):
    text, notes = export_text(template, to)
    path = tmp_path / "templates.yaml"
    path.write_text(text, encoding="utf-8")
    (one,) = import_file(path)
    assert not one.problem, one.problem
    return one.template, notes


@pytest.mark.parametrize("name", EXPORTED)
def test_a_task_of_the_harness_says_what_the_template_says(name, tmp_path):
    template = find_template(name)
    other, _ = again(template, "lm-eval", tmp_path)
    first, *rest = examples(template)
    for shots in ([], rest[:3]):
        mine, theirs = template.prompt(first, shots), other.prompt(other.prepared(first), shots)
        if template.keys.chat:  # said as a text there
            from dataclasses import replace

            mine = replace(mine, chat=False)
        assert flat(flatten(theirs).text) == flat(flatten(mine).text)
    mine, theirs = (
        template.candidates(first, "text"),
        other.candidates(other.prepared(first), "text"),
    )
    firsts = {one.label: flat(one.text) for one in reversed(mine)}
    assert [flat(one.text) for one in theirs] == [firsts[x] for x in template.labels_of(first)]
    assert [other.target(row) for row in examples(template)] == [
        template.target(row) for row in examples(template)
    ]


@pytest.mark.parametrize("name", EXPORTED)
def test_a_template_of_promptsource_says_what_the_template_says(name, tmp_path):
    template = find_template(name)
    other, _ = again(template, "promptsource", tmp_path)
    for row in examples(template):
        mine = template.prompt(row)
        parts = [flat(part) for part in (mine.system, mine.instruction, mine.query)]
        expected = mine.separator.join(part for part in parts if part.strip()).strip()
        assert flat(other.prompt(other.prepared(row)).query) == expected
        assert other.target(row) == template.target(row)


def test_what_another_tool_cannot_say_is_told(tmp_path):
    text, notes = export_text(find_template("sentiment_chat"), "lm-eval")
    assert "left out: the chat: whether there is one is said when it is run" in notes
    with pytest.raises(CapabilityError, match="of kind 'generate'"):
        export_text(find_template("word_problems"), "lm-eval")
    with pytest.raises(SpecError, match="leaves its labels open"):
        export_text(find_template("intent_zero_shot"), "promptsource")
    with pytest.raises(SpecError, match="--to lm_eval: did you mean 'lm-eval'"):
        export_text(find_template("sentiment_zero_shot"), "lm_eval")
    assert text.startswith("# ")


@pytest.mark.parametrize("to", ["lm-eval", "promptsource"])
def test_an_imported_template_goes_back_to_where_it_came_from(to, tmp_path):
    template = find_template("sentiment_few_shot")
    other, _ = again(template, to, tmp_path)
    once_more, notes = again(other, to, tmp_path)
    assert notes == []
    row = examples(template)[0]
    assert once_more.prompt(row) == other.prompt(row).__class__(
        **{**vars(other.prompt(row)), "template": once_more.name}
    )
    with pytest.raises(SpecError, match="was imported from"):
        export_text(other, "promptsource" if to == "lm-eval" else "lm-eval")
