"""Joules of the processor's counters."""

import pytest

from promptkit.runs.energy import Energy


def counter(root, name, micro, most=1000):
    folder = root / name
    folder.mkdir(exist_ok=True)
    (folder / "energy_uj").write_text(f"{micro}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")


def test_packages_are_added_and_their_parts_are_not(tmp_path):
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        counter(tmp_path, name, 100)
    energy = Energy(tmp_path)
    counter(tmp_path, "intel-rapl:0", 400)
    counter(tmp_path, "intel-rapl:1", 200)
    counter(tmp_path, "intel-rapl:0:0", 900)
    assert energy.is_measured
    assert energy.joules() == pytest.approx(400e-6)


def test_a_counter_that_began_anew_is_followed(tmp_path):
    counter(tmp_path, "intel-rapl:0", 900)
    energy = Energy(tmp_path)
    counter(tmp_path, "intel-rapl:0", 100)
    assert energy.joules() == 200e-6
    counter(tmp_path, "intel-rapl:0", 150)
    assert energy.joules() == 250e-6


def test_without_counters_nothing_is_told(tmp_path):
    energy = Energy(tmp_path)
    assert not energy.is_measured
    assert energy.joules() is None
