"""What the command line tells a model's chat template."""

import json

import pytest

from tests.thinking_models import SWITCHED, saved


@pytest.fixture(scope="module")
def switched(tmp_path_factory):
    return saved(SWITCHED, tmp_path_factory.mktemp("switched"))


def test_what_the_command_line_tells_the_template_is_shown_and_is_part_of_the_run(
    switched, promptkit, home
):
    asked = ("-t", "sentiment_chat", "--model", switched)
    status, out, _ = promptkit("preview", *asked)
    assert status == 0
    assert "<think>" in out
    assert "</think>" in out
    status, _, error = promptkit(
        "preview", *asked, "--chat-template-kwargs", "enable_thinking=true"
    )
    assert status == 2
    assert "enable_thinking=false" in error
    runs = set()
    for told in ((), ("--chat-template-kwargs", "enable_thinking=false")):
        status, out, _ = promptkit("eval", *asked, "--limit", "4", "--format", "json", *told)
        assert status == 0
        runs.add(json.loads(out)["runs"][0]["fingerprint"] if "runs" in json.loads(out) else out)
    assert len(runs) == 2


def test_a_backend_without_chat_templates_takes_no_kwargs(promptkit, home):
    status, _, error = promptkit(
        "eval", "-t", "sentiment_zero_shot", "--chat-template-kwargs", "enable_thinking=true"
    )
    assert status == 2
    assert "backend 'embedding' has no chat template" in error
