"""The example package of parts, installed for a test."""

import sys

import pytest

from tests.cli.conftest import promptkit  # noqa: F401
from tests.examples.plugin_package import PACKAGE, install


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder into which the example package is installed."""
    folder = tmp_path_factory.mktemp("site")
    install(PACKAGE, folder)
    return folder


@pytest.fixture
def installed(site, monkeypatch):
    """The same, found by this process."""
    monkeypatch.syspath_prepend(site)
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "promptkit_example"]:
        del sys.modules[name]
