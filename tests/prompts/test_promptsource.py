"""Templates of promptsource by promptsource's rules, hand-computed and against plain Jinja."""

from __future__ import annotations

import random
from pathlib import Path

import jinja2
import pytest

from promptkit.errors import DataError, SpecError
from promptkit.prompts.import_promptsource import labels_known
from promptkit.prompts.importing import import_file
from promptkit.prompts.peer_keys import PromptsourceKeys
from promptkit.prompts.promptsource import HIDDEN, PromptsourceTask
from promptkit.types import Example, Piece, flat
from tests.conftest import REFERENCE

FILES = sorted((REFERENCE / "peer_formats" / "promptsource").rglob("templates.yaml"))


def task_of(jinja: str, choices: str | None = None, **more) -> PromptsourceTask:
    return PromptsourceTask(PromptsourceKeys(jinja=jinja, answer_choices=choices, **more), "t.yaml")


def said(task: PromptsourceTask, row: dict, row_id: str = "r1") -> list[str]:
    return [flat(part) for part in task.parts(row, row_id)]


def test_input_and_target_are_parted_after_rendering_and_stripped():
    task = task_of(
        "{{ text }} \n\nGood or bad? ||| \n{{ answer_choices[label] }}\n", "bad ||| good "
    )
    assert said(task, {"text": " Fine film. ", "label": 1}) == [
        "Fine film.  \n\nGood or bad?",
        "good",
    ]


def test_a_separator_inside_a_condition_leaves_other_rows_out():
    task = task_of("{% if kind == 2 %}\n{{ text }}?\n|||\n{{ answer_choices[fine - 24] }}\n"
                   "{% endif %}", "definition ||| description ||| manner ||| reason")  # fmt: skip
    assert said(task, {"kind": 2, "text": "Why is it so", "fine": 27}) == [
        "Why is it so?",
        "reason",
    ]
    assert said(task, {"kind": 1, "text": "Who", "fine": 3}) == [""]


def test_separators_in_texts_of_a_row_part_nothing():
    task = task_of("{{ text }} ||| {{ answer_choices[label] }}", "{{ one }}|||{{ two }}")
    row = {"text": "a ||| b", "one": "x|||y", "two": " z ", "label": 0}
    assert said(task, row | {"label": 1}) == ["a ||| b", "z"]
    assert task.choices(row, "r1") == ["x|||y", "z"]
    with pytest.raises(DataError, match="renders to 3 parts"):  # as promptsource has it
        task.parts(row, "r1")


def test_separators_in_lists_of_a_row_do_part_as_in_promptsource():
    task = task_of("{{ texts[0] }} ||| {{ label }}")
    with pytest.raises(DataError, match=r"row 'r1': t\.yaml renders to 3 parts"):
        task.parts({"texts": ["a ||| b"], "label": "x"}, "r1")


def test_what_is_not_there_prints_nothing():
    assert said(task_of("{{ text }}{{ missing }}! ||| {{ label }}"), {"text": "Hi"}) == [
        "Hi!",
        "",
    ]


def test_lists_are_changed_and_the_row_is_not():
    task = task_of(
        "{% set l = words %}{% for i in range(2) %}{{ l.append(i | string) or '' }}{% endfor %}"
        "{{ l | join('-') }} {% set n = namespace(k=0) %}{% for w in words %}"
        "{% set n.k = n.k + 1 %}{% endfor %}{{ n.k }} ||| "
        "{% for a, b in zip(words, [1, 2]) %}{{ a }}{{ b }}{% endfor %}"
    )
    row = {"words": ["x", "y"]}
    assert said(task, row) == ["x-y-0-1 4", "x1y2"]
    assert row == {"words": ["x", "y"]}


def test_what_is_drawn_depends_on_the_row_alone():
    task = task_of("{{ ['a', 'b', 'c', 'd'] | choice }}{{ ['a', 'b'] | random }} ||| x")
    drawn = {number: said(task, {}, f"row {number}")[0] for number in range(40)}
    assert drawn == {number: said(task, {}, f"row {number}")[0] for number in range(40)}
    assert len(set(drawn.values())) == 8


def test_filters_of_promptsource():
    task = task_of("{{ ['b', 'a', 'b', 'a', 'c'] | most_frequent }} {{ 'x' | highlight }} ||| x")
    assert said(task, {})[0] == "['b', 'a'] <span style='color: #F08080'>x</span>"


