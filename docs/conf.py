"""How the documentation is built: ``sphinx-build -W docs docs/_build``; see CONTRIBUTING."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
# nothing is downloaded for a page: the code says what it says without a model
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import promptkit

project = "promptkit"
author = "the promptkit authors"
copyright = author
version = release = promptkit.__version__

extensions = [
    "myst_parser",
    "parts_of_promptkit",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build", "_ext", "requirements.txt"]
html_theme = "furo"
html_title = "promptkit"
html_extra_path = ["rows.svg"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# links to files outside docs/ (README, examples, bench) are checked by tests/docs
suppress_warnings = ["myst.xref_missing", "toc.empty_glob"]

# single backticks in docstrings name things of Python
default_role = "py:obj"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_attr_annotations = False
# attributes stand in a list, since some are properties with an entry of their own
napoleon_use_ivar = True
