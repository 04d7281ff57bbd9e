"""Which split is learned from, told without reading its rows."""

import datasets
import pytest

from promptkit.runs.columns import train_split


@pytest.fixture
def parts(home):
    for split in ("train", "test"):
        datasets.Dataset.from_dict({"text": ["a"], "label": ["x"]}).to_parquet(
            home / f"{split}-0.parquet"
        )
    return home


def test_a_set_on_the_hub_is_not_downloaded_for_it(parts, monkeypatch):
    monkeypatch.setattr(datasets.Dataset, "iter", None)  # which reads what was downloaded
    assert train_split(f"hf:{parts}") == "train"
    assert train_split(f"hf:{parts}:test") is None


def test_files_and_folders(home):
    (home / "rows.csv").write_text("text,label\n")
    (home / "set").mkdir()
    (home / "set" / "train.csv").write_text("text,label\nbroken\n")
    assert train_split("rows.csv") is None
    assert train_split("set") == "train"
    assert train_split("missing.csv") is None
