"""A model that knows the rows by heart gets them right through the whole road."""

from pathlib import Path

import pytest

from promptkit.runs import EvalSpec, build, run
from tests.trained import ROWS, TASKS, template_text


@pytest.fixture(params=list(TASKS))
def template(request, home):
    file = home / f"trained_{request.param}.yaml"
    file.write_text(template_text(request.param))
    return str(file)


def asked(template, folder, **options):
    return EvalSpec(template=template, split="train", limit=ROWS, model=str(folder), **options)


def test_a_trained_model_classifies_the_rows_that_it_learned(template, trained_folder):
    record = run(build(asked(template, trained_folder)))
    accuracy = record.report.scores[0]
    assert record.spec.backend["name"] == "hf"
    assert accuracy.value >= 0.95
    assert record.report.n_unscored == 0


def test_a_lost_instruction_would_show(template, trained_folder):
    text = Path(template).read_text()
    broken = template.replace(".yaml", "_b.yaml")
    Path(broken).write_text(text.replace("instruction:", "system: ''\n#"))
    record = run(build(asked(broken, trained_folder)))
    with_it = run(build(asked(template, trained_folder)))
    assert record.report.scores[0].value < with_it.report.scores[0].value - 0.2


def test_a_swapped_label_would_show(template, trained_folder):
    text = Path(template).read_text()
    swapped = (
        text.replace("[neutral]", "[x]")
        .replace("[positive]", "[neutral]")
        .replace("[x]", "[positive]")
    )
    broken = template.replace(".yaml", "_s.yaml")
    Path(broken).write_text(swapped)
    assert run(build(asked(broken, trained_folder))).report.scores[0].value < 0.6
