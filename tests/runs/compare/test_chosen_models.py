"""``models=auto``: one model, chosen on labelled rows alone."""

from promptkit.runs.compare.chosen_models import models_of
from promptkit.runs.compare.engine import run_comparison
from promptkit.runs.compare.rows import rows_of
from tests.runs.compare.test_engine import rows, spec


def test_the_models_that_are_named_stand(home):
    asked = spec(models=["minilm", "x"])
    assert models_of(asked, rows_of(asked), "cpu") == (["minilm", "x"], [])


def test_auto_is_one_of_the_others_and_the_choice_is_told(home):
    held = [{**row, "id": f"held-{row['id']}", "text": row["text"] + "!"} for row in rows(12)]
    asked = spec(models=["auto", "minilm"], test_data=held, strategies=["majority", "features"])
    checked = rows_of(asked)
    (model,), notes = models_of(asked, checked, "cpu")
    assert model == "minilm"
    assert len(notes) == 1
    assert "each left out of its own fit" in notes[0]
    # held-out rows are not looked at: their labels may be any
    turned = [{**row, "label": rows(13)[i + 1]["label"]} for i, row in enumerate(held)]
    again = spec(models=["auto", "minilm"], test_data=turned)
    assert models_of(again, rows_of(again), "cpu") == ([model], notes)
    comparison = run_comparison(asked)
    assert {entry.model for entry in comparison.plan.entries} == {"", "minilm"}
    assert notes[0] in comparison.plan.notes


def test_without_held_out_rows_it_says_that_figures_are_flattered(home):
    asked = spec(models=["auto", "minilm"])
    _, notes = models_of(asked, rows_of(asked), "cpu")
    assert "flatters" in notes[1]
