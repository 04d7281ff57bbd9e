"""Functions that another tool's task names: Python beside its file, run only where allowed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from promptkit.errors import DataError, SpecError


def function_of(told: str, folder: Path, where: str) -> Callable[..., Any]:
    """The function that ``file.py:name`` names.

    Whoever calls has asked `promptkit.prompts.trust.need_code` first: the file is executed.

    Raises:
        SpecError: No such file or function, a file outside of the folder, or one that fails.
    """
    file, _, name = told.partition(":")
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SpecError(f"{where}: {file} lies outside of the task's folder")
    if not path.is_file():
        raise SpecError(f"{where}: {path} is not there; it must lie beside the template")
    module_name = f"promptkit_imported_{abs(hash(str(path)))}"
    if module_name not in sys.modules:
        spec = spec_from_file_location(module_name, path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever someone else's module raises
            del sys.modules[module_name]
            raise SpecError(
                f"{where}: {path.name} fails: {type(error).__name__}: {error}"
            ) from error
    found = getattr(sys.modules[module_name], name, None)
    if not callable(found):
        raise SpecError(f"{where}: {path.name} has no function {name!r}")
    return found  # type: ignore[no-any-return]


def process_docs(function: Callable[..., Any], documents: list[dict[str, Any]]) -> Any:
    """A task's ``process_docs``: a ``datasets.Dataset`` in, documents out.

    Raises:
        DataError: It fails, or gives no documents.
    """
    from datasets import Dataset

    try:
        made = list(function(Dataset.from_list(documents)))
    except Exception as error:  # whatever someone else's function raises
        raise DataError(f"process_docs fails: {type(error).__name__}: {error}") from error
    if not made or not all(isinstance(one, dict) for one in made):
        raise DataError("process_docs gives no documents")
    return made
