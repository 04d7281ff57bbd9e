"""Fixtures that many tests share: tiny models are made once a session."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    # processes that each compute on all cores would only hinder one another
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

REFERENCE = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def causal_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``causal_folder("llama")``: the folder of a tiny model of that family."""
    from tests.tiny import save_causal

    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = save_causal(family, tmp_path_factory.mktemp(family))
        return made[family]

    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, where runs are stored."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROMPTKIT_HOME", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Llama that has learned in-box rows by heart; see `tests.trained`.

    Of several processes one trains it, and the others wait.
    """
    from filelock import FileLock

    from tests.trained import save_trained

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "trained"
    with FileLock(shared / "trained.lock"):
        if not folder.is_dir():
            save_trained(shared / "training").rename(folder)
    return folder
