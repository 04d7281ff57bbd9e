"""The command line, called as a user calls it."""

import sys

import pytest


@pytest.fixture
def promptkit(home, monkeypatch, capsys):
    """``promptkit("eval", ...)`` -> (exit status, standard output, standard error)."""
    from promptkit.cli import main

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["promptkit", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "100")
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code or 0
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call
