"""As many threads as there are processors for them."""

import os

import pytest
import torch

from promptkit.serving.cpus import usable_cpus, use_threads

BOUND = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("said", "granted"),
    [("100000 100000", 1), ("50000 100000", 1), ("max 100000", BOUND), ("9900000 100000", BOUND),
     ("nonsense", BOUND)],
)  # fmt: skip
def test_what_a_control_group_grants(tmp_path, said, granted):
    (tmp_path / "cpu.max").write_text(said + "\n")
    assert usable_cpus(tmp_path) == granted


def test_the_older_form_of_control_groups_and_none(tmp_path):
    assert usable_cpus(tmp_path) == BOUND
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("100000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cpus(tmp_path) == 1
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert usable_cpus(tmp_path) == BOUND


def test_what_is_asked_for_goes_first_then_the_environment(monkeypatch):
    before = torch.get_num_threads()
    try:
        assert use_threads(1) == 1
        torch.set_num_threads(2)
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        assert use_threads(None) == 2
        monkeypatch.delenv("OMP_NUM_THREADS")
        monkeypatch.setattr("promptkit.serving.cpus.usable_cpus", lambda: 1)
        assert use_threads(None) == 1
    finally:
        torch.set_num_threads(before)
