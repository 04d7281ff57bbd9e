"""``promptkit choose`` as a user sees it."""

import json


def test_it_names_a_model_and_a_layer_and_writes_what_was_asked(promptkit, tmp_path):
    out = tmp_path / "choice.html"
    status, told, error = promptkit(
        "choose", "--data", "customer_reviews", "--models", "minilm", "--limit", "60",
        "--output", out, "--plot", tmp_path / "choice.png", "--verify",
    )  # fmt: skip
    assert status == 0, error
    assert "minilm, layer" in told
    assert "promptkit tune --strategy features --data customer_reviews" in told
    assert max(map(len, told.splitlines())) <= 100
    assert "<table class=heat>" in out.read_text()
    assert (tmp_path / "choice.png").stat().st_size > 10_000
    status, told, _ = promptkit("choose", "--data", "customer_reviews", "--models", "minilm",
                                "--limit", "60", "--format", "json")  # fmt: skip
    assert (status, json.loads(told)["n"]) == (0, 60)


def test_what_cannot_be_written_is_refused_before_the_work(promptkit):
    for more, said in (
        (["--format", "yml"], "--format 'yml'"),
        (["--output", "x.docx"], "the name must end in"),
        (["--plot", "x.gif"], "--plot x.gif"),
        (["--layers", "top"], "--layers 'top'"),
    ):
        status, _, error = promptkit("choose", "--data", "customer_reviews", *more)
        assert status == 2, error
        assert said in error
