"""Templates by name or by path."""

import pytest

from promptkit.errors import SpecError
from promptkit.prompts import find_template, template_paths
from tests.prompts.build import CLASSIFY


def test_a_shipped_template_is_found_by_name():
    assert find_template("sentiment_zero_shot").name == "sentiment_zero_shot"


def test_each_name_is_that_of_its_file():
    assert all(find_template(name).name == name for name in template_paths())


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_an_own_file_is_found_by_path(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    path.write_text(CLASSIFY)
    assert find_template(str(path)).path == str(path)


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(SpecError, match=r"did you mean 'sentiment_zero_shot'\?"):
        find_template("sentiment_zero_shoot")


def test_a_path_that_is_not_there_is_told_as_a_path():
    with pytest.raises(SpecError, match=r"none\.yaml: no such file"):
        find_template("none.yaml")
