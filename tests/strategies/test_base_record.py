"""What a saved strategy says about its model."""

import pytest

from promptkit.backends.weights import locate
from promptkit.errors import BackendError, StoreError
from promptkit.strategies.base_record import base_facts, check_base, read_facts, write_facts
from tests.strategies.tuned import family


def test_the_model_is_known_again_and_another_is_not():
    said = base_facts(locate(family("bert")))
    check_base(said, locate(family("bert")))
    with pytest.raises(BackendError, match="give the model that it was trained upon"):
        check_base(said, locate(family("roberta")))


def test_the_record_does_not_tell_where_the_folder_lies():
    assert "/" not in base_facts(locate(family("bert")))["name"]


def test_facts_are_read_as_they_were_written(tmp_path):
    write_facts(tmp_path / "facts.json", {"a": [1, 2], "b": None})
    assert read_facts(tmp_path / "facts.json", "a", "b") == {"a": [1, 2], "b": None}


@pytest.mark.parametrize("content", [None, "{", '{"a": 1}'])
def test_missing_broken_and_incomplete_files_are_named(tmp_path, content):
    if content is not None:
        (tmp_path / "facts.json").write_text(content)
    with pytest.raises(StoreError, match=r"facts\.json: .*save the model again"):
        read_facts(tmp_path / "facts.json", "a", "b")
