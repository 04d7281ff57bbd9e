"""What the server tells in its log."""

import json
import logging
import re

from promptkit.serving.events import Events


def test_a_line_of_text_keeps_to_one_line_whatever_is_told():
    lines = []
    Events(write=lines.append)(
        "ready", model="a model\nof two lines", rows=3, s=0.25, none=None, yes=True
    )
    assert re.fullmatch(
        r'\S+Z info ready model="a model\\nof two lines" rows=3 s=0.25 yes=true\n', lines[0]
    )


def test_a_line_of_json():
    lines = []
    Events("json", lines.append)("failed", "error", error="RuntimeError", at="a.py:1 < b.py:2")
    told = json.loads(lines[0])
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "error", "event": "failed", "error": "RuntimeError", "at": "a.py:1 < b.py:2",
    }  # fmt: skip


def test_a_log_that_nobody_reads_any_more_does_not_stop_the_server(monkeypatch):
    class Broken:
        def write(self, text):
            raise BrokenPipeError

        flush = write

    monkeypatch.setattr("sys.stderr", Broken())
    Events()("request")


def test_warnings_of_the_http_server_are_told_without_tracebacks():
    lines = []
    Events(write=lines.append).take_over("promptkit-test-logger")
    logger = logging.getLogger("promptkit-test-logger")
    logger.info("nobody needs this")
    logger.warning("Invalid HTTP request received.")
    try:
        raise ValueError("text of a row")
    except ValueError:
        logger.exception("Exception in application")
    assert len(lines) == 2
    assert 'warning http message="Invalid HTTP request received."' in lines[0]
    assert "error=ValueError" in lines[1]
    assert "text of a row" not in lines[1]
