"""What `promptkit` promises by name, and how little it loads."""

import os
import subprocess
import sys

import pytest

import promptkit

SURFACE = [
    "CheckedData",
    "Chosen",
    "Compared",
    "ContrastiveClassifier",
    "Dataset",
    "EvalSpec",
    "Example",
    "FakeBackend",
    "FeatureClassifier",
    "FineTunedClassifier",
    "LayerFeatures",
    "LayerProfiles",
    "NextLabels",
    "Prediction",
    "PromptClassifier",
    "PromptkitError",
    "RunRecord",
    "Score",
    "Store",
    "SuspectLabels",
    "Template",
    "build",
    "check_data",
    "choose",
    "compare",
    "find_template",
    "label_errors",
    "label_next",
    "load",
    "load_model",
    "probe",
    "run",
]
HEAVY = {"torch", "transformers", "vllm", "datasets", "sklearn", "pandas", "sentence_transformers"}


def loaded_after(code: str) -> set[str]:
    """The heavy packages in memory after this code ran in a fresh interpreter."""
    end = f"\nimport sys\nprint('loaded', *sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code + end],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_public_names_are_these():
    assert promptkit.__all__ == SURFACE


def test_they_are_sorted():
    assert promptkit.__all__ == sorted(promptkit.__all__)


@pytest.mark.parametrize("name", SURFACE)
def test_each_name_is_there_under_its_own_name(name):
    assert getattr(promptkit, name).__name__ == name
    assert name in dir(promptkit)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Promptclassifier'"):
        _ = promptkit.Promptclassifier


def test_importing_promptkit_loads_nothing_heavy():
    assert loaded_after("import promptkit") == set()


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "eval --help",
        "compare --help",
        "tune --help",
        "predict --help",
        "features --help",
        "words --help",
        "label-next --help",
        "label-errors --help",
        "data --help",
        "data check --help",
        "templates --help",
        "cache --help",
        "cache info",
        "doctor --help",
    ],
)
def test_help_loads_nothing_heavy(command):
    code = (
        "from promptkit.cli import make_app\n"
        f"make_app()({command.split()!r}, prog_name='promptkit', standalone_mode=False)"
    )
    assert loaded_after(code) == set()