def test_values_are_cut_as_promptsource_cuts_them():
    words = " ".join(["word"] * 600)  # 2,999 characters
    task = task_of("{{ text }} ||| {{ label }}", truncate=True)
    # 2,045 characters and the dots; the last of them stands in the middle of a word, which goes
    assert said(task, {"text": words, "label": 3}) == [" ".join(["word"] * 409) + "...", "3"]
    assert said(task, {"text": "x" * 2053, "label": 3})[0] == "x" * 2053


def test_pieces_know_what_came_from_the_row():
    input_, target = task_of("Text: {{ text }}! ||| {{ label }}").parts(
        {"text": "<s>", "label": "y"}, "r"
    )
    assert input_ == (Piece("Text: "), Piece("<s>", row=True), Piece("!"))
    assert target == (Piece("y", row=True),)


def test_text_that_was_captured_counts_as_the_rows():
    (input_, _) = task_of("{% set x %}{{ text }}{% endset %}{{ x | length }} ||| y").parts(
        {"text": "four"}, "r"
    )
    assert input_ == (Piece("4", row=True),)


@pytest.mark.parametrize(
    "jinja",
    [
        "{{ cycler.__init__.__globals__ }} ||| x",
        "{% set l = [1] %}{% for i in range(40) %}{{ l.append(l) }}{% endfor %}{{ l }} ||| x",
        "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %} ||| x",
        "{{ '%99999999d' | format(1) }} ||| x",
        "{{ 'a' * 99999999 }} ||| x",
    ],
)
def test_hostile_templates_are_stopped(jinja):
    with pytest.raises(DataError, match="cannot be rendered"):
        task_of(jinja).parts({"text": "x"}, "r")


def test_templates_reach_no_files():
    with pytest.raises(SpecError, match="a template is one file"):
        task_of("{% include '/etc/passwd' %} ||| x")


def test_a_column_of_choices_is_refused():
    with pytest.raises(DataError, match="rename the column"):
        task_of("{{ text }} ||| x").parts({"answer_choices": "a", "text": "b"}, "r")


@pytest.mark.parametrize(
    ("jinja", "choices", "expected"),
    [
        ("{{ text }} ||| {{ answer_choices[label] }}", "a ||| b", {0: "a", 1: "b"}),
        ("{{ text }} ||| {{ answer_choices[label - 5] }}", "a ||| b", {5: "a", 6: "b"}),
        ("{{ text }} ||| {{ answer_choices[1 - label] }}", "a ||| b", {0: "b", 1: "a"}),
        ("{{ text }} ||| {{ label }}", "a ||| b", {"a": "a", "b": "b"}),
        ("{{ text }} ||| {{ {'A': 'a', 'B': 'b'}[label] }}", "a ||| b", {"A": "a", "B": "b"}),
        ("{% if k == 3 %}{{ text }} ||| {{ answer_choices[label] }}{% endif %}", "a ||| b",
         {0: "a", 1: "b"}),
        ("{{ text }} ||| {{ answer_choices[label] }}", "{{ x }} ||| b", None),
        ("{{ text }} ||| {{ answer_choices[label] }} it is", "a ||| b", None),
    ],
)  # fmt: skip
def test_which_value_of_the_label_leads_to_which_choice_is_tried(jinja, choices, expected):
    task = task_of(jinja, choices)
    assert labels_known(task, *task.variables()) == expected


def by_plain_jinja(jinja: str, choices: str | None, row: dict) -> list[str]:
    """promptsource's own rules, without a sandbox."""
    environment = jinja2.Environment()
    environment.globals["zip"] = zip
    environment.filters["choice"] = random.choice
    hidden = {k: v.replace("|||", HIDDEN) if isinstance(v, str) else v for k, v in row.items()}
    if choices is not None:
        rendered = environment.from_string(choices).render(**hidden)
        hidden["answer_choices"] = [c.strip().replace(HIDDEN, "|||") for c in rendered.split("|||")]
    whole = environment.from_string(jinja).render(**hidden)
    return [part.strip().replace(HIDDEN, "|||") for part in whole.split("|||")]


