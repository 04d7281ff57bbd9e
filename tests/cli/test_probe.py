"""``promptkit probe`` as a user sees it."""


def test_it_shows_what_layers_know_and_writes_what_was_asked(promptkit, tmp_path):
    page, picture = tmp_path / "layers.html", tmp_path / "layers.png"
    status, told, error = promptkit(
        "probe",
        "--task",
        "pos",
        "--limit",
        "30",
        "--no-control",
        "--output",
        page,
        "--plot",
        picture,
    )
    assert status == 0, error
    assert "accuracy of a linear probe on each layer" in told
    assert max(map(len, told.splitlines())) <= 100
    assert "<table class=heat>" in page.read_text()
    assert picture.stat().st_size > 5_000


def test_what_cannot_be_is_one_line(promptkit):
    for arguments, said in (
        ([], "nothing to probe for"),
        (["--task", "possum"], "--task 'possum'"),
        (["--task", "pos", "--probe", "tree"], "--probe 'tree'"),
        (["--task", "pos", "--output", "x.docx"], "the name must end in"),
    ):
        status, _, error = promptkit("probe", *arguments)
        assert status == 2, error
        assert said in error
        assert error.count("\n") == 1
