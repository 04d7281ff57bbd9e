"""Parts of other packages: what is wrong with one is one line that names its package."""

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from promptkit import plugins as module_of_plugins
from promptkit.calibration import CALIBRATORS
from promptkit.errors import MissingExtra, SpecError
from promptkit.metrics.written import metric_packages, metrics_named
from promptkit.prompts.library import find_template, hidden_templates, template_problems
from promptkit.runs.compare.entries import entries_for, offered
from promptkit.runs.parts import parser_option_names
from promptkit.runs.plugins import packages_of, shadow_notes
from promptkit.selectors import SELECTORS
from promptkit.strategies import STRATEGIES
from promptkit.transferability import SCORES
from tests.examples.plugin_package import declare

REMEDY = "tell its author, or leave it out: pip uninstall theirs"
SELECTOR = """
class Mine:
    def __init__(self, seed=0): pass
    def fit(self, pool): return self
    def select(self, query, k): return []
"""
STRATEGY = """
class Mine:
    cost = None
    def __init__(self, labels, reading, *, seed=0): pass
    def fit(self, train, context=None): return self
    def gather(self, examples): return []
    def conclude(self, examples, evidence): return []
    def predict(self, examples): return []
    def describe(self): return {}
    def save(self, folder): pass
    def restore(self, folder): return self
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Installs a package of one module: ``package("selector", "mine:Mine", source)``."""
    made = []

    def make(kind, value, source, name="mine", package="theirs"):
        site = tmp_path / package
        site.mkdir()
        (site / f"{package}_parts.py").write_text(source)
        declare(site, package, "1.2", {f"promptkit.{kind}": {name: f"{package}_parts:{value}"}})
        monkeypatch.syspath_prepend(site)
        made.append(f"{package}_parts")

    yield make
    for name in made:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise ValueError('no\\nGPU')", "theirs_parts cannot be imported (ValueError: no GPU)"),
        ("def broken(", "module theirs_parts cannot be imported (SyntaxError: "),
        ("from promptkit import no_such", "cannot be imported (ImportError: "),
        ("import promptkit.no_such", "cannot be imported (ModuleNotFoundError: "),
        ("", "module theirs_parts has no 'Mine'"),
        ("Mine = 3", "Mine is no class"),
        (SELECTOR.replace("select(", "choose("), "Mine has no method 'select'"),
        (SELECTOR.replace("query, k", "query"), "Mine.select must be callable as select(query, k)"),
        (SELECTOR.replace("seed=0", ""), "Mine takes no 'seed', which each selector is given"),
    ],
)  # fmt: skip
def test_a_broken_one_is_one_line_with_its_package_and_a_remedy(package, source, told):
    package("selector", "Mine", source)
    with pytest.raises(SpecError) as caught:
        SELECTORS.load("mine")
    line = str(caught.value)
    assert line.startswith("selector 'mine' of package theirs 1.2: ")
    assert told in line
    assert line.endswith(REMEDY)
    assert "\n" not in line


def test_a_package_that_it_needs_is_named_with_the_command(package):
    package("selector", "Mine", "import absent_package_xyz")
    with pytest.raises(MissingExtra, match=r"theirs 1\.2 needs absent_package_xyz: pip install"):
        SELECTORS.load("mine")


def test_an_attribute_of_the_seam_may_be_set_when_it_is_built_and_must_be_there_then(package):
    source = """
class Mine:
    needs = asks = "x"
    def learn(self, log_p, golds=None): return {}
    def apply(self, log_p, learned): return log_p
"""
    package("calibration", "Mine", source)
    assert CALIBRATORS.load("mine").__name__ == "Mine"
    with pytest.raises(SpecError, match=r"of package theirs 1\.2: Mine has no attribute 'least_"):
        CALIBRATORS.build("mine", {})


def test_an_optional_argument_of_the_seam_must_be_taken_too(package):
    package("strategy", "Mine", STRATEGY.replace(", context=None", ""))
    with pytest.raises(SpecError, match=r"Mine.fit must be callable as fit\(train, context\)"):
        STRATEGIES.load("mine")


def test_a_built_in_name_stays_and_whoever_takes_it_is_told(package):
    package("selector", "Mine", SELECTOR, name="random")
    assert SELECTORS.load("random").__name__ == "RandomSelector"
    assert SELECTORS.package("random") == {}
    ((plugin, problem),) = SELECTORS.problems()
    assert plugin.package == "theirs"
    assert "promptkit has one of that name, which is used in its place" in problem
    assert shadow_notes({"selector": "random"}) == [
        "selector 'random' of package theirs 1.2 is not used: selector 'random' is promptkit's own"
    ]
    assert shadow_notes({"selector": "balanced"}) == []


def test_two_packages_with_one_name_are_refused_and_both_are_named(package):
    package("selector", "Mine", SELECTOR)
    package("selector", "Mine", SELECTOR, package="others")
    with pytest.raises(SpecError, match=r"package others 1\.2 and package theirs 1\.2 both bring"):
        SELECTORS.build("mine", {})


