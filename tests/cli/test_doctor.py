"""``promptkit doctor`` as a user calls it."""

import pytest

from promptkit.cli.doctor import variants_of
from promptkit.errors import SpecError


def test_backends_and_their_options_are_read():
    found = variants_of("hf, hf:dtype=bfloat16,batch_size=1,openai:base_url=http://[::1]:8000/v1")
    assert [(one.name, one.backend, dict(one.options)) for one in found] == [
        ("hf", "hf", {}),
        ("hf:dtype=bfloat16,batch_size=1", "hf", {"dtype": "bfloat16", "batch_size": 1}),
        (
            "openai:base_url=http://[::1]:8000/v1", "openai",
            {"base_url": "http://[::1]:8000/v1"},
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hf", "name at least two"),
        ("hf,hf", "at least two different ones"),
        ("hf,", "name at least two"),
        ("dtype=float32,hf", "stands before any backend"),
        ("hf,hf:bfloat16", "write options as"),
    ],
)
def test_what_names_no_two_backends_is_refused(text, told):
    with pytest.raises(SpecError, match=told):
        variants_of(text)


def test_backends_that_agree_exit_with_0(promptkit, causal_folder):
    model = str(causal_folder("gpt2"))
    status, out, err = promptkit(
        "doctor", "--agree", "hf,hf:batch_size=1", "--model", model, "--limit", 12
    )
    assert status == 0, err
    assert "sentiment_zero_shot, 12 rows" in out
    assert "differ most" not in out
    assert err == "promptkit: asking hf\npromptkit: asking hf:batch_size=1\n"


def test_backends_that_differ_exit_with_1_and_say_where(promptkit, causal_folder):
    options = ["--model", str(causal_folder("gpt2")), "--limit", 12]
    status, out, _ = promptkit("doctor", "--agree", "hf,hf:dtype=bfloat16", *options)
    assert status == 1
    assert "where hf and hf:dtype=bfloat16 differ most" in out
    assert "cr-test-" in out
    status, out, _ = promptkit(
        "doctor", "--agree", "hf,hf:dtype=bfloat16", *options, "--tolerance", 5
    )
    assert status == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--agree", "hf,hf:batch_size=1"], "--model FOLDER"),
        (["--limit", "3"], "--limit is for --agree"),
        (["--agree", "hf,hg", "--model", "GPT2"], "no backend named 'hg'"),
        (["--agree", "hf,hf:a=1", "--model", "GPT2"], "has no option 'a'"),
        (["--agree", "hf,hf:batch_size=0", "--model", "GPT2"], "batch_size"),
        (["--agree", "hf,fake", "--model", "GPT2", "--tolerance", "-1"], "--tolerance"),
    ],
)
def test_what_cannot_be_compared_is_one_line(promptkit, causal_folder, arguments, told):
    model = str(causal_folder("gpt2"))
    status, out, err = promptkit("doctor", *(model if one == "GPT2" else one for one in arguments))
    assert (status, out) == (2, "")
    assert told in err.splitlines()[-1]
