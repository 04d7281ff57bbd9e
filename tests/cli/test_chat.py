"""Chats of thinking models on the command line."""

import json
import re

import pytest

from promptkit.backends.hf import HFBackend
from promptkit.errors import SpecError
from promptkit.runs import EvalSpec, build
from tests import chats

TEMPLATE = """\
name: mood
description: Mood of a text.
task: {fields: [text]}
query: "{{ text }}"
chat: true
prefill: "Mood:"
system: "Be brief."
labels:
  negative: {words: [bad]}
  positive: {words: [good]}
"""
ROWS = [{"id": str(i), "text": f"text {i}", "label": "positive"} for i in range(3)]


@pytest.fixture
def call(promptkit, home):
    """The command with a template, rows and a thinking model in the folder."""
    (home / "mood.yaml").write_text(TEMPLATE)
    (home / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    chats.save_chatting(chats.HYBRID, home / "thinker")

    def calling(command, *more):
        return promptkit(command, "-t", "mood.yaml", "--data", "rows.jsonl", "--model", "thinker",
                         *more)  # fmt: skip

    return calling


def ids_shown(out):
    """The prompt's token ids in the table of a preview."""
    start = out.index("prompt tokens")
    table = out[start : out.index("label words", start)]
    cells = [line.split("│")[3] for line in table.splitlines() if line.count("│") == 4]
    return [int(number) for cell in cells for number in re.findall(r"\d+", cell)]


def test_preview_shows_exactly_the_tokens_that_are_scored(call, home, monkeypatch):
    asked = []
    usual = HFBackend.score

    def score(self, prompts, candidates):
        asked.extend(self.tokens.requests(prompts, candidates))
        return usual(self, prompts, candidates)

    monkeypatch.setattr(HFBackend, "score", score)
    status, _, err = call("eval", "--limit", 1)
    assert (status, err) == (0, "")
    status, shown, _ = call("preview", "--row", 0)
    assert status == 0
    assert ids_shown(shown) == list(asked[0].context)
    for part in ("think block", "prefill", "<think>", "Mood:", "' good'"):
        assert part in shown


def test_arguments_of_the_chat_template_reach_it(call):
    for command in ("eval", "preview"):
        status, _, err = call(command, "--chat-template-kwargs", "enable_thinking=true")
        assert status == 2
        assert "enable_thinking=true was asked for" in err
        assert "give --chat-template-kwargs enable_thinking=false" in err


def test_predict_takes_them_too(call):
    more = ("--output", "answers.jsonl", "--chat-template-kwargs", "enable_thinking=true")
    status, _, err = call("predict", *more)
    assert status == 2
    assert "enable_thinking=true was asked for" in err


def test_they_are_keys_of_an_eval_spec(call, promptkit, home):
    (home / "spec.yaml").write_text(
        "template: mood.yaml\ndata: rows.jsonl\nmodel: thinker\n"
        "chat_template_kwargs: {enable_thinking: true}\n"
    )
    status, _, err = promptkit("eval", "spec.yaml")
    assert status == 2
    assert "enable_thinking=true was asked for" in err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--chat-template-kwargs", "enable_thinking"), "write it as"),
        (("--chat-template-kwargs", "enable_thinkin=1"), "did you mean 'enable_thinking'"),
        (("--chat-template-kwargs", "enable_thinking=false", "--strategy", "features",
          "--train-data", "rows.jsonl"), "is for prompting"),
        (("--no-chat",), "take the prefill out"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_in_one_line(call, more, said):
    status, _, err = call("eval", *more)
    assert status == 2
    assert said in err
    assert err.count("\n") == 1


def test_arguments_enter_the_fingerprint_where_they_are_given(call, home):
    def spec(**more):
        return build(
            EvalSpec(template="mood.yaml", data="rows.jsonl", model="thinker", **more)
        ).spec

    off = spec(chat_template_kwargs={"enable_thinking": False})
    assert off.backend["options"] == {"chat_template_kwargs": {"enable_thinking": False}}
    assert spec().backend["options"] == {}
    assert len({spec().fingerprint(), off.fingerprint()}) == 2
    assert off.fingerprint() == spec(chat_template_kwargs={"enable_thinking": False}).fingerprint()


def test_they_are_refused_where_nothing_is_a_chat(call, home):
    (home / "flat.yaml").write_text(
        TEMPLATE.replace("chat: true\n", "").replace('prefill: "Mood:"\n', "")
    )
    more = {"data": "rows.jsonl", "chat_template_kwargs": {"enable_thinking": False}}
    with pytest.raises(SpecError, match="is no chat; add --chat"):
        build(EvalSpec(template="flat.yaml", model="thinker", **more))
    with pytest.raises(SpecError, match="backend 'embedding', which reads no chats"):
        build(EvalSpec(template="mood.yaml", model="minilm", **more))
