"""Task files of lm-evaluation-harness: what is imported, and what is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptkit.errors import CapabilityError, DataError, SpecError
from promptkit.prompts import trust
from promptkit.prompts.import_lm_eval import lm_eval_template, task_content
from promptkit.prompts.importing import import_file
from promptkit.types import Example, flat
from tests.conftest import REFERENCE

TASKS = REFERENCE / "peer_formats" / "lm_eval"
TASK = """
task: moods
output_type: multiple_choice
doc_to_text: "{{ text }}\\nMood:"
doc_to_target: label
doc_to_choice: [low, high]
"""


def written(
    folder: Path, text: str = TASK, *changes: tuple[str, str], name: str = "t.yaml"
) -> Path:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def template_of(path: Path):
    (one,) = import_file(path)
    assert not one.problem, one.problem
    return one.template


def test_a_task_of_fixed_choices_is_a_classification(tmp_path):
    template = template_of(written(tmp_path))
    assert (template.task.kind, template.task.fields) == ("classify", ("text",))
    assert template.task.labels == (0, 1)
    prompt = template.prompt(Example("a", {"text": "Fine."}), [Example("b", {"text": "Bad."}, 0)])
    assert flat(prompt.query) == "Fine.\nMood:"
    assert flat(prompt.shots[0].query + prompt.shots[0].answer) == "Bad.\nMood: low"
    said = [flat(one.text) for one in template.candidates(Example("a", {"text": "x"}), "text")]
    assert said == [" low", " high"]


@pytest.mark.parametrize(
    ("target", "labels"),
    [
        ('"{{ [\'high\', \'low\'][label] }}"', {1: "low", 0: "high"}),
        ('"{{ 1 - label }}"', {1: "low", 0: "high"}),
        ('"{{ {\'sad\': 0, \'gay\': 1}[label] }}"', {"sad": "low", "gay": "high"}),
    ],
)  # fmt: skip
def test_what_a_label_leads_to_is_tried(target, labels, tmp_path):
    template = template_of(
        written(tmp_path, TASK, ("doc_to_target: label", f"doc_to_target: {target}"))
    )
    words = {label: said.words[0] for label, said in template.keys.labels.items()}
    assert list(words.items()) == list(labels.items())


def test_rows_with_their_own_choices_say_themselves_what_is_right(tmp_path):
    template = template_of(written(
        tmp_path, TASK, ("[low, high]", '"{{ options.text }}"'),
        ("doc_to_target: label", 'doc_to_target: "{{ options.label.index(key) }}"'),
    ))  # fmt: skip
    row = Example(
        "a", {"text": "Q", "options": {"text": ["x", "y"], "label": ["A", "B"]}, "key": "B"}
    )
    assert (template.task.kind, template.task.fields) == ("choose", ("text", "options"))
    assert template.target(row) == 1
    assert [flat(one.text) for one in template.candidates(row, "text")] == [" x", " y"]
    assert template.prepared(row).fields["answer_choices"] == ["x", "y"]


def test_a_row_whose_answer_is_no_choice_is_told(tmp_path):
    template = template_of(written(
        tmp_path, TASK, ("[low, high]", "options"), ("doc_to_target: label", "doc_to_target: key")
    ))  # fmt: skip
    with pytest.raises(DataError, match=r"row 'a': what is right \(\[-100\]\)"):
        template.target(Example("a", {"text": "Q", "options": ["x", "y"], "key": "z"}))


def test_a_column_that_is_not_there_is_told(tmp_path):
    template = template_of(written(tmp_path))
    with pytest.raises(DataError, match=r"row 'a': .* cannot be rendered: 'text' is undefined"):
        template.prompt(Example("a", {"words": "x"}))


def test_the_description_stands_before_everything_without_a_separator(tmp_path):
    template = template_of(written(tmp_path, TASK + 'description: "Of {{ text }}: "\n'))
    prompt = template.prompt(Example("a", {"text": "x"}), [Example("b", {"text": "y"}, 1)])
    from promptkit.prompts.flatten import flatten

    assert flat(flatten(prompt).text) == "Of x: y\nMood: high\n\nx\nMood:"


def test_included_files_are_read_and_own_keys_win(tmp_path):
    written(tmp_path, TASK, name="_base")
    path = written(tmp_path, "include: _base\ntask: other\ndoc_to_choice: [a, b]\n")
    assert template_of(path).name == "other"
    assert task_content(path)["doc_to_choice"] == ["a", "b"]
    written(tmp_path, "include: t.yaml\n", name="_base")
    with pytest.raises(SpecError, match="include each other"):
        lm_eval_template(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ((("multiple_choice", "generate_until"),), "output_type is 'generate_until'"),
        ((("task: moods", "group: all\ntask: [a, b]"),), "is a group of tasks"),
        ((("doc_to_text", "doc_to_txt"),), "unknown key 'doc_to_txt'; did you mean 'doc_to_text'"),
        ((("task: moods", "use_prompt: 'promptsource:x'\ntask: moods"),), "'use_prompt' is"),
        ((("task: moods", "task: moods\nmetric_list: [{metric: bleu}]"),), "metric 'bleu'"),
        ((('"{{ text }}', '"{{ text '),), "t.yaml"),
        ((("[low, high]", "!function utils.choices"),),
         r"runs Python functions \(doc_to_choice: utils.choices\); .* --trust-code"),
        ((("label\n", "label\nprocess_docs: !function utils.docs\n"),), "process_docs: utils.docs"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_named(changes, message, tmp_path):
    with pytest.raises(SpecError, match=message):
        import_file(written(tmp_path, TASK, *changes))


FUNCTIONS = """
from pathlib import Path
Path(__file__).with_name("ran").touch()
def text(doc): return doc["text"].upper()
def docs(data): return data.filter(lambda doc: doc["label"] < 2)
def worst(items): return min(items)
"""


def test_functions_run_where_code_is_trusted_and_nowhere_else(tmp_path, monkeypatch):
    (tmp_path / "utils.py").write_text(FUNCTIONS, encoding="utf-8")
    path = written(
        tmp_path, TASK + "process_docs: !function utils.docs\nmetric_list:\n"
        "  - {metric: acc, aggregation: !function utils.worst}\n",
        ('"{{ text }}\\nMood:"', "!function utils.text"),
    )  # fmt: skip
    with pytest.raises(SpecError, match=r"doc_to_text: utils\.text.*acc.*|--trust-code"):
        import_file(path)
    assert not (tmp_path / "ran").exists()
    monkeypatch.setattr(trust, "_allowed", True)
    (one,) = import_file(path)
    assert [file.name for file in one.files] == ["utils.py"]
    assert flat(one.template.prompt(Example("a", {"text": "fine"})).query) == "FINE"
    monkeypatch.setattr(trust, "_allowed", False)
    file = tmp_path / "moods.yaml"
    file.write_text(one.text, encoding="utf-8")
    from promptkit.prompts import find_template

    with pytest.raises(SpecError, match=r"doc_to_text runs utils\.py:text.*--trust-code"):
        find_template(str(file))


def test_keys_that_are_there_and_say_nothing_are_no_hindrance(tmp_path):
    more = "use_prompt: null\nunsafe_code: false\nfilter_list: null\nprocess_docs: null\n"
    assert template_of(written(tmp_path, TASK + more)).name == "moods"


def test_modules_of_folders_below_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(trust, "_allowed", True)
    path = written(tmp_path, TASK, ("[low, high]", "!function lib.utils.choices"))
    with pytest.raises(SpecError, match="must be a file beside the task"):
        import_file(path)


def test_functions_of_other_folders_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(trust, "_allowed", True)
    (tmp_path / "tasks").mkdir()
    (tmp_path / "utils.py").write_text("def text(doc): return ''", encoding="utf-8")
    template = written(tmp_path / "tasks", (
        "name: t\ndescription: x\ntask: {kind: choose, choices: answer_choices, fields: [a]}\n"
        "labels: open\nlm_eval:\n  task: t\n  doc_to_text: x\n  doc_to_target: 0\n"
        "  doc_to_choice: [a, b]\n  functions: {doc_to_text: '../utils.py:text'}\n"
    ))  # fmt: skip
    from promptkit.prompts import find_template

    with pytest.raises(SpecError, match="lies outside"):
        find_template(str(template))


def test_choices_that_are_what_is_asked_need_the_profile(tmp_path):
    template = template_of(written(
        tmp_path, TASK, ('"{{ text }}\\nMood:"', '"{{ answer - 1 }}"'),
        ("[low, high]", '"{{ [text + \' one\', text + \' two\'] }}"'),
        ("doc_to_target: label", "doc_to_target: rest"),
    ))  # fmt: skip
    with pytest.raises(CapabilityError, match="--profile lm-eval"):
        template.prompt(Example("a", {"text": "x", "answer": 2, "rest": "y"}))


@pytest.mark.reference
@pytest.mark.skipif(not TASKS.is_dir(), reason="the harness's task files do not lie beside")
def test_tasks_of_the_harness_import_unless_they_run_functions():
    functions = {"ag_news", "cb", "copa", "hellaswag", "mnli", "winogrande"}
    for path in sorted(TASKS.glob("*.yaml")):
        if path.stem in functions:
            with pytest.raises(
                SpecError, match=r"runs Python functions \(.*(task|utils|aggreg|prepr)"
            ):
                import_file(path)
        else:
            assert template_of(path).name == path.stem
