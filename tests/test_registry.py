"""Names become classes late, and wrong names and options are told from right ones."""

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from promptkit import plugins as plugins_module
from promptkit.backends import BACKENDS
from promptkit.errors import MissingExtra, SpecError
from promptkit.registry import Registry, parameters_of
from promptkit.selectors import SELECTORS
from promptkit.strategies import STRATEGIES
from promptkit.verbalizers import VERBALIZERS

ALL = [BACKENDS, SELECTORS, STRATEGIES, VERBALIZERS]


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that can be imported in this test."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        made.append(name)

    yield write
    for name in made:
        sys.modules.pop(name, None)


@pytest.fixture
def plugins(monkeypatch):
    """Declares entry points, as other installed packages would."""

    def declare(*points):
        found = EntryPoints(EntryPoint(name, value, group) for group, name, value in points)
        monkeypatch.setattr(plugins_module, "entry_points", lambda **by: found.select(**by))

    return declare


def test_a_module_is_imported_only_when_its_name_is_asked_for(module):
    module("lazy_part", "class Part:\n    pass\n")
    table = Registry("part", {"lazy": "lazy_part:Part", "broken": "no_such_module:Part"})
    assert list(table) == ["lazy", "broken"]
    assert "lazy" in table
    assert "lazy_part" not in sys.modules
    assert table.load("lazy").__name__ == "Part"


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(SpecError, match="no selector named 'randon'; did you mean 'random'"):
        SELECTORS.load("randon")


def test_a_name_near_to_none_is_told_all_of_them():
    with pytest.raises(SpecError, match="known: hf, embedding, nli, vllm, openai, fake"):
        BACKENDS.load("zzzzz")


def test_an_unknown_option_offers_the_nearest():
    with pytest.raises(SpecError, match=r"'random' has no option 'sed'; did you mean 'seed'"):
        SELECTORS.build("random", {"sed": 1})


def test_an_option_that_must_be_given_is_asked_for():
    with pytest.raises(SpecError, match="backend 'hf' needs the option 'model'"):
        BACKENDS.build("hf", {})


def test_options_reach_the_part_untouched():
    assert SELECTORS.build("random", {"seed": 7}).seed == 7


def test_a_package_that_is_absent_is_named_with_the_command_that_installs_it(module):
    module("needs_absent", "import absent_package_xyz\n")
    with pytest.raises(MissingExtra, match=r"part 'a' needs absent_package_xyz: pip install"):
        Registry("part", {"a": "needs_absent:Part"}).load("a")


def test_a_module_of_promptkit_that_is_missing_is_a_bug_and_not_an_extra():
    with pytest.raises(ModuleNotFoundError):
        Registry("part", {"a": "promptkit.no_such_module:Part"}).load("a")


def test_a_plugin_is_known_by_its_entry_point(module, plugins):
    module("their_part", "class Outer:\n    class Part:\n        pass\n")
    plugins(
        ("promptkit.part", "theirs", "their_part:Outer.Part"),
        ("promptkit.other", "not_ours", "their_part:Other"),
    )
    table = Registry("part", {"own": "lazy_part:Part"})
    assert list(table) == ["own", "theirs"]
    assert "not_ours" not in table
    assert "their_part" not in sys.modules
    assert type(table.build("theirs", {})).__name__ == "Part"


def test_a_plugin_may_name_its_own_extra(module, plugins):
    module("their_part", "class Part:\n    pass\n")
    plugins(("promptkit.part", "theirs", "their_part:Part [gpu]"))
    assert Registry("part", {}).load("theirs").__name__ == "Part"


def test_a_plugin_package_whose_name_begins_with_ours_may_be_absent_too(plugins):
    plugins(("promptkit.part", "theirs", "promptkit_theirs:Part"))
    with pytest.raises(MissingExtra, match="needs promptkit_theirs"):
        Registry("part", {}).load("theirs")


def test_a_plugin_takes_no_built_in_name(module, plugins):
    module("their_part", "class Part:\n    pass\n")
    plugins(("promptkit.selector", "random", "their_part:Part"))
    assert SELECTORS.load("random").__name__ == "RandomSelector"
    assert list(SELECTORS).count("random") == 1


def test_a_plugin_without_the_class_that_it_names_is_told_apart_from_a_bug_of_ours(module, plugins):
    module("their_part", "")
    plugins(("promptkit.part", "theirs", "their_part:Part"))
    with pytest.raises(
        SpecError, match="part 'theirs' of an unnamed package: module their_part has no"
    ):
        Registry("part", {}).load("theirs")


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.kind)
def test_every_built_in_name_can_be_loaded(table):
    for name in table:
        assert isinstance(table.load(name), type)


class Base:
    def __init__(self, a, *, b=1):
        self.a, self.b = a, b


class Derived(Base):
    def __init__(self, a, *, c=2, **options):
        super().__init__(a, **options)
        self.c = c


def test_options_that_are_passed_on_to_the_base_are_options_too():
    assert list(parameters_of(Derived)) == ["a", "b", "c"]
    assert list(parameters_of(Base)) == ["a", "b"]
    registry = Registry("part", {"derived": f"{__name__}:Derived"})
    assert registry.build("derived", {"a": 0, "b": 3}).b == 3
    with pytest.raises(SpecError, match="no option 'd'"):
        registry.build("derived", {"a": 0, "d": 3})