ROWS = [
    {"coarse_label": coarse, "fine_label": fine, "label": label}
    | dict.fromkeys(("text", "sentence", "premise", "passage"), text)
    | dict.fromkeys(("hypothesis", "question"), "It is ||| so {{ 1 }}")
    for coarse, fine, label in (
        (0, 1, -1),
        (1, 5, 0),
        (2, 25, 1),
        (3, 30, -1),
        (4, 33, 0),
        (5, 49, 1),
    )
    for text in ("A first line.\n  And <b>more</b> & more. ", "|||")
]


@pytest.mark.reference
@pytest.mark.skipif(not FILES, reason="promptsource's files do not lie beside the checkout")
def test_every_template_imports_and_renders_as_plain_jinja_renders_it():
    n = 0
    for file in FILES:
        for one in import_file(file):
            assert not one.problem
            keys = one.template.keys.promptsource
            task = PromptsourceTask(keys, one.name)
            for row in ROWS:
                expected = by_plain_jinja(keys.jinja, keys.answer_choices, row)
                assert said(task, row) == expected, one.name
                n += 1
    assert n == 138 * len(ROWS)


@pytest.mark.reference
@pytest.mark.skipif(not FILES, reason="promptsource's files do not lie beside the checkout")
def test_tricky_templates_of_promptsource_give_what_was_worked_out_by_hand():
    folder = REFERENCE / "peer_formats" / "promptsource"

    def template(file: str, name: str):
        found = {one.name: one.template for one in import_file(folder / file / "templates.yaml")}
        return found[name]

    fine = template("trec", "trec_fine_grained_abbr")
    row = Example("r", {"text": "What does CIA stand for ?", "coarse_label": 0}, 1)
    assert flat(fine.prompt(row).query) == (
        "Is this question asking for an abbreviation, expression abbreviated?\n"
        "What does CIA stand for ?"
    )
    assert flat(fine.prompt(row, [row]).shots[0].answer) == " expression abbreviated"
    assert fine.skips(Example("r", {"text": "Who ?", "coarse_label": 3}, 28))
    city = template("trec", "trec_fine_grained_loc")
    assert city.task.labels == (32, 33, 34, 35, 36)
    assert [flat(c.text) for c in city.candidates(row, "text")][:2] == [" city", " country"]
    departments = template("banking77", "banking77_choose_the_correct_department")
    asked = flat(departments.prompt(Example("r", {"text": "Where is my card?"}, 11)).query)
    assert asked.startswith("To which of the following departments in the bank can the given query "
                            "be directed?\nQuery: Where is my card? Departments:\n\n- activate my "
                            "card \n- age limit \n- apple pay")  # fmt: skip
    assert asked.endswith("\n- wrong exchange rate for cash withdrawal")
    hidden = template("super_glue/boolq", "super_glue_boolq_exam")
    row = Example("r", {"passage": "Snow is cold.", "question": "is snow warm"}, -1)
    assert flat(hidden.prompt(row).query) == (
        "EXAM\n1. Answer by yes or no.\n\nDocument: Snow is cold.\nQuestion: is snow warm?"
    )
    negated = template("imdb", "imdb_negation_template_for_positive_and_negative")
    with pytest.raises(DataError, match=r"row 'r': the target 'positive review\.' is not"):
        negated.target(Example("r", {"text": "Dull."}, 0))


def test_a_broken_template_holds_up_no_other(tmp_path: Path):
    file = tmp_path / "templates.yaml"
    file.write_text(
        "dataset: mine\ntemplates:\n"
        "  a: !Template {name: Good one!, jinja: '{{ text }} ||| {{ answer_choices[label] }}',"
        " answer_choices: 'no ||| yes', metadata: !TemplateMetadata {languages: [en]}}\n"
        "  b: !Template {name: broken, jinja: '{{ text '}\n"
        "  c: !Template {name: parted, jinja: '{{ text }}'}\n",
        encoding="utf-8",
    )
    good, broken, parted = import_file(file)
    assert (good.name, good.template.task.labels) == ("mine_good_one", (0, 1))
    assert "template 'broken'" in broken.problem
    assert "has no '|||'" in parted.problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "dataset: x\ntemplates: !!python/object:os.system {}\n",
            "could not determine a construct",
        ),
        ("dataset: &a [x]\ntemplates: *a\n", "no YAML alias"),
        ("dataset: x\ntemplates: [1]\n", "is no templates.yaml"),
        ("- 1\n", "is neither a templates.yaml"),
    ],
)
def test_files_that_are_none_are_told(text, message, tmp_path: Path):
    file = tmp_path / "templates.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=message):
        import_file(file)
