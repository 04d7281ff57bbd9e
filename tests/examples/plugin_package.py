"""Installs packages of parts by hand, as pip lays them out: no build tool and no network needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "examples" / "plugin"


def install(source: Path, target: Path) -> None:
    """What ``pip install --target`` makes of a package with a src folder."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for folder in (source / "src").iterdir():
        if folder.is_dir() and not folder.name.endswith(".egg-info"):
            shutil.copytree(
                folder, target / folder.name, ignore=shutil.ignore_patterns("__pycache__")
            )
    declare(target, project["name"], project["version"], project["entry-points"])


def declare(target: Path, name: str, version: str, groups: dict[str, dict[str, str]]) -> None:
    """The metadata of an installed package with these entry points."""
    info = target / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        line
        for group, points in groups.items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def promptkit(site: Path, home: Path, *arguments: object) -> tuple[int, str, str]:
    """The command line in a process of its own, with the packages of a folder installed."""
    done = subprocess.run(
        [sys.executable, "-m", "promptkit", *map(str, arguments)],
        capture_output=True, text=True, cwd=home,
        env={**os.environ, "PYTHONPATH": str(site), "COLUMNS": "140", "OMP_NUM_THREADS": "1",
             "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr
