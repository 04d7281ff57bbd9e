"""YAML files are read without surprises, and what is wrong is told with its line."""

import pytest

from promptkit.errors import SpecError
from promptkit.prompts.form import TemplateKeys
from promptkit.prompts.yamlfile import parse_yaml, read_yaml, validate

BASE = (
    "name: t\ndescription: d\ntask:\n  fields: [text]\nquery: 'Q {{ text }}'\n"
    "labels:\n  a: {words: [a]}\n  b: {words: [b]}\n"
)


def read(text):
    return parse_yaml(text, "f.yaml").content


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "y", "NO", "1:30", "012", "2020-01-01",
                                  "1_000", "=", ".nan", "0x1F"])  # fmt: skip
def test_words_stay_words(word):
    assert read(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(("word", "value"), [("true", True), ("False", False), ("0", 0), ("1", 1),
                                             ("-3", -3), ("0.5", 0.5), ("1e-4", 1e-4),
                                             ("null", None), ("", None)])  # fmt: skip
def test_booleans_numbers_and_nothing_are_read_as_such(word, value):
    got = read(f"a: {word}")["a"]
    assert (type(got), got) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f.yaml: must hold a mapping"),
        ("# only a comment\n", "must hold a mapping"),
        ("[a, b]", "must hold a mapping"),
        ("a: 1\nb:\n  c: 1\n  c: 2", "f.yaml line 4: key 'c' stands twice, first in line 3"),
        ("0: a\n1: b\nfalse: c", "line 3: key False stands twice, first in line 1"),
        ("1: a\n'1': b", "line 2: key '1' stands twice"),
        ("1.0: a\n1: b", "line 2: key 1 stands twice"),
        ("a: &x 1\nb: *x", "no YAML alias"),
        ("a: &x [*x]", "no YAML alias"),
        ("a: b: c", "line 1: a value that holds ': ' must stand in quotes"),
        ("a: 1\nb: 'x", "line 2: "),
        ("? [1]\n: 2", "a key must be plain"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("a: " + "9" * 5000, "limit"),
        ("a: \x07", "special characters are not allowed"),
        ("a: !!timestamp zz", "tags are not allowed"),
        ("a: !!bool zz", "f.yaml: "),
        ("a: !!set {x}", "tags are not allowed"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(text, said):
    with pytest.raises(SpecError) as caught:
        read(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_python_tag_is_refused_without_effect(tmp_path):
    trace = tmp_path / "trace"
    with pytest.raises(SpecError, match="tags are not allowed"):
        read(f"a: !!python/object/apply:pathlib.Path.mkdir ['{trace}']")
    assert not trace.exists()


def test_files_are_read_with_or_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\n")
    assert read_yaml(path).content == {"a": "é"}


def test_missing_folders_and_other_encodings_are_told(tmp_path):
    with pytest.raises(SpecError, match="no such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(SpecError, match="cannot be read"):
        read_yaml(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")
    with pytest.raises(SpecError, match="not UTF-8 at byte 3"):
        read_yaml(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("query:", "shotz: 3\nquery:", "f.yaml line 5, key 'shotz': unknown key; did you mean"),
        ("fields:", "feilds:", "line 4, key 'task.feilds': unknown key; did you mean 'fields'?"),
        ("a: {words", "a: {wordz",
         "line 7, key 'labels.a.wordz': unknown key; did you mean 'words"),
        ("description: d\n", "", "key 'description' is missing"),
        ("fields: [text]", "fields: text",
         "line 4, key 'task.fields': input should be a valid list, got 'text'"),
        ("name: t", "name: T x", "line 1, key 'name': string should match pattern"),
        ("query:", "chat: yes\nquery:", "key 'chat': input should be a valid boolean, got 'yes'"),
        ("query:", "shots: '3'\nquery:", "key 'shots': input should be a valid integer, got '3'"),
        ("[a]", "[1]", "line 7, key 'labels.a.words.0': input should be a valid string, got 1"),
        ("  b: {words: [b]}\n", "", "f.yaml line 1: at least two labels are needed"),
    ],
)  # fmt: skip
def test_wrong_keys_are_told_with_line_key_got_and_nearest(old, new, said):
    assert old in BASE
    file = parse_yaml(BASE.replace(old, new, 1), "f.yaml")
    with pytest.raises(SpecError) as caught:
        validate(TemplateKeys, file)
    assert said in str(caught.value)
    assert "{'name'" not in str(caught.value)
