"""What is printed of a file that was looked over."""

import json

import pytest

from promptkit.data.survey import survey
from promptkit.report.survey import survey_view
from tests.report.samples import printed


@pytest.fixture
def found(tmp_path):
    def of(labels, texts=None, **more):
        rows = [
            {"text": (texts or {}).get(i, f"what customer number {i} wrote to us"),
             "label": labels[i % len(labels)], **more}
            for i in range(6 * len(labels))
        ]  # fmt: skip
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        return survey(tmp_path / "rows.jsonl")

    return of


def test_columns_labels_and_lengths_are_shown(found):
    text = printed(survey_view(found(["good", "bad"], source="web")))
    for part in ("rows.jsonl: 12 rows, 3 columns", "50.0%", "7 words in the middle", "'label': it"):
        assert part in text
    assert "to mind" not in text


def test_of_many_labels_the_most_frequent_are_shown_and_the_rest_is_counted(found):
    text = printed(survey_view(found([f"intent {i}" for i in range(40)])))
    assert "10 more" in text
    assert text.count("intent") == 31  # 30 and the example


def test_what_is_in_the_way_and_what_to_mind_is_told(found):
    text = printed(survey_view(found(["0", "1"], {3: " "})))
    assert "an evaluation will stop at these" in text
    assert "to mind" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_space_and_nothing_steers_the_terminal(found, width):
    odd = "\x1b[31m[bold]wide 漢字 text that goes on and on for a while\n"
    text = printed(survey_view(found(["a" * 90, "\x1b[0m"], {0: odd})), width)
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= width
