"""Whether Python code that a template file names may run: never, unless someone says so.

Nothing in a file can say it; the command line does (``--trust-code``), the environment does
(``PROMPTKIT_TRUST_CODE=1``), and Python callers do.
"""

from __future__ import annotations

import os

from promptkit.errors import SpecError

VARIABLE = "PROMPTKIT_TRUST_CODE"

_allowed = False


def allow_code() -> None:
    """From now on, in this process, imported tasks may run the functions that they name.

    Their authors' code runs with all rights of the user: read it first.
    """
    global _allowed
    _allowed = True


def code_allowed() -> bool:
    """Whether it may."""
    return _allowed or os.environ.get(VARIABLE) == "1"


def need_code(where: str, functions: dict[str, str]) -> None:
    """Refuse functions unless they are allowed.

    Raises:
        SpecError: Names them.
    """
    if functions and not code_allowed():
        named = ", ".join(f"{key} runs {function}" for key, function in functions.items())
        raise SpecError(
            f"{where}: runs Python code of its own ({named}); look it over, and say --trust-code "
            f"(or set {VARIABLE}=1)"
        )
