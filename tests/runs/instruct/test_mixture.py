"""Mixtures: what is drawn from which task, in which way, and what is wrong with a file."""

import json
from collections import Counter

import pytest
import yaml

from promptkit.errors import DataError, SpecError
from promptkit.runs.instruct import read_mixture

TASK = """\
name: {name}
description: A trial.
task: {{fields: [text]}}
labels: {{good: {{words: [good]}}, bad: {{words: [bad]}}}}
variants:
  - instruction: Good or bad?
    query: "{{{{ text }}}}\\nAnswer:"
  - query: "Is this good? {{{{ text }}}}"
    labels: {{good: {{words: ["yes"]}}, bad: {{words: ["no"]}}}}
  - query: "Is this bad? {{{{ text }}}}"
    labels: {{good: {{words: ["no"]}}, bad: {{words: ["yes"]}}}}
"""


@pytest.fixture
def folder(tmp_path):
    """A mixture of two tasks, of 12 and of 3 rows."""
    for name, n in (("long", 12), ("short", 3)):
        own = tmp_path / "tasks" / name
        own.mkdir(parents=True)
        (own / "task.yaml").write_text(TASK.format(name=name))
        rows = [{"text": f"{name} {i}", "label": ("good", "bad")[i % 2]} for i in range(n)]
        (own / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def mixture(folder, without=(), **keys):
    keys = {"name": "trial", "tasks": ["tasks/*/task.yaml"], **keys}
    file = folder / "mixture.yaml"
    file.write_text(yaml.safe_dump(keys))
    return read_mixture(file, without)


@pytest.mark.parametrize(
    ("keys", "sizes"),
    [
        ({}, (12, 3)),
        ({"passes": 2}, (24, 6)),
        ({"cap": 6}, (6, 3)),
        # 15 inputs in the proportion of sqrt(12) to sqrt(3): 10 to 5
        ({"temperature": 2}, (10, 5)),
        ({"cap": 3, "passes": 3}, (9, 9)),
    ],
)
def test_sizes_by_hand(folder, keys, sizes):
    found = mixture(folder, **keys)
    assert tuple(found.sizes().values()) == sizes
    drawn = Counter(one.task for one in found.draw())
    assert (drawn["long"], drawn["short"]) == sizes


def test_each_row_comes_once_a_pass_and_each_pass_in_another_way(folder):
    drawn = mixture(folder, passes=3).draw()
    ways = Counter((one.row.id, one.template.name) for one in drawn)
    assert set(ways.values()) == {1}
    assert len(ways) == 45
    first = Counter(one.template.name for one in drawn[:12])
    assert len(first) == 3


def test_the_first_ways_alone_may_be_used(folder):
    names = {one.template.name[-1] for one in mixture(folder, passes=3, ways=2).draw()}
    assert names == {"1", "2"}


def test_a_way_says_the_labels_in_its_own_words(folder):
    from promptkit.strategies.instruct import answered
    from promptkit.types import flat

    said = set()
    for one in mixture(folder, passes=3).draw():
        made = one.answered(answered)
        said.add((one.template.name[-1], one.row.label, flat(made.answer.text)))
    assert said == {
        ("1", "good", " good"), ("1", "bad", " bad"), ("2", "good", " yes"), ("2", "bad", " no"),
        ("3", "good", " no"), ("3", "bad", " yes"),
    }  # fmt: skip


def test_draws_hang_on_seed_and_row_alone(folder):
    keys = {"demonstrations": {0: 1, 2: 1}, "passes": 2}

    def told(found, seed=0):
        return {
            (one.task, one.row.fields["text"], one.template.name): [s.id for s in one.shots]
            for one in found.draw(seed)
        }

    both = told(mixture(folder, **keys))
    alone = told(mixture(folder, without=["short"], **keys))
    assert alone == {key: value for key, value in both.items() if key[0] == "long"}
    assert told(mixture(folder, **keys), 1) != both
    assert {len(shots) for shots in both.values()} == {0, 2}


def test_a_row_is_never_its_own_demonstration(folder):
    for one in mixture(folder, demonstrations={2: 1}, passes=4).draw():
        assert len(one.shots) == 2
        assert one.row.id not in {shot.id for shot in one.shots}


def test_a_share_goes_through_the_chat_template(folder):
    from promptkit.strategies.instruct import answered

    found = [
        one.answered(answered).prompt.chat for one in mixture(folder, chat=0.5, passes=8).draw()
    ]
    assert 0.3 < sum(found) / len(found) < 0.7


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tasks": ["nothing/*.yaml"]}, r"no file 'nothing/\*.yaml' beside the mixture"),
        ({"tasks": ["tasks/long/task.yaml"] * 2}, "there is a task 'long' already"),
        ({"temperature": 0.5}, "temperature"),
        ({"demonstrations": {0: 0}}, "shares above 0"),
        ({"tsks": []}, "unknown key; did you mean 'tasks'"),
    ],
)
def test_what_is_wrong_with_a_mixture(folder, change, said):
    with pytest.raises(SpecError, match=said):
        mixture(folder, **change)


def test_what_is_wrong_with_a_task(folder):
    file = folder / "tasks" / "long" / "task.yaml"
    good = file.read_text()
    for old, new, said in (
        ("{{ text }}\\nAnswer", "{{ txet }}\\nAnswer", "did you mean 'text'"),
        ('query: "Is this good', 'qurey: "Is this good', "variant 2 line 8.*unknown key"),
        ('good: {words: ["no"]}, bad', 'ugly: {words: ["no"]}, bad', "the same labels"),
        ("  - instruction: Good", "  - name: own\n    instruction: Good", "belongs to the task"),
    ):
        file.write_text(good.replace(old, new))
        with pytest.raises(SpecError, match=said):
            mixture(folder)
    file.write_text(good)
    (folder / "tasks" / "long" / "rows.jsonl").write_text('{"text": "a", "label": "ugly"}\n')
    with pytest.raises(DataError, match="ugly"):
        mixture(folder)


def test_a_task_that_is_left_out_must_be_there(folder):
    assert list(mixture(folder, without=["short"]).sizes()) == ["long"]
    with pytest.raises(SpecError, match=r"--without shrt: .*did you mean 'short'"):
        mixture(folder, without=["shrt"])
    with pytest.raises(SpecError, match="leaves no task"):
        mixture(folder, without=["short", "long"])