def test_nothing_is_imported_before_a_name_is_asked_for(package):
    package("selector", "Mine", "raise SystemExit")
    assert "mine" in SELECTORS
    assert "mine" in list(SELECTORS)
    assert packages_of({"selector": "mine"}) == {"theirs": "1.2"}


def test_a_strategy_is_offered_by_name_and_never_unasked(package):
    package("strategy", "Mine", STRATEGY)
    assert "mine" not in [entry.name for entry in entries_for(None, ["minilm"])]
    (entry,) = entries_for(["mine"], ["minilm"])
    assert (entry.strategy, entry.model) == ("mine", "")
    assert offered()[-1] == "mine"


def test_a_broken_strategy_that_nobody_asked_for_bars_no_comparison(package):
    package("strategy", "Mine", "1 / 0")
    assert [entry.name for entry in entries_for(["tfidf"], ["minilm"])] == ["tfidf"]
    assert len(entries_for(None, ["minilm"])) == 10
    with pytest.raises(SpecError, match=r"of package theirs 1\.2: .*ZeroDivisionError"):
        entries_for(["mine"], ["minilm"])


def test_a_broken_parser_that_nobody_named_bars_no_other(package):
    package("parser", "Mine", "1 / 0")
    assert "pattern" in parser_option_names()


def test_a_strategy_called_as_a_way_of_compare_is_refused(package):
    package("strategy", "Mine", STRATEGY, name="few-shot")
    with pytest.raises(SpecError, match=r"of package theirs 1\.2: compare calls another way"):
        entries_for(["few-shot"], ["minilm"])


def test_a_metric_and_a_score_are_objects_and_are_looked_at(package):
    package("metric", "Mine", "Mine = len")
    assert metrics_named(["mine", "number"])["mine"] is len
    assert metric_packages(["mine", "number"]) == {"theirs": "1.2"}
    with pytest.raises(SpecError, match="no metric 'mime'; did you mean 'mine'"):
        metrics_named(["mime"])
    package("score", "Mine", "Mine = 3", package="others")
    with pytest.raises(SpecError, match=r"others 1\.2: Mine is no promptkit.transferability.Score"):
        SCORES["mine"]


def test_a_metric_that_cannot_be_called_is_refused(package):
    package("metric", "Mine", "Mine = 3")
    with pytest.raises(SpecError, match="Mine cannot be called"):
        metrics_named(["mine"])


def test_templates_of_a_package_are_found_without_importing_it(tmp_path, monkeypatch):
    folder = tmp_path / "theirs_pkg" / "forms"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise SystemExit")
    for name in ("mine", "sentiment_zero_shot"):
        (folder / f"{name}.yaml").write_text(
            f"name: {name}\ndescription: x\ntask: {{fields: [text]}}\nquery: '{{{{ text }}}}'\n"
            "labels: {a: {words: [a]}, b: {words: [b]}}\n"
        )
    declare(tmp_path, "theirs", "1.2", {"promptkit.templates": {"x": "theirs_pkg.forms"}})
    monkeypatch.syspath_prepend(tmp_path)
    assert find_template("mine").task.labels == ("a", "b")
    assert len(find_template("sentiment_zero_shot").task.labels) == 3  # that of the box
    assert [path.stem for _, path in hidden_templates()] == ["sentiment_zero_shot"]
    ((_, problem),) = template_problems()
    assert "sentiment_zero_shot is called as another template is" in problem


def test_a_folder_of_templates_that_is_not_there_bars_no_others(tmp_path, monkeypatch):
    declare(tmp_path, "theirs", "1.2", {"promptkit.templates": {"x": "no_such_package.forms"}})
    monkeypatch.syspath_prepend(tmp_path)
    assert find_template("sentiment_zero_shot").name == "sentiment_zero_shot"
    ((_, problem),) = template_problems()
    assert "package theirs 1.2: there is no folder no_such_package/forms in it" in problem


def test_entry_points_without_a_package_are_called_so(monkeypatch):
    points = EntryPoints([EntryPoint("mine", "no_such_module:Mine", "promptkit.selector")])
    monkeypatch.setattr(module_of_plugins, "entry_points", lambda: points)
    with pytest.raises(MissingExtra, match="selector 'mine' of an unnamed package needs no_such"):
        SELECTORS.load("mine")
    assert SELECTORS.package("mine") == {}


def test_a_package_is_found_once_where_it_is_installed_twice(package, monkeypatch):
    package("selector", "Mine", SELECTOR)
    found = module_of_plugins.entry_points(group="promptkit.selector")
    monkeypatch.setattr(module_of_plugins, "entry_points", lambda: EntryPoints([*found, *found]))
    assert [name for name in SELECTORS if name == "mine"] == ["mine"]
    assert SELECTORS.load("mine").__name__ == "Mine"
